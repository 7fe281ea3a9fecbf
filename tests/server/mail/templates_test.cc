#include "server/mail/templates.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "server/mail/builtin_templates.h"
#include "server/mail/catalogue.h"
#include "tests/storage/temp_directory.h"

namespace holdfast::mail {
namespace {

namespace fs = std::filesystem;

const Templates& builtin() {
  static const auto all = Templates::load();
  if (!all) FAIL(all.error().message);
  return *all;
}

Rendered rendered(const Templates& templates, const std::string& name, const std::string& language,
                  const Values& values) {
  auto out = templates.render(name, language, values);
  if (!out) FAIL(out.error().message);
  return std::move(*out);
}

std::string load_error(const fs::path& directory) {
  const auto loaded = Templates::load(directory);
  return loaded ? "" : loaded.error().message;
}

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Every single value with a mark of its own, wherever it stands.
std::map<std::string, std::string> marks_of(const MailKind& kind, Values& values) {
  std::map<std::string, std::string> marks;
  const auto mark = [&](const std::string& name, std::string& value) {
    const std::string text = "mark-" + name + "-mark";
    value = has(value, "://") ? "https://" + text : text;
    marks[name] = text;
  };
  values = sample_values(kind);
  for (auto& [name, value] : values.single) mark(name, value);
  for (auto& [list, entries] : values.lists)
    for (auto& entry : entries)
      for (auto& [name, value] : entry) mark(list + "." + name, value);
  return marks;
}

}  // namespace

TEST_CASE("Templates: every mail in every language has every placeholder that is documented") {
  for (const std::string& language : builtin().languages()) {
    for (const MailKind& kind : mail_kinds()) {
      INFO(language << "/" << kind.name);
      Values values;
      const auto marks = marks_of(kind, values);
      const Rendered mail = rendered(builtin(), kind.name, language, values);
      for (const auto& [name, mark] : marks) {
        INFO(name);
        if (name == "can_answer") continue;  // a yes or no
        CHECK(has(mail.text, mark));
        CHECK(has(mail.html, mark));
      }
      CHECK_FALSE(mail.subject.empty());
      CHECK(mail.subject.size() < 200);
      CHECK_FALSE(has(mail.subject + mail.text + mail.html, "{{"));
    }
  }
}

TEST_CASE("Templates: English and German are complete, each in its own words") {
  std::map<std::string, std::string> files;
  for (const BuiltinTemplate& one : builtin_templates()) files[std::string(one.path)] = one.text;
  for (const MailKind& kind : mail_kinds()) {
    for (const char* extension : {".subject", ".txt", ".html"}) {
      const std::string name = kind.name + extension;
      INFO(name);
      REQUIRE(files.count("en/" + name) == 1);
      REQUIRE(files.count("de/" + name) == 1);
      CHECK(files["en/" + name] != files["de/" + name]);
    }
  }
  CHECK(files.size() == 2 * (3 * mail_kinds().size() + 3));  // begin.html, end.html, end.txt
}

TEST_CASE("Templates: a mail fetches nothing from anywhere, runs nothing, and can be read in the dark") {
  for (const BuiltinTemplate& one : builtin_templates()) {
    INFO(one.path);
    const std::string text(one.text);
    for (const char* foreign :
         {"src=", "url(", "@import", "<img", "<link", "<script", "<iframe", "<form", "http://", "https://"})
      CHECK_FALSE(has(text, foreign));
  }
  for (const std::string& language : builtin().languages()) {
    const auto* kind = find_mail_kind("password_reset");
    const std::string html = rendered(builtin(), kind->name, language, sample_values(*kind)).html;
    CHECK(has(html, "<html lang=\"" + language + "\">"));
    CHECK(has(html, "prefers-color-scheme: dark"));
    CHECK(has(html, "name=\"color-scheme\" content=\"light dark\""));
  }
}

TEST_CASE("Templates: what a message says can't become a part of the mail") {
  const auto* kind = find_mail_kind("missed_content");
  Values values = sample_values(*kind);
  values.single["conversation"] = "x\r\nBcc: y@z";
  values.lists["messages"][0]["text"] = "<script>alert(1)</script>";
  values.lists["messages"][0]["author"] = "</style>\"'{{service}}";
  const Rendered mail = rendered(builtin(), kind->name, "en", values);
  CHECK_FALSE(has(mail.subject, "\n"));
  CHECK_FALSE(has(mail.html, "<script>"));
  CHECK(has(mail.html, "&lt;/style&gt;&quot;&#39;{{service}}"));  // a value is not a template
}

TEST_CASE("Templates: what is optional may be left out, and what is required may not") {
  for (const MailKind& kind : mail_kinds()) {
    Values least;
    for (const Placeholder& one : kind.required) least.single[one.name] = one.sample;
    CHECK(builtin().render(kind.name, "de", least));
    for (const Placeholder& one : kind.required) {
      if (one.name == "when" && !kind.lists.empty()) continue;
      Values lacking = least;
      lacking.single.erase(one.name);
      INFO(kind.name << " without " << one.name);
      CHECK_FALSE(builtin().render(kind.name, "de", lacking));
    }
  }
}

TEST_CASE("Templates: an answer by mail has its marker on a line of its own, and only then") {
  const auto* kind = find_mail_kind("missed_content");
  Values values = sample_values(*kind);
  const std::string marker = "--- reply above this line ---";
  for (const std::string& language : builtin().languages()) {
    values.single["can_answer"] = "yes";
    CHECK(rendered(builtin(), kind->name, language, values).text.starts_with(marker + "\n"));
    CHECK(has(rendered(builtin(), kind->name, language, values).html, marker));
    values.single.erase("can_answer");
    CHECK_FALSE(has(rendered(builtin(), kind->name, language, values).text, marker));
  }
}

TEST_CASE("Templates: a language is looked for without its region, and then in English") {
  CHECK(language_chain("de-AT") == std::vector<std::string>{"de-at", "de", "en"});
  CHECK(language_chain("en-US") == std::vector<std::string>{"en-us", "en"});
  CHECK(language_chain("") == std::vector<std::string>{"en"});
  const auto* kind = find_mail_kind("password_changed");
  const auto subject = [&](const std::string& language) {
    return rendered(builtin(), kind->name, language, sample_values(*kind)).subject;
  };
  CHECK(subject("de-AT") == "Dein Passwort wurde geändert");
  CHECK(subject("DE") == subject("de"));
  CHECK(subject("fr-FR") == "Your password was changed");
  CHECK(subject("../../etc") == subject("en"));
}

TEST_CASE("Templates: a folder replaces single files, and adds a language") {
  const TempDirectory folder;
  write(folder / "de/password_changed.subject", "Neu: {{user}}\n");
  write(folder / "fr/password_changed.subject", "Mot de passe : {{user}}\n");
  write(folder / "fr/end.txt", "A bientot\n");
  write(folder / "README.md", "left alone");
  const auto templates = Templates::load(folder.path());
  if (!templates) FAIL(templates.error().message);
  CHECK(templates->languages() == std::vector<std::string>{"de", "en", "fr"});
  const auto* kind = find_mail_kind("password_changed");
  CHECK(rendered(*templates, kind->name, "de", sample_values(*kind)).subject == "Neu: anna");
  const Rendered french = rendered(*templates, kind->name, "fr-CA", sample_values(*kind));
  CHECK(french.subject == "Mot de passe : anna");
  CHECK(has(french.text, "the password of your account"));
  CHECK(french.text.ends_with("A bientot\n"));
}

TEST_CASE("Templates: a mistake in a folder ends the start, and names file and line") {
  const TempDirectory folder;
  const fs::path file = folder / "de/password_reset.txt";
  write(file, "Hallo\n{{usr}}\n");
  CHECK(load_error(folder.path()) == file.string() + ":2: {{usr}} has no value");
  write(file, "Hallo\n{{#lnk}}x{{/lnk}}\n");
  CHECK(has(load_error(folder.path()), ":2: {{lnk}} is neither a list nor a value"));
  fs::remove(file);
  write(folder / "de/missed_content.txt", "{{unsubscribe_url}}");  // optional, so only within its section
  CHECK(has(load_error(folder.path()), "missed_content.txt:1: {{unsubscribe_url}} has no value"));
  fs::remove(folder / "de/missed_content.txt");
  write(folder / "de/pasword_reset.txt", "x");
  CHECK(has(load_error(folder.path()), "pasword_reset.txt: no mail has such a file"));
  CHECK(has(load_error(folder / "nowhere"), "nowhere"));
}

TEST_CASE("Templates: a name that there is not is an error that says where the names are") {
  const auto unknown = builtin().render("pasword_reset", "en", {});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == Errc::not_found);
  CHECK(has(unknown.error().message, "holdfastctl mail templates"));
}

TEST_CASE("Templates: README.md is what the catalogue says") {
  const char* root = std::getenv("HOLDFAST_SOURCE");
  REQUIRE(root != nullptr);  // ctest sets it
  std::ifstream in(fs::path(root) / "server/mail/templates/README.md");
  std::ostringstream text;
  text << in.rdbuf();
  CHECK(text.str() == templates_readme());
}

}  // namespace holdfast::mail

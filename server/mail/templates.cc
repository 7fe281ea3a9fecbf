#include "server/mail/templates.h"

#include <algorithm>
#include <set>

#include "server/mail/builtin_templates.h"
#include "server/mail/catalogue.h"
#include "storage/file_util.h"

namespace holdfast::mail {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLastLanguage = "en";

/// By path ("en/password_reset.html"); languages in lower case.
using Sources = std::map<std::string, TemplateSource>;

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return text;
}

bool is_template_file(const fs::path& file) {
  const auto extension = file.extension();
  const std::string name = file.stem().string();
  const bool is_part = name == "begin" || name == "end";
  if (extension == ".subject") return find_mail_kind(name) != nullptr;
  return (extension == ".txt" || extension == ".html") && (is_part || find_mail_kind(name) != nullptr);
}

Status add_file(const fs::path& file, const std::string& language, Sources& sources) {
  if (!is_template_file(file))
    return Error{Errc::invalid_argument,
                 file.string() +
                     ": no mail has such a file; there are NAME.subject, NAME.txt and NAME.html of the names that "
                     "`holdfastctl mail templates` lists, and begin and end (.txt, .html)"};
  auto text = read_small_file(file);
  if (!text) return text.error();
  if (*text) sources[language + "/" + file.filename().string()] = {file.string(), std::move(**text)};
  return Ok{};
}

/// A folder for each language in it; what else lies beside them is left alone.
Status add_directory(const fs::path& directory, Sources& sources) {
  std::error_code failed;
  for (const auto& language : fs::directory_iterator(directory, failed)) {
    if (!language.is_directory()) continue;
    std::error_code unreadable;
    for (const auto& file : fs::directory_iterator(language.path(), unreadable)) {
      if (file.path().filename().string().starts_with('.') || file.path().filename().string().ends_with('~')) continue;
      if (const Status added = add_file(file.path(), lower(language.path().filename().string()), sources); !added)
        return added;
    }
    if (unreadable) return Error{Errc::io, language.path().string() + ": " + unreadable.message()};
  }
  if (failed)
    return Error{Errc::not_found, "templates can't be read from " + directory.string() + ": " + failed.message()};
  return Ok{};
}

Result<TemplateSource> find_source(const Sources& sources, const std::string& language, const std::string& file) {
  for (const std::string& one : language_chain(language))
    if (const auto found = sources.find(one + "/" + file); found != sources.end()) return found->second;
  return Error{Errc::not_found, "there is no file " + file + " for it"};
}

const char* extension_of(Form form) {
  switch (form) {
    case Form::header: return ".subject";
    case Form::text: return ".txt";
    case Form::html: return ".html";
  }
  return "";
}

Result<Template> load_one(const Sources& sources, const std::string& language, const MailKind& kind, Form form) {
  const auto source = find_source(sources, language, kind.name + extension_of(form));
  if (!source) return Error{Errc::invalid_argument, language + "/" + kind.name + ": " + source.error().message};
  auto parsed = Template::parse(*source, form, [&](const std::string& part) {
    return find_source(sources, language, part + extension_of(form));
  });
  if (!parsed) return parsed;
  if (const Status good = parsed->check(sample_values(kind)); !good) return good.error();
  // Without what is optional it has to do, too.
  Values least;
  for (const Placeholder& one : kind.required) least.single[one.name] = one.sample;
  if (const auto good = parsed->render(least); !good) return good.error();
  return parsed;
}

std::string without_line_end(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

std::vector<std::string> language_chain(const std::string& language) {
  std::vector<std::string> chain;
  for (std::string one = lower(language); !one.empty();) {
    chain.push_back(one);
    const auto dash = one.rfind('-');
    one.resize(dash == std::string::npos ? 0 : dash);
  }
  if (chain.empty() || chain.back() != kLastLanguage) chain.emplace_back(kLastLanguage);
  return chain;
}

Result<Templates> Templates::load(const fs::path& directory) {
  Sources sources;
  for (const BuiltinTemplate& one : builtin_templates())
    sources[std::string(one.path)] = {std::string(one.path), std::string(one.text)};
  if (!directory.empty())
    if (const Status added = add_directory(directory, sources); !added) return added.error();
  Templates all;
  std::set<std::string> languages;
  for (const auto& [path, source] : sources) languages.insert(path.substr(0, path.find('/')));
  for (const std::string& language : languages) {
    all.languages_.push_back(language);
    for (const MailKind& kind : mail_kinds()) {
      auto subject = load_one(sources, language, kind, Form::header);
      if (!subject) return subject.error();
      auto text = load_one(sources, language, kind, Form::text);
      if (!text) return text.error();
      auto html = load_one(sources, language, kind, Form::html);
      if (!html) return html.error();
      all.mails_[language].emplace(kind.name, Parts{std::move(*subject), std::move(*text), std::move(*html)});
    }
  }
  return all;
}

Result<Rendered> Templates::render(const std::string& name, const std::string& language, const Values& values) const {
  for (const std::string& one : language_chain(language)) {
    const auto in_language = mails_.find(one);
    if (in_language == mails_.end()) continue;
    const auto found = in_language->second.find(name);
    if (found == in_language->second.end()) break;
    const Parts& parts = found->second;
    auto subject = parts.subject.render(values);
    if (!subject) return subject.error();
    auto text = parts.text.render(values);
    if (!text) return text.error();
    auto html = parts.html.render(values);
    if (!html) return html.error();
    return Rendered{without_line_end(std::move(*subject)), std::move(*text), std::move(*html)};
  }
  return Error{Errc::not_found,
               "there is no mail template " + name + "; `holdfastctl mail templates` lists those there are"};
}

}  // namespace holdfast::mail

#include "server/lmtp/answer_text.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "server/lmtp/incoming_mail.h"
#include "tests/server/lmtp/mail_text.h"

namespace holdfast::lmtp {
namespace {

namespace fs = std::filesystem;

std::string file_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

fs::path mails() {
  const char* root = std::getenv("HOLDFAST_SOURCE");  // ctest sets it
  return fs::path(root ? root : ".") / "tests/server/lmtp/mails";
}

}  // namespace

TEST_CASE("Answer: of each mail program's mail, what its user wrote and nothing else") {
  std::set<std::string> seen;
  for (const auto& entry : fs::directory_iterator(mails())) {
    if (entry.path().extension() != ".eml") continue;
    INFO(entry.path().filename().string());
    const auto mail = parse_mail(crlf(file_text(entry.path())));
    REQUIRE(mail);
    CHECK(answer_of(mail.value().text) + "\n" == file_text(fs::path(entry.path()).replace_extension(".txt")));
    seen.insert(entry.path().stem());
  }
  CHECK(seen.size() >= 15);  // an empty folder proves nothing
}

TEST_CASE("Answer: text that only looks like a quote's beginning stays") {
  for (const char* text : {
           "On Monday he wrote:\n\nnothing at all",
           "On 3 May Bob wrote: come at once",
           "Am Montag schrieb ich:\nkeine Zeit",
           "From: here it is two miles.\nTo: the left is the river of which I spoke.",
           "Von: wegen!",
           "--- a line of mine ---\nmore",
           "a -- b\n---\n---- and so on",
           "Sent from my office yesterday.",
           "sent via DHL",
           "Gesendet von mir persönlich",
           "Mail me at ada@example.org:\nor call",
           "In 2026 she said:\nyes",
           "a > b",
           "one\n\n\n\ntwo",
           "  indented\n\tas code",
           "reply above this line",
       }) {
    INFO(text);
    CHECK(answer_of(text) == text);
  }
}

TEST_CASE("Answer: quotes go, and what stands around them stays") {
  struct Case {
    const char* text;
    const char* answer;
  };
  const Case cases[] = {
      {"", ""},
      {"\n \n\t\n", ""},
      {"> only a quote\n> and more", ""},
      {"\n\nyes  \n\n", "yes"},
      {"above\n> quoted\nbelow", "above\n\nbelow"},
      {"above\n\n> quoted\n\n\n> quoted\n\nbelow", "above\n\nbelow"},
      {"yes\n--- reply above this line ---\nanything\nat all", "yes"},
      {"yes\n*--- Reply above this line ---*\nx", "yes"},
      {"yes\n-- \nAda\n> x", "yes"},
      {"yes\n--\nAda", "yes"},
      {"yes\n\n\nSent from my iPhone\n\n", "yes"},
      {"Sent from my iPhone is what it says below\n\nSent from my iPhone", ""},  // begins like one: nobody is hurt much
      {"yes\n____________________\nFrom: a\nDate: b\nTo: c\nx", "yes"},
      {"yes\n*From:* a\n*Date:* b\n*To:* c\nx", "yes"},
      {"yes\nVan: a\nVerzonden: b\nAan: c\nOnderwerp: d\nx", "yes"},
      {"yes\n-----Mensaje original-----\nx", "yes"},
      {"yes\n---------- Forwarded message ---------\nx", "yes"},
      // An attribution broken to travel, with and without quote marks behind it.
      {"yes\n\nOn Sun, Nov 29, 2026 at 9:30 AM Somebody With A Long Name <\nlong@example.org>\nwrote:\n> x\nno",
       "yes\n\nno"},
      {"yes\n\nOn Sun, Nov 29, 2026 at 9:30 AM Ada <a@b>\nwrote:\n\nx\nno", "yes"},
      // Text directly above one, beginning with the same word, is text.
      {"On time, as always.\nOn Sun, Nov 29, 2026, Ada <a@b> wrote:\n> x", "On time, as always."},
      {"yes\n\n2026-11-29 9:30 GMT+01:00 Ada <ada@example.org>:\n> x", "yes"},
      {"ja\n\nAda <a@b.example> schrieb am So., 29. Nov. 2026, 09:30:\n\n> x", "ja"},
      {"ja\n\nOp zo 29 nov 2026 om 09:30 schreef Ada <a@b.example>:\n> x", "ja"},
      {"si\n\nEl dom, 29 nov 2026 a las 9:30, Ada (<a@b.example>) escribió:\n\n> x", "si"},
      {"sì\n\nIl giorno dom 29 nov 2026 alle ore 09:30 Ada <a@b.example> ha scritto:\n\n> x", "sì"},
      {"tak\n\nniedz., 29 lis 2026 o 09:30 Ada <a@b.example> napisał(a):\n\n> x", "tak"},
      {"ja\n\nDen sön 29 nov. 2026 kl 09:30 skrev Ada <a@b.example>:\n> x", "ja"},
  };
  for (const auto& [text, answer] : cases) {
    INFO(text);
    CHECK(answer_of(text) == answer);
  }
}

TEST_CASE("Answer: our own mails have the marker on a line of its own, above what they repeat") {
  const char* root = std::getenv("HOLDFAST_SOURCE");
  for (const auto& language : fs::directory_iterator(fs::path(root ? root : ".") / "server/mail/templates")) {
    if (!language.is_directory()) continue;
    INFO(language.path().string());
    const auto text = file_text(language.path() / "missed_content.txt");
    const auto marker = text.find("\n" + std::string(kReplyMarker) + "\n");
    REQUIRE(marker != std::string::npos);
    CHECK(answer_of("my answer\n" + text.substr(marker)) == "my answer");
    CHECK(marker < text.find("{{user}}"));
  }
}

TEST_CASE("Answer: what is an answer stays as it is when it is read again") {
  for (const auto& entry : fs::directory_iterator(mails())) {
    if (entry.path().extension() != ".txt") continue;
    const auto text = file_text(entry.path());
    CHECK(answer_of(text) + "\n" == text);
  }
}

}  // namespace holdfast::lmtp

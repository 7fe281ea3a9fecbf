#include "tools/holdfastctl/mail_preview.h"

#include <catch2/catch.hpp>

#include "server/mail/catalogue.h"

namespace holdfast::ctl {

TEST_CASE("holdfastctl mail: every template can be previewed in every language, as a mail, too") {
  for (const auto& kind : mail::mail_kinds()) {
    for (const char* language : {"en", "de", "de-CH", ""}) {
      INFO(kind.name << " " << language);
      const auto preview = preview_mail(kind.name, language, "");
      REQUIRE(preview);
      CHECK_FALSE(preview->rendered.subject.empty());
      CHECK(preview->eml.find("\r\nContent-Type: multipart/alternative;") != std::string::npos);
      const bool can_be_unsubscribed = preview->eml.find("\r\nList-Unsubscribe: <https://") != std::string::npos;
      CHECK(can_be_unsubscribed ==
            (kind.name == "missed_content" || kind.name == "missed_notice" || kind.name == "incident"));
    }
  }
}

TEST_CASE("holdfastctl mail: a template that there is not is refused, and those there are can be listed") {
  const auto unknown = preview_mail("nonsense", "en", "");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message.find("nonsense") != std::string::npos);
  const auto list = list_mails("");
  REQUIRE(list);
  for (const auto& kind : mail::mail_kinds()) CHECK(list->find(kind.name + " ") != std::string::npos);
  CHECK(list->find("languages: de, en\n") != std::string::npos);
}

}  // namespace holdfast::ctl

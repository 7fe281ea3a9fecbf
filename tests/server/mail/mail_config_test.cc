#include "server/mail/mail_config.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "server/mail/mailer.h"
#include "tests/storage/temp_directory.h"

namespace holdfast::mail {
namespace {

MailConfig with_relay() {
  MailConfig config;
  config.relays = "smtp+starttls://user:geheim@mail.example.org, smtp://localhost";
  config.from = "chat@Example.org";
  return config;
}

std::string refusal(const MailConfig& config) {
  const Status checked = check_mail(config);
  return checked ? "" : checked.error().message;
}

bool begins(const std::string& text, const std::string& beginning) { return text.starts_with(beginning); }

}  // namespace

TEST_CASE("Mail config: the defaults work, and mails go to the outbox") {
  const MailConfig defaults;
  CHECK(check_mail(defaults));
  const MailerOptions options = mailer_options(defaults, "/data/outbox");
  CHECK(options.relays.empty());
  CHECK(options.outbox.directory == "/data/outbox");
  CHECK(from_address(defaults).str() == "holdfast@localhost");
  CHECK(message_domain(defaults) == "localhost");
}

TEST_CASE("Mail config: with relays everything is handed on") {
  MailConfig config = with_relay();
  CHECK(check_mail(config));
  const MailerOptions options = mailer_options(config, "x");
  REQUIRE(options.relays.size() == 2);
  CHECK(options.relays[0].password == "geheim");
  CHECK(options.helo == "example.org");
  config.domain = "chat.example.org";
  CHECK(mailer_options(config, "x").helo == "chat.example.org");
}

TEST_CASE("Mail config: what can't work is refused by its key, and never with the password") {
  const auto refused = [](auto change) {
    MailConfig config = with_relay();
    change(config);
    return refusal(config);
  };
  CHECK(begins(refused([](auto& config) { config.from = ""; }), "mail.from: it is missing"));
  CHECK(begins(refused([](auto& config) { config.from = "chat"; }), "mail.from: the address has no @"));
  CHECK(begins(refused([](auto& config) { config.domain = "a b"; }), "mail.domain: the domain"));
  CHECK(begins(refused([](auto& config) { config.from_name = "a\nb"; }), "mail.from_name: "));
  CHECK(begins(refused([](auto& config) { config.from_name = ""; }), "mail.from_name: "));
  CHECK(begins(refused([](auto& config) { config.ca = "/nowhere.pem"; }), "mail.ca: /nowhere.pem can't be read"));
  CHECK(begins(refused([](auto& config) { config.language = "fr"; }),
               "mail.language: there are no templates in it; there are: de, en"));
  CHECK(refused([](auto& config) { config.language = "de-AT"; }).empty());
  CHECK(refused([](auto& config) { config.language = "en-US"; }).empty());
  CHECK(begins(refused([](auto& config) { config.templates = "/nowhere"; }), "mail.templates: "));
  const auto password = refused([](auto& config) { config.relays = "smtp://user:geheim@mail.example.org"; });
  CHECK(begins(password, "mail.relays: "));
  CHECK(password.find("geheim") == std::string::npos);
}

}  // namespace holdfast::mail

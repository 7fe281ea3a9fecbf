#include "tests/mail_out/sending.h"

#include <catch2/catch.hpp>
#include <future>

namespace holdfast::mail {

Mail mail_to(const std::string& address, const std::string& text, int number) {
  const auto to = Address::parse(address);
  REQUIRE(to);
  auto mail = compose({*Address::parse("chat@holdfast.test"),
                       "Holdfäst",
                       *to,
                       "Grüße",
                       message_id_of("mail " + std::to_string(number), "holdfast.test"),
                       from_ms(1'795'945'846'000),
                       std::nullopt,
                       {},
                       ""},
                      {text, ""});
  REQUIRE(mail);
  return std::move(*mail);
}

std::unique_ptr<Mailer> start_mailer(const SenderOptions& wanted) {
  auto relays = parse_relays(wanted.relays);
  REQUIRE(relays);
  MailerOptions options;
  options.relays = std::move(*relays);
  options.ca_file = wanted.ca_file;
  options.helo = "holdfast.test";
  options.timeout = wanted.timeout;
  options.connections = wanted.connections;
  auto mailer = Mailer::start(std::move(options));
  REQUIRE(mailer);
  return std::move(*mailer);
}

Sent send_and_wait(Mailer& mailer, Mail mail) {
  const auto answer = std::make_shared<std::promise<Sent>>();
  auto future = answer->get_future();
  REQUIRE(mailer.send(std::move(mail), [answer](Sent sent) { answer->set_value(std::move(sent)); }));
  REQUIRE(future.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  return future.get();
}

std::string smtp(std::uint16_t port) { return "smtp://127.0.0.1:" + std::to_string(port); }
std::string starttls(std::uint16_t port) { return "smtp+starttls://127.0.0.1:" + std::to_string(port); }
std::string smtps(std::uint16_t port) { return "smtps://127.0.0.1:" + std::to_string(port); }

}  // namespace holdfast::mail

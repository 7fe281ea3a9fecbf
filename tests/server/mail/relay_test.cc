#include "server/mail/relay.h"

#include <catch2/catch.hpp>

#include "server/mail/relay_order.h"

namespace holdfast::mail {
namespace {

std::string refusal(const std::string& text) {
  const auto relay = parse_relay(text);
  return relay ? "" : relay.error().message;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Relay: each scheme has its security and its port") {
  const auto plain = parse_relay("smtp://localhost");
  REQUIRE(plain);
  CHECK(plain->security == Security::none);
  CHECK(plain->name() == "localhost:25");
  const auto starttls = parse_relay("smtp+starttls://mail.example.org");
  REQUIRE(starttls);
  CHECK(starttls->security == Security::starttls);
  CHECK(starttls->port == 587);
  const auto tls = parse_relay("smtps://[2001:db8::1]:4650");
  REQUIRE(tls);
  CHECK(tls->security == Security::tls);
  CHECK(tls->host == "2001:db8::1");
  CHECK(tls->name() == "[2001:db8::1]:4650");
}

TEST_CASE("Relay: user and password may hold anything, percent-encoded") {
  const auto relay = parse_relay("smtps://anna%40example.org:p%3Aa%25s%2F@mail.example.org");
  REQUIRE(relay);
  CHECK(relay->user == "anna@example.org");
  CHECK(relay->password == "p:a%s/");
}

TEST_CASE("Relay: a mistake is named, and never with the password") {
  CHECK(says(refusal("mail.example.org"), "begins with none of"));
  CHECK(says(refusal("http://x"), "begins with none of"));
  CHECK(says(refusal("smtp://"), "the domain is missing"));
  CHECK(says(refusal("smtp://x:0"), "1 to 65535"));
  CHECK(says(refusal("smtp://x:65536"), "1 to 65535"));
  CHECK(says(refusal("smtp://x:25/path"), "1 to 65535"));
  CHECK(says(refusal("smtp://[::1"), "ends with ]"));
  CHECK(says(refusal("smtp://[x]"), "no IPv6"));
  CHECK(says(refusal("smtp://1.2.3.4.5"), "not a number"));
  CHECK(says(refusal("smtps://user@x"), "go together"));
  CHECK(says(refusal("smtps://u:geheim%2@x"), "hex digits"));
  CHECK_FALSE(says(refusal("smtps://u:geheim%2@x"), "geheim"));
}

TEST_CASE("Relay: a password does not cross the network in plain text") {
  CHECK(says(refusal("smtp://u:geheim@mail.example.org"), "plain text"));
  CHECK_FALSE(says(refusal("smtp://u:geheim@mail.example.org"), "geheim"));
  CHECK(parse_relay("smtp://u:p@127.0.0.1:2525"));
  CHECK(parse_relay("smtp://u:p@localhost"));
  CHECK_FALSE(parse_relay("smtp://u:p@127.example.org"));
}

TEST_CASE("Relay: a list has commas or blanks, and one mistake is a mistake of all") {
  const auto two = parse_relays("smtp://a, smtps://b");
  REQUIRE(two);
  REQUIRE(two->size() == 2);
  CHECK((*two)[1].host == "b");
  const auto none = parse_relays(" ");
  REQUIRE(none);
  CHECK(none->empty());
  CHECK_FALSE(parse_relays("smtp://a, b"));
}

TEST_CASE("Relay order: who failed lately comes last, for a while") {
  RelayOrder order(3);
  const SteadyTime now = SteadyTime() + std::chrono::hours(1);
  CHECK(order.at(now) == std::vector<std::size_t>{0, 1, 2});
  order.note_ill(0, now);
  CHECK(order.at(now) == std::vector<std::size_t>{1, 2, 0});
  CHECK(order.at(now + RelayOrder::kRest) == std::vector<std::size_t>{0, 1, 2});
  order.note_ill(1, now);
  CHECK(order.at(now) == std::vector<std::size_t>{2, 0, 1});
  order.note_well(0);
  CHECK(order.at(now) == std::vector<std::size_t>{0, 2, 1});
}

}  // namespace holdfast::mail

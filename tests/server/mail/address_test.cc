#include "server/mail/address.h"

#include <catch2/catch.hpp>

#include "server/mail/message_id.h"

namespace holdfast::mail {
namespace {

std::string refusal(const std::string& text) {
  const auto parsed = Address::parse(text);
  return parsed ? "" : parsed.error().message;
}

bool is_taken(const std::string& text) {
  const auto parsed = Address::parse(text);
  return parsed && Address::parse(parsed->str()) && parsed->str() == text;
}

}  // namespace

TEST_CASE("Address: a dot-atom at a domain is taken as it is") {
  CHECK(is_taken("a@b"));
  CHECK(is_taken("anna.schmidt+chat@mail.example.org"));
  CHECK(is_taken("!#$%&'*+-/=?^_`{|}~0@x-y.example"));
  CHECK(is_taken("a@xn--bcher-kva.example"));
  CHECK(is_taken(std::string(64, 'a') + "@example.org"));
}

TEST_CASE("Address: the domain is one in either case, the local part is not") {
  const auto a = Address::parse("Anna@EXAMPLE.org");
  REQUIRE(a);
  CHECK(a->str() == "Anna@example.org");
  CHECK(a->local() == "Anna");
  CHECK(a->domain() == "example.org");
  CHECK_FALSE(*a == *Address::parse("anna@example.org"));
}

TEST_CASE("Address: what RFC 5321 knows beyond that, or not at all, is refused and said why") {
  CHECK(refusal("") == "the address has no @");
  CHECK(refusal("anna") == "the address has no @");
  CHECK(refusal("@example.org") == "the address has nothing before its @");
  CHECK(refusal("anna@") == "the domain is missing");
  for (const char* dots : {".a@x", "a.@x", "a..b@x"}) CHECK(refusal(dots).find("dots") != std::string::npos);
  for (const char* local :
       {"a b@x", "\"a b\"@x", "a,b@x", "a@b@x", "<a@x", "a(c)@x", "a:b@x", "a;b@x", "a\\b@x", "ä@x"})
    CHECK(refusal(local).find("before the @") != std::string::npos);
  for (const char* domain : {"a@[127.0.0.1]", "a@[IPv6:::1]", "a@x y", "a@x_y", "a@x>", "a@bücher.example"})
    CHECK(refusal(domain).find("letters, digits, hyphens") != std::string::npos);
  for (const char* domain : {"a@.x", "a@x.", "a@x..y"}) CHECK(refusal(domain).find("empty part") != std::string::npos);
  for (const char* domain : {"a@-x", "a@x-", "a@x-.y"}) CHECK(refusal(domain).find("hyphen") != std::string::npos);
  CHECK(refusal("a@192.0.2.1").find("not a number") != std::string::npos);
}

TEST_CASE("Address: no byte that could end a header or a command gets in anywhere") {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool harmless = c > ' ' && c <= '~' && std::string_view("<>()[]\\,;:@\"").find(c) == std::string_view::npos;
    for (const std::string& text : {std::string("a") + c + "b@x.y", std::string("a@x") + c + "y",
                                    std::string("a@x.y") + c, c + std::string("a@x.y")}) {
      const auto parsed = Address::parse(text);
      if (!harmless && c != '@') CHECK_FALSE(parsed);
      if (parsed) CHECK(harmless);
    }
  }
}

TEST_CASE("Address: the RFCs' lengths are taken, and one byte more is not") {
  const std::string label(63, 'd');
  const std::string domain = label + "." + label + "." + label;  // 191
  CHECK(is_taken(std::string(254 - 192, 'a') + "@" + domain));
  CHECK(refusal(std::string(255 - 192, 'a') + "@" + domain).find("254") != std::string::npos);
  CHECK(refusal(std::string(65, 'a') + "@x").find("64") != std::string::npos);
  CHECK(refusal("a@" + label + "d").find("63") != std::string::npos);
  CHECK_FALSE(check_domain(domain + "." + label));
}

TEST_CASE("Message-ID: the same id gives the same one, and it reads back") {
  const MessageId id = message_id_of(std::string("\x00\x01\xfe\xff", 4), "chat.example");
  CHECK(id.str() == "<0001feff@chat.example>");
  CHECK(id.left() == "0001feff");
  const auto back = MessageId::parse(id.str());
  REQUIRE(back);
  CHECK(*back == id);
  CHECK(message_id_of("a", "x").str() != message_id_of("b", "x").str());
}

TEST_CASE("Message-ID: what could not stand in a header is refused") {
  CHECK(MessageId::parse("<CAF=x+y_z@mail.gmail.com>"));
  for (const char* wrong : {"", "<>", "<@x>", "<a@>", "a@b", "<a@b", "a@b>", "<a b@x>", "<a@x>\r\n", "<a\r\nTo: b@x>",
                            "<.a@x>", "<a..b@x>", "<a@[1.2.3.4]>", "<a>b@x>"})
    CHECK_FALSE(MessageId::parse(wrong));
}

}  // namespace holdfast::mail

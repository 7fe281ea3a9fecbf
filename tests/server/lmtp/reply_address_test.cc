#include "server/lmtp/reply_address.h"

#include <catch2/catch.hpp>

#include "base/random.h"

namespace holdfast::lmtp {
namespace {

ReplyToken token_of(std::uint64_t seed) {
  SeededRandom random(seed);
  ReplyToken token;
  token.partition = PartitionId(static_cast<std::uint16_t>(random.below(1024)));
  random.fill(token.secret);
  return token;
}

bool is_refused(const std::string& address, std::string_view domain = "reply.example") {
  const auto parsed = parse_reply_address(address, domain);
  return !parsed && parsed.error().code == Errc::not_found;
}

}  // namespace

TEST_CASE("Reply address: what is written is the RFC's base32") {
  ReplyToken token;
  token.partition = PartitionId(0x666f);  // "fo", and then "obarfoobarfoobar": RFC 4648's own examples end alike
  const std::string secret = "obarfoobarfoobar";
  std::copy(secret.begin(), secret.end(), token.secret.begin());
  // printf foobarfoobarfoobar | base32
  CHECK(format_reply_address(token, "reply.example") == "reply+mzxw6ytbojtg633cmfzgm33pmjqxe@reply.example");
}

TEST_CASE("Reply address: every token comes back from its address, in either case") {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto token = token_of(seed);
    std::string address = format_reply_address(token, "reply.example");
    REQUIRE(address.size() == 6 + kReplyTokenCharacters + 1 + 13);
    auto parsed = parse_reply_address(address, "reply.example");
    REQUIRE(parsed);
    REQUIRE(*parsed == token);
    for (char& c : address) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    parsed = parse_reply_address(address, "reply.example");
    REQUIRE(parsed);
    REQUIRE(*parsed == token);
  }
}

TEST_CASE("Reply address: one token has one address, and everything else is not found") {
  const std::string good = format_reply_address(token_of(1), "reply.example");
  REQUIRE_FALSE(is_refused(good));
  const std::string token = good.substr(6, kReplyTokenCharacters);
  CHECK(is_refused(""));
  CHECK(is_refused("reply+"));
  CHECK(is_refused("reply+@reply.example"));
  CHECK(is_refused("reply@reply.example"));
  CHECK(is_refused("reply+" + token));                                       // no domain
  CHECK(is_refused("answer+" + token + "@reply.example"));                   // another name
  CHECK(is_refused("reply-" + token + "@reply.example"));                    // another delimiter
  CHECK(is_refused("reply+" + token + "a@reply.example"));                   // too long
  CHECK(is_refused("reply+" + token.substr(1) + "@reply.example"));          // too short
  CHECK(is_refused("reply+" + token.substr(0, 28) + "1@reply.example"));     // no digit of base32
  CHECK(is_refused("reply+" + token.substr(0, 28) + "=@reply.example"));     // padding
  CHECK(is_refused("reply+" + token.substr(0, 28) + "\xc3@reply.example"));  // no ASCII
  CHECK(is_refused("reply+" + token + "@example"));                          // another domain
  CHECK(is_refused("reply+" + token + "@x@reply.example"));                  // two of them
  CHECK_FALSE(is_refused("reply+" + token + "@anything.example", ""));       // no domain asked for
  // 29 characters hold one bit more than 18 bytes: of the two texts that differ in it only one is good.
  const std::string zeros(28, 'a');
  CHECK_FALSE(is_refused("reply+" + zeros + "a@reply.example"));
  CHECK(is_refused("reply+" + zeros + "b@reply.example"));
  CHECK_FALSE(is_refused("reply+" + zeros + "c@reply.example"));
}

}  // namespace holdfast::lmtp

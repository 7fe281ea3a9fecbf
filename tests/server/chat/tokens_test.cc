#include "server/chat/tokens.h"

#include <catch2/catch.hpp>

#include "base/time.h"

using namespace holdfast;
using namespace holdfast::chat;

namespace {

const WallTime kNow = from_ms(1'700'000'000'000);

struct Tokens {
  SeededRandom random{3};
  TokenKeys keys = TokenKeys::first(kNow, random);
  TokenClaims claims{PartitionId(5), random.id<UserId>(), random.id<SessionId>(), 7};
};

}  // namespace

TEST_CASE("Token: says what was put into it, and no two are the same") {
  Tokens t;
  const std::string token = make_token(t.keys, t.claims, t.random);
  const auto claims = verify_token(t.keys, token);
  REQUIRE(claims);
  CHECK(claims->partition == t.claims.partition);
  CHECK(claims->user == t.claims.user);
  CHECK(claims->session == t.claims.session);
  CHECK(claims->serial == 7);
  CHECK(claims->key_id == t.keys.newest().id);
  CHECK(make_token(t.keys, t.claims, t.random) != token);
  CHECK(token_hash(token).size() == 32);
}

TEST_CASE("Token: a changed bit, a cut or an added byte makes it garbage") {
  Tokens t;
  const std::string token = make_token(t.keys, t.claims, t.random);
  for (std::size_t bit = 0; bit < token.size() * 8; ++bit) {
    std::string bad = token;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    CHECK_FALSE(verify_token(t.keys, bad));
  }
  for (std::size_t length = 0; length < token.size(); ++length)
    CHECK_FALSE(verify_token(t.keys, token.substr(0, length)));
  CHECK_FALSE(verify_token(t.keys, token + '\0'));
}

TEST_CASE("Token: one of another cluster's keys is garbage") {
  Tokens t;
  SeededRandom other(99);
  CHECK_FALSE(verify_token(TokenKeys::first(kNow, other), make_token(t.keys, t.claims, t.random)));
}

TEST_CASE("TokenKeys: the newest signs, the older verify, and go once nothing of theirs can be in use") {
  Tokens t;
  const std::string old = make_token(t.keys, t.claims, t.random);
  const std::chrono::hours keep(60 * 24);
  const TokenKeys two = t.keys.rotated(kNow + std::chrono::hours(1), keep, t.random);
  CHECK(two.size() == 2);
  CHECK(verify_token(two, old));
  CHECK(verify_token(two, make_token(two, t.claims, t.random))->key_id == 2);
  CHECK_FALSE(verify_token(t.keys, make_token(two, t.claims, t.random)));

  const TokenKeys still = two.rotated(kNow + keep, keep, t.random);
  CHECK(still.size() == 3);
  CHECK(verify_token(still, old));
  const TokenKeys gone = still.rotated(kNow + keep + std::chrono::hours(2), keep, t.random);
  CHECK(gone.size() == 3);
  CHECK_FALSE(verify_token(gone, old));
}

TEST_CASE("TokenKeys: come back from their bytes, and damaged bytes are refused") {
  Tokens t;
  const TokenKeys keys = t.keys.rotated(kNow, std::chrono::hours(1), t.random);
  const auto back = TokenKeys::parse(keys.serialize());
  REQUIRE(back);
  CHECK(verify_token(*back, make_token(keys, t.claims, t.random)));
  CHECK_FALSE(TokenKeys::parse(""));
  CHECK_FALSE(TokenKeys::parse(keys.serialize().substr(0, 1)));
  CHECK_FALSE(TokenKeys::parse(keys.serialize() + "x"));
  std::string version = keys.serialize();
  version[0] = 9;
  CHECK_FALSE(TokenKeys::parse(version));
}

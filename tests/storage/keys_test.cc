#include "storage/keys.h"

#include <catch2/catch.hpp>

#include "base/random.h"

using namespace holdfast;
using keys::Family;

namespace {

struct Case {
  std::string key;
  Family family;
  std::string first = {};
  std::string second = {};
  std::string third = {};
  std::uint64_t number = 0;
};

std::vector<Case> one_of_each(Random& random) {
  const auto user = random.id<UserId>();
  const auto session = random.id<SessionId>();
  const auto conversation = random.id<ConversationId>();
  const auto request = random.id<RequestId>();
  const std::uint64_t n = random.next();
  const IntentId intent = *IntentId::from_bytes(request.bytes());
  return {
      {keys::applied(), Family::applied},
      {keys::name("alice"), Family::name, "alice"},
      {keys::attempts("alice"), Family::attempts, "alice"},
      {keys::account(user), Family::account, user.str()},
      {keys::session(user, session), Family::session, user.str(), session.str()},
      {keys::secrets(user), Family::secrets, user.str()},
      {keys::address(user.bytes()), Family::address, user.str()},
      {keys::wave(intent), Family::wave, request.str()},
      {keys::mailbox(user), Family::mailbox, user.str()},
      {keys::inbox(user, n), Family::inbox, user.str(), "", "", n},
      {keys::head(user, conversation), Family::head, user.str(), conversation.str()},
      {keys::blocks(user), Family::blocks, user.str()},
      {keys::list(user, conversation), Family::list, user.str(), conversation.str()},
      {keys::conversation(conversation), Family::conversation, conversation.str()},
      {keys::member(conversation, user), Family::member, conversation.str(), user.str()},
      {keys::change(conversation, n), Family::change, conversation.str(), "", "", n},
      {keys::seen(conversation, user), Family::seen, conversation.str(), user.str()},
      {keys::client_id(conversation, user, request), Family::client_id, conversation.str(), user.str(), request.str()},
      {keys::request(user.bytes(), user, request), Family::request, user.str(), user.str(), request.str()},
      {keys::source(PartitionId(513), "delivery"), Family::source, "delivery", "", "", 513},
      {keys::cursor("delivery"), Family::cursor, "delivery"},
      {keys::due(n, "what"), Family::due, "what", "", "", n},
      {keys::intent(user, intent), Family::intent, user.str(), request.str()},
      {keys::mail_settings(user), Family::mail_settings, user.str()},
      {keys::missed(user), Family::missed, user.str()},
      {keys::reply(intent.bytes()), Family::reply, request.str()},
      {keys::answered(user, intent.bytes()), Family::answered, user.str(), request.str()},
      {keys::audit(n), Family::audit, "", "", "", n},
      {keys::audit_head(), Family::audit_head},
      {keys::incidents(), Family::incidents},
      {keys::incident(), Family::incident},
      {keys::lost(user), Family::lost, user.str()},
      {keys::audit_of(user, n), Family::audit_of, user.str(), "", "", n},
  };
}

}  // namespace

TEST_CASE("Keys: what is encoded is what is decoded") {
  SeededRandom random(1);
  for (int round = 0; round < 50; ++round) {
    for (const Case& c : one_of_each(random)) {
      INFO("family " << static_cast<int>(c.family));
      const auto decoded = keys::decode(c.key);
      REQUIRE(decoded);
      CHECK(decoded->family == c.family);
      CHECK(decoded->first == c.first);
      CHECK(decoded->second == c.second);
      CHECK(decoded->third == c.third);
      CHECK(decoded->number == c.number);
    }
  }
}

TEST_CASE("Keys: a key cut short, or with a byte too many where its length is fixed, is refused") {
  SeededRandom random(2);
  for (const Case& c : one_of_each(random)) {
    INFO("family " << static_cast<int>(c.family));
    const bool free_text = c.family == Family::name || c.family == Family::attempts || c.family == Family::source ||
                           c.family == Family::cursor || c.family == Family::due;
    CHECK(keys::decode(c.key + "x").has_value() == free_text);
    if (!free_text) CHECK_FALSE(keys::decode(std::string_view(c.key).substr(0, c.key.size() - 1)));
    const bool bare = c.family == Family::applied || c.family == Family::audit_head || c.family == Family::incidents ||
                      c.family == Family::incident;
    if (!bare) CHECK_FALSE(keys::decode(std::string_view(c.key).substr(0, 1)));
  }
}

TEST_CASE("Keys: garbage is decoded to nothing, or to a key that encodes to the same bytes") {
  SeededRandom random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::uint8_t> bytes(random.below(70));
    random.fill(bytes);
    if (!bytes.empty() && random.below(2) == 0) bytes[0] = static_cast<std::uint8_t>(random.below(0x60));
    const std::string_view key(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto decoded = keys::decode(key);
    if (!decoded) continue;
    const std::size_t ids = decoded->first.size() + decoded->second.size() + decoded->third.size();
    const std::size_t number = key.size() - 1 - ids;
    CHECK((number == 0 || number == 2 || number == 8));
  }
}

TEST_CASE("Keys: numbers sort as numbers") {
  const UserId user;
  CHECK(keys::inbox(user, 255) < keys::inbox(user, 256));
  CHECK(keys::inbox(user, 0xffff'ffff) < keys::inbox(user, 0x1'0000'0000));
}

TEST_CASE("Keys: after_prefix is above everything with the prefix and nothing else") {
  CHECK(keys::after_prefix("a") == "b");
  CHECK(keys::after_prefix(std::string("a\xff", 2)) == "b");
  CHECK(keys::after_prefix("\xff\xff").empty());
  CHECK(keys::after_prefix("").empty());
  const std::string prefix = keys::prefix(Family::inbox);
  CHECK(keys::inbox(*UserId::from_bytes(std::string(16, '\xff')), ~0ull) < keys::after_prefix(prefix));
  CHECK(keys::head(UserId(), ConversationId()) >= keys::after_prefix(prefix));
}

TEST_CASE("Keys: a stored key carries its partition in front, and partitions don't overlap") {
  const std::string key = keys::stored(PartitionId(258), "abc");
  CHECK(key == std::string("\x01\x02"
                           "abc"));
  const auto split = keys::split(key);
  REQUIRE(split);
  CHECK(split->partition == PartitionId(258));
  CHECK(split->key == "abc");
  CHECK_FALSE(keys::split("x"));
  CHECK(keys::stored(PartitionId(1), std::string(40, '\xff')) < keys::stored_until(PartitionId(1), {}));
  CHECK(keys::stored_until(PartitionId(1), {}) == keys::stored(PartitionId(2), {}));
}

TEST_CASE("Keys: rows that grow in order share the prefix that the memtable's hint goes by") {
  SeededRandom random(4);
  const auto user = random.id<UserId>();
  const auto conversation = random.id<ConversationId>();
  const auto request = random.id<RequestId>();
  const PartitionId p(3);
  CHECK(keys::growing_prefix_bytes(keys::stored(p, keys::inbox(user, 7))) == 2 + 1 + 16);
  CHECK(keys::growing_prefix_bytes(keys::stored(p, keys::change(conversation, 7))) == 2 + 1 + 16);
  CHECK(keys::growing_prefix_bytes(keys::stored(p, keys::client_id(conversation, user, request))) == 2 + 1 + 32);
  CHECK(keys::growing_prefix_bytes(keys::stored(p, keys::audit(7))) == 2 + 1);
  CHECK(keys::growing_prefix_bytes(keys::stored(p, keys::audit_of(user, 7))) == 2 + 1 + 16);
  CHECK(keys::growing_prefix_bytes(keys::stored(p, keys::list(user, conversation))) == 0);
  CHECK(keys::growing_prefix_bytes(keys::stored(p, keys::prefix(Family::inbox))) == 0);
  CHECK(keys::growing_prefix_bytes("x") == 0);
}

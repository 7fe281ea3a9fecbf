#include "storage/state_batch.h"

#include <catch2/catch.hpp>

#include "base/random.h"
#include "storage/memory_database.h"
#include "storage/state_store.h"
#include "tests/storage/entries.h"

using namespace holdfast;

namespace {

constexpr PartitionId kPartition(3);

std::optional<std::string> get(const Database& state, std::string_view key, PartitionId partition = kPartition) {
  return state.get(keys::stored(partition, key)).value();
}

void write(Database& state, StateBatch& batch) {
  REQUIRE(state.write(batch.finish(), Durability::written));
  batch.clear();
}

}  // namespace

TEST_CASE("StateBatch: a row that is overwritten is written once, with its last value") {
  MemoryDatabase state;
  StateBatch batch;
  const std::string name = keys::name("a");
  std::vector<log::Entry> entries;
  for (std::uint64_t seq = 1; seq <= 10; ++seq) entries.push_back(make_entry(seq, {{name, std::to_string(seq)}}));
  for (const log::Entry& entry : entries) batch.add(kPartition, entry);
  CHECK(batch.writes() == 10);
  CHECK(batch.finish().ops().size() == 2);  // the row and the applied sequence
  write(state, batch);
  CHECK(get(state, name) == "10");
  CHECK(applied_seq(state, kPartition).value() == Seq(10));
}

TEST_CASE("StateBatch: the same key in two partitions is two rows") {
  MemoryDatabase state;
  StateBatch batch;
  const log::Entry one = make_entry(1, {{keys::name("a"), "one"}});
  const log::Entry two = make_entry(7, {{keys::name("a"), "two"}});
  batch.add(PartitionId(1), one);
  batch.add(PartitionId(2), two);
  write(state, batch);
  CHECK(get(state, keys::name("a"), PartitionId(1)) == "one");
  CHECK(get(state, keys::name("a"), PartitionId(2)) == "two");
  CHECK(applied_seq(state, PartitionId(2)).value() == Seq(7));
}

TEST_CASE("StateBatch: a removed range removes what came before it, coalesced or not, and nothing after") {
  MemoryDatabase state;
  StateBatch batch;
  const UserId user;
  log::Entry entry = make_entry(1, {{keys::list(user, ConversationId()), "before"}, {keys::inbox(user, 1), "before"}});
  add_remove_range(entry, keys::prefix(keys::Family::inbox), keys::after_prefix(keys::prefix(keys::Family::list)));
  log::Write& again = *entry.add_writes();
  again.set_key(keys::inbox(user, 2));
  again.set_put("after");
  batch.add(kPartition, entry);
  write(state, batch);
  CHECK_FALSE(get(state, keys::list(user, ConversationId())));
  CHECK_FALSE(get(state, keys::inbox(user, 1)));
  CHECK(get(state, keys::inbox(user, 2)) == "after");
}

TEST_CASE("StateBatch: trimming an inbox does not end coalescing") {
  StateBatch batch;
  const UserId user;
  std::vector<log::Entry> entries;
  for (std::uint64_t seq = 1; seq <= 10; ++seq) {
    entries.push_back(make_entry(seq, {{keys::mailbox(user), std::to_string(seq)}}));
    add_remove_range(entries.back(), keys::inbox(user, seq), keys::inbox(user, seq + 1));
  }
  for (const log::Entry& entry : entries) batch.add(kPartition, entry);
  CHECK(batch.finish().ops().size() == 10 + 1 + 1);
}

TEST_CASE("StateBatch: an open end of a range is the end of the partition") {
  MemoryDatabase state;
  StateBatch batch;
  const log::Entry other = make_entry(1, {{keys::cursor("x"), "v"}});
  log::Entry entry = make_entry(1, {{keys::cursor("x"), "v"}});
  add_remove_range(entry, keys::prefix(keys::Family::name), "");
  batch.add(kPartition, entry);
  batch.add(kPartition.next(), other);
  write(state, batch);
  CHECK_FALSE(get(state, keys::cursor("x")));
  CHECK(get(state, keys::cursor("x"), kPartition.next()));
}

TEST_CASE("StateBatch: coalesced in turns of any size, the state is what one write at a time makes") {
  SeededRandom random(5);
  std::vector<UserId> users;
  for (int i = 0; i < 5; ++i) users.push_back(random.id<UserId>());
  const auto key = [&] {
    const UserId& user = users[random.below(users.size())];
    switch (random.below(4)) {
      case 0: return keys::inbox(user, random.below(20));
      case 1: return keys::mailbox(user);
      case 2: return keys::change(ConversationId(), random.below(20));
      default: return keys::list(user, ConversationId());
    }
  };
  MemoryDatabase one_by_one;
  MemoryDatabase in_turns;
  StateBatch single;
  StateBatch turn;
  std::vector<log::Entry> entries;
  for (std::uint64_t seq = 1; seq <= 2'000; ++seq) {
    entries.push_back(make_entry(seq));
    for (std::uint64_t i = random.below(5); i > 0; --i) {
      const std::string at = key();
      switch (random.below(8)) {
        case 0: add_remove(entries.back(), at); break;
        case 1: add_remove_range(entries.back(), std::min(at, key()), std::max(at, key())); break;
        default: {
          log::Write& put = *entries.back().add_writes();
          put.set_key(at);
          put.set_put(std::to_string(seq) + "/" + std::to_string(i));
        }
      }
    }
  }
  for (const log::Entry& entry : entries) {
    single.add(kPartition, entry);
    write(one_by_one, single);
    turn.add(kPartition, entry);
    if (random.below(30) == 0) write(in_turns, turn);
  }
  write(in_turns, turn);
  const auto a = one_by_one.scan({.from = "", .until = "", .limit = 100'000});
  const auto b = in_turns.scan({.from = "", .until = "", .limit = 100'000});
  REQUIRE(a->size() == b->size());
  for (std::size_t i = 0; i < a->size(); ++i) {
    CHECK((*a)[i].key == (*b)[i].key);
    CHECK((*a)[i].value == (*b)[i].value);
  }
}

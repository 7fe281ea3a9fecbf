#include <catch2/catch.hpp>

#include "storage/memory_database.h"
#include "storage/state_batch.h"
#include "storage/state_store.h"
#include "tests/storage/entries.h"

using namespace holdfast;

namespace {

constexpr PartitionId kPartition(2);

struct Fixture {
  MemoryDatabase log_database;
  MemoryDatabase state;
  LogStore log{log_database};
  LogWriter writer{log_database, kPartition};
};

std::vector<std::pair<std::string, std::string>> all(const Database& database) {
  std::vector<std::pair<std::string, std::string>> rows;
  const auto found = database.scan({.from = "", .until = "", .limit = 1'000'000, .bytes_max = 1u << 30});
  for (const Row& row : found.value()) rows.emplace_back(row.key, row.value);
  return rows;
}

}  // namespace

TEST_CASE("replay: brings an empty state up to the end of the log, and then has nothing to do") {
  Fixture f;
  f.writer.append_many(1, 500);
  CHECK(replay(f.log, f.state, kPartition).value() == 500);
  CHECK(f.state.get(keys::stored(kPartition, keys::name("n77"))).value() == "v77");
  CHECK(replay(f.log, f.state, kPartition).value() == 0);
}

TEST_CASE("replay: whatever prefix of the state's writes a crash leaves, the state comes out the same") {
  std::vector<std::pair<std::string, std::string>> expected;
  for (std::size_t survivors = 0; survivors <= 20; ++survivors) {
    Fixture f;
    StateBatch batch;
    for (std::uint64_t seq = 1; seq <= 20; ++seq) {
      log::Entry entry =
          make_entry(seq, {{keys::name("same"), std::to_string(seq)}, {keys::inbox(UserId(), seq), "v"}});
      if (seq % 7 == 0) add_remove_range(entry, keys::inbox(UserId(), 0), keys::inbox(UserId(), seq - 3));
      f.writer.append(entry);
      batch.add(kPartition, entry);
      REQUIRE(f.state.write(batch.finish(), Durability::written));
      batch.clear();
    }
    if (expected.empty()) expected = all(f.state);
    f.log_database.crash();
    f.state.crash(survivors);
    CHECK(replay(f.log, f.state, kPartition).value() == 20 - survivors);
    CHECK(all(f.state) == expected);
  }
}

TEST_CASE("replay: a log that begins after what the state has is refused, with both numbers") {
  Fixture f;
  f.writer.append_many(1, 20);
  REQUIRE(f.log.trim(kPartition, Seq(11)));
  const auto replayed = replay(f.log, f.state, kPartition);
  REQUIRE_FALSE(replayed);
  CHECK(replayed.error().code == Errc::corrupt);
  CHECK(replayed.error().message == "partition 2: the log begins at entry 11, but the state has only what is up to 0");
}

TEST_CASE("replay: a log that ends before what the state has is refused, with both numbers") {
  Fixture f;
  f.writer.append_many(1, 20);
  REQUIRE(replay(f.log, f.state, kPartition));
  Batch batch;
  const std::string key = encode_entry(kPartition, make_entry(20), {}).key;
  batch.remove(key);
  REQUIRE(f.log_database.write(batch, Durability::synced));
  const auto replayed = replay(f.log, f.state, kPartition);
  REQUIRE_FALSE(replayed);
  CHECK(replayed.error().message == "partition 2: the log ends at entry 19, but the state has what is up to 20");
}

TEST_CASE("replay: a damaged entry is refused, and what was before it is not half applied") {
  Fixture f;
  f.writer.append_many(1, 20);
  const std::string key = encode_entry(kPartition, make_entry(12), {}).key;
  std::string value = f.log_database.get(key).value().value();
  value.back() = static_cast<char>(value.back() ^ 1);
  Batch batch;
  batch.put(key, value);
  REQUIRE(f.log_database.write(batch, Durability::synced));
  CHECK(replay(f.log, f.state, kPartition).error().code == Errc::corrupt);
  CHECK(applied_seq(f.state, kPartition).value() == Seq(0));
}

TEST_CASE("replay: works from a trimmed log when the state has what was trimmed") {
  Fixture f;
  f.writer.append_many(1, 10);
  REQUIRE(replay(f.log, f.state, kPartition));
  REQUIRE(f.state.flush());
  REQUIRE(f.log.trim(kPartition, Seq(8)));
  f.writer.append_many(11, 15);
  f.state.crash();
  CHECK(replay(f.log, f.state, kPartition).value() == 5);
}

#include "storage/log_write.h"

#include <catch2/catch.hpp>

#include "storage/memory_database.h"
#include "tests/storage/entries.h"

using namespace holdfast;

namespace {

constexpr PartitionId kPartition(5);
constexpr std::size_t kMuch = 1u << 20;

struct Fixture {
  MemoryDatabase database;
  LogStore log{database};
  LogWriter writer{database, kPartition};

  std::string key(std::uint64_t seq) { return encode_entry(kPartition, make_entry(seq), {}).key; }
  void overwrite(const std::string& key, const std::string& value) {
    Batch batch;
    batch.put(key, value);
    REQUIRE(database.write(batch, Durability::synced));
  }
  void remove(const std::string& key) {
    Batch batch;
    batch.remove(key);
    REQUIRE(database.write(batch, Durability::synced));
  }
};

}  // namespace

TEST_CASE("LogStore: entries are read back in order, with their chain") {
  Fixture f;
  f.writer.append_many(1, 10);
  const auto read = f.log.read(kPartition, Seq(4), kMuch);
  REQUIRE(read);
  REQUIRE(read->size() == 7);
  CHECK(read->front().entry.seq() == 4);
  CHECK(read->back().entry.writes(0).put() == "v10");
  CHECK(f.log.chain_at(kPartition, Seq(10)).value() == read->back().chain);
  CHECK(f.log.read(kPartition, Seq(11), kMuch).value().empty());
  CHECK(f.log.read(PartitionId(6), Seq(1), kMuch).value().empty());
}

TEST_CASE("LogStore: a small bound still gives one entry") {
  Fixture f;
  f.writer.append_many(1, 3);
  CHECK(f.log.read(kPartition, Seq(1), 1).value().size() == 1);
}

TEST_CASE("LogStore: any flipped byte is found, and the entry named") {
  Fixture f;
  f.writer.append_many(1, 5);
  const std::string key = f.key(3);
  const std::string good = f.database.get(key).value().value();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    f.overwrite(key, bad);
    const auto read = f.log.read(kPartition, Seq(1), kMuch);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Errc::corrupt);
    CHECK(read.error().message.find("partition 5") != std::string::npos);
    CHECK(read.error().message.find("entry 3") != std::string::npos);
  }
}

TEST_CASE("LogStore: a missing entry is found, in between and before the first") {
  Fixture f;
  f.writer.append_many(1, 5);
  f.remove(f.key(3));
  CHECK(f.log.read(kPartition, Seq(1), kMuch).error().code == Errc::corrupt);
  CHECK(f.log.read(kPartition, Seq(4), kMuch).error().code == Errc::corrupt);
  CHECK(f.log.read(kPartition, Seq(5), kMuch));
}

TEST_CASE("LogStore: an entry put in another's place is found") {
  Fixture f;
  f.writer.append_many(1, 5);
  f.overwrite(f.key(2), f.database.get(f.key(3)).value().value());
  CHECK(f.log.read(kPartition, Seq(1), kMuch).error().code == Errc::corrupt);
}

TEST_CASE("LogStore: the last entry and the bounds") {
  Fixture f;
  CHECK_FALSE(f.log.last(kPartition).value());
  CHECK(f.log.bounds(kPartition).value() == std::pair(Seq(1), Seq(0)));
  f.writer.append_many(1, 300);
  CHECK(f.log.last(kPartition).value()->entry.seq() == 300);
  CHECK(f.log.bounds(kPartition).value() == std::pair(Seq(1), Seq(300)));
}

TEST_CASE("LogStore: a trimmed log still checks its chain, and says what is gone") {
  Fixture f;
  f.writer.append_many(1, 10);
  REQUIRE(f.log.trim(kPartition, Seq(6)));
  CHECK(f.log.bounds(kPartition).value() == std::pair(Seq(6), Seq(10)));
  CHECK(f.log.read(kPartition, Seq(5), kMuch).error().code == Errc::not_found);
  CHECK(f.log.read(kPartition, Seq(6), kMuch).value().size() == 5);
  CHECK(f.log.chain_at(kPartition, Seq(5)));
  CHECK(f.log.chain_at(kPartition, Seq(4)).error().code == Errc::not_found);
  REQUIRE(f.log.trim(kPartition, Seq(3)));
  CHECK(f.log.bounds(kPartition).value().first == Seq(6));
}

TEST_CASE("LogStore: the newest entry is never trimmed") {
  Fixture f;
  f.writer.append_many(1, 4);
  REQUIRE(f.log.trim(kPartition, Seq(100)));
  CHECK(f.log.bounds(kPartition).value() == std::pair(Seq(4), Seq(4)));
  f.writer.append_many(5, 6);
  CHECK(f.log.read(kPartition, Seq(4), kMuch).value().size() == 3);
}

TEST_CASE("LogStore: promises and trims do not undo each other") {
  Fixture f;
  f.writer.append_many(1, 10);
  LogWrite write{.partition = kPartition, .ticket = 1, .cut = {}, .entries = {}, .promise = log::PartitionMeta()};
  write.promise->set_promised_epoch(9);
  REQUIRE(f.log.trim(kPartition, Seq(6)));
  LogBatch batch;
  batch.add(write);
  REQUIRE(f.database.write(batch.batch(), Durability::synced));
  CHECK(f.log.meta(kPartition).value().promised_epoch() == 9);
  CHECK(f.log.read(kPartition, Seq(6), kMuch).value().size() == 5);
  REQUIRE(f.log.trim(kPartition, Seq(8)));
  CHECK(f.log.meta(kPartition).value().promised_epoch() == 9);
}

TEST_CASE("LogStore: a trim that a crash forgot leaves the log whole") {
  Fixture f;
  f.writer.append_many(1, 10);
  REQUIRE(f.log.trim(kPartition, Seq(6)));
  f.database.crash();
  CHECK(f.log.read(kPartition, Seq(1), kMuch).value().size() == 10);
}

TEST_CASE("LogStore: configuration rows are durable and found by prefix") {
  Fixture f;
  REQUIRE(f.log.write_config({{"part/1", "a"}, {"part/2", "b"}, {"peer/1", "c"}}));
  f.database.crash();
  CHECK(f.log.config("part/2").value() == "b");
  CHECK_FALSE(f.log.config("part/3").value());
  CHECK(f.log.config_with_prefix("part/").value() ==
        std::map<std::string, std::string>{{"part/1", "a"}, {"part/2", "b"}});
  CHECK(f.log.config_with_prefix("").value().size() == 3);
}

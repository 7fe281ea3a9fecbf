#include "storage/durable_floor.h"

#include <catch2/catch.hpp>

#include <fstream>

#include "storage/memory_database.h"
#include "storage/rocksdb_database.h"
#include "tests/storage/entries.h"
#include "tests/storage/temp_directory.h"

using namespace holdfast;

namespace {

struct Fixture {
  TempDirectory temp;
  std::filesystem::path path = temp / "log.floor";

  Result<std::unique_ptr<DurableFloor>> open() const { return DurableFloor::open(path, {.own_thread = false}); }
  void damage(std::size_t offset, char with = 'X') const {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(with);
  }
};

}  // namespace

TEST_CASE("DurableFloor: what was noted and written is there at the next start") {
  Fixture f;
  {
    const auto floor = f.open();
    REQUIRE(floor);
    CHECK((*floor)->at_start().empty());
    (*floor)->note(PartitionId(3), Seq(7));
    (*floor)->note(PartitionId(3), Seq(5));
    (*floor)->note(PartitionId(900), Seq(1));
    REQUIRE((*floor)->write_if_changed());
  }
  const auto floor = f.open();
  REQUIRE(floor);
  CHECK((*floor)->at_start() == DurableFloor::Seqs{{PartitionId(3), Seq(7)}, {PartitionId(900), Seq(1)}});
}

TEST_CASE("DurableFloor: a write that was cut off leaves the one before it; both damaged is refused") {
  Fixture f;
  for (const std::uint64_t seq : {1, 2, 3}) {
    const auto floor = f.open();
    REQUIRE(floor);
    (*floor)->note(PartitionId(0), Seq(seq));
    REQUIRE((*floor)->write_if_changed());
  }
  f.damage(DurableFloor::kSlotBytes + 25);  // the third write went to the second slot
  CHECK(f.open().value()->at_start().at(PartitionId(0)) == Seq(2));
  f.damage(25);
  CHECK(f.open().error().code == Errc::corrupt);
}

TEST_CASE("DurableFloor: a log that ends below it is refused, with the partition and both numbers") {
  Fixture f;
  MemoryDatabase database;
  LogStore log(database);
  LogWriter writer(database, PartitionId(4));
  writer.append_many(1, 10);
  {
    const auto floor = f.open();
    (*floor)->note(PartitionId(4), Seq(10));
  }
  CHECK(f.open().value()->check(log));
  {
    const auto floor = f.open();
    (*floor)->note(PartitionId(4), Seq(11));
  }
  const auto checked = f.open().value()->check(log);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code == Errc::corrupt);
  CHECK(checked.error().message.starts_with("the log of partition 4 ends at entry 10, but entry 11 was acknowledged"));
}

TEST_CASE("DurableFloor: finds the acknowledged record that RocksDB takes for a torn one") {
  Fixture f;
  RocksOptions options;
  options.path = f.temp / "log";
  options.profile = RocksProfile::log;
  const PartitionId partition(4);
  std::filesystem::path wal;
  std::uintmax_t before_last = 0;
  {
    const auto db = open_rocksdb(options);
    REQUIRE(db);
    LogWriter writer(**db, partition);
    writer.append_many(1, 9);
    for (const auto& file : std::filesystem::directory_iterator(options.path))
      if (file.path().extension() == ".log") wal = file.path();
    before_last = std::filesystem::file_size(wal);
    writer.append_many(10, 10);
    const auto floor = f.open();
    (*floor)->note(partition, Seq(10));
  }
  {
    std::fstream file(wal, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(before_last + 5));  // the length's high byte: now it ends behind the file
    file.put('\x7f');
  }
  const auto db = open_rocksdb(options);
  REQUIRE(db);  // this is why the floor is needed
  LogStore log(**db);
  CHECK(log.bounds(partition).value().second == Seq(9));
  CHECK(f.open().value()->check(log).error().code == Errc::corrupt);
}

TEST_CASE("DurableFloor: its own thread writes without being asked, the last time when it goes") {
  Fixture f;
  {
    const auto floor = DurableFloor::open(f.path, {.interval = std::chrono::milliseconds(1)});
    REQUIRE(floor);
    for (std::uint64_t seq = 1; seq <= 1'000; ++seq) (*floor)->note(PartitionId(1), Seq(seq));
  }
  CHECK(f.open().value()->at_start().at(PartitionId(1)) == Seq(1'000));
}

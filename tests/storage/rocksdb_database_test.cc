// What only the RocksDB behind the disk seam promises.
#include "storage/rocksdb_database.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>

#include "base/random.h"
#include "storage/big_endian.h"
#include "storage/keys.h"
#include "tests/storage/temp_directory.h"

using namespace holdfast;

namespace {

struct LogFixture {
  TempDirectory directory;
  std::filesystem::path path = directory / "log";

  Result<std::unique_ptr<RocksDatabase>> open() {
    RocksOptions options;
    options.path = path;
    options.profile = RocksProfile::log;
    return open_rocksdb_with_figures(options);
  }
  /// `n` synced records, then the database is gone as after a kill: all of it in the write-ahead log.
  void write_records(int n) {
    const auto db = open();
    REQUIRE(db);
    for (int i = 0; i < n; ++i) {
      const std::string key = record(i);
      const std::string value(200, 'v');
      Batch batch;
      batch.put(key, value);
      REQUIRE((*db)->write(batch, Durability::synced));
    }
  }
  static std::string record(int i) { return "record" + std::to_string(1'000 + i); }

  std::filesystem::path wal() const {
    std::filesystem::path found;
    for (const auto& file : std::filesystem::directory_iterator(path))
      if (file.path().extension() == ".log" && std::filesystem::file_size(file) > 0) found = file.path();
    REQUIRE_FALSE(found.empty());
    return found;
  }
  std::uintmax_t wal_bytes() const { return std::filesystem::file_size(wal()); }
  void flip(std::uintmax_t offset) const {
    std::fstream file(wal(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }
};

constexpr std::uintmax_t kRecordBytes =
    7 + 12 + 1 + 1 + 10 + 2 + 200;  // header, batch header, type, lengths, key, value

}  // namespace

TEST_CASE("RocksDB log: a torn record at the end is dropped, and everything before it is there") {
  for (const std::uintmax_t cut : {std::uintmax_t{1}, std::uintmax_t{100}, kRecordBytes - 3}) {
    LogFixture f;
    f.write_records(20);
    REQUIRE(f.wal_bytes() == 20 * kRecordBytes);
    std::filesystem::resize_file(f.wal(), f.wal_bytes() - cut);
    const auto db = f.open();
    REQUIRE(db);
    CHECK((*db)->get(LogFixture::record(18)).value());
    CHECK_FALSE((*db)->get(LogFixture::record(19)).value());
  }
}

TEST_CASE("RocksDB log: space that was allocated and never written, behind the last record, is accepted") {
  LogFixture f;
  f.write_records(20);
  std::filesystem::resize_file(f.wal(), f.wal_bytes() + 10'000);
  const auto db = f.open();
  REQUIRE(db);
  CHECK((*db)->get(LogFixture::record(19)).value());
}

TEST_CASE("RocksDB log: a flipped byte in a record stops the start with an error that names the database") {
  const std::uintmax_t offset =
      GENERATE(values<std::uintmax_t>({0, 6, 8, 25, 100}));  // checksum, type, batch, key, value
  const std::uintmax_t which = GENERATE(values<std::uintmax_t>({0, 10, 19}));
  LogFixture f;
  f.write_records(20);
  f.flip(which * kRecordBytes + offset);
  const auto db = f.open();
  REQUIRE_FALSE(db);
  CHECK(db.error().code == Errc::corrupt);
  CHECK(db.error().message.find(f.path.string()) != std::string::npos);
  CHECK(db.error().message.find("damaged") != std::string::npos);
}

TEST_CASE("RocksDB: a database that another process has open is in use") {
  LogFixture f;
  const auto held = f.open();
  REQUIRE(held);
  const auto again = f.open();
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::in_use);
}

// Run by the test below in a process of its own: RocksDB's threads don't survive a fork().
TEST_CASE("RocksDB: writes and is killed", "[.child]") {
  LogFixture f;
  f.path = std::getenv("HOLDFAST_TEST_PATH");
  const auto db = f.open();
  REQUIRE(db);
  for (int i = 0; i < 50; ++i) {
    const std::string key = LogFixture::record(i);
    Batch batch;
    batch.put(key, "v");
    REQUIRE((*db)->write(batch, Durability::synced));
  }
  ::raise(SIGKILL);
}

TEST_CASE("RocksDB: a database whose process was killed opens again with all that was synced") {
  LogFixture f;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setenv("HOLDFAST_TEST_PATH", f.path.c_str(), 1);
    ::execl("/proc/self/exe", "storage_test", "RocksDB: writes and is killed", nullptr);
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  const auto db = f.open();
  REQUIRE(db);
  for (int i = 0; i < 50; ++i) CHECK((*db)->get(LogFixture::record(i)).value());
}

TEST_CASE("RocksDB: removed ranges and rows the memtable has hints for agree with a map") {
  const auto profile = GENERATE(RocksProfile::log, RocksProfile::state);
  TempDirectory directory;
  RocksOptions options;
  options.path = directory / "db";
  options.profile = profile;
  const auto opened = open_rocksdb(options);
  REQUIRE(opened);
  Database& db = **opened;
  SeededRandom random(21);
  const auto key = [&](std::uint64_t n) {
    std::string tail = "e";
    append_u64(tail, n);
    return keys::stored(PartitionId(static_cast<std::uint16_t>(random.below(2))),
                        profile == RocksProfile::log ? tail : keys::inbox(UserId(), n));
  };
  std::map<std::string, std::string> model;
  for (int round = 0; round < 2'000; ++round) {
    const std::string at = key(random.below(100));
    const std::string until = key(random.below(100));
    const std::string value = std::to_string(round);
    Batch batch;
    if (random.below(4) == 0) {
      batch.remove_range(at, until);
      if (at < until) model.erase(model.lower_bound(at), model.lower_bound(until));
    } else {
      batch.put(at, value);
      model[at] = value;
    }
    REQUIRE(db.write(batch, Durability::written));
  }
  const auto rows = db.scan({.from = "", .until = ""});
  REQUIRE(rows);
  std::map<std::string, std::string> found;
  for (const Row& row : *rows) found[row.key] = row.value;
  CHECK(found == model);
}

TEST_CASE("RocksDB: figures count what was written") {
  LogFixture f;
  const auto db = f.open();
  REQUIRE(db);
  const std::string value(10'000, 'v');
  Batch batch;
  batch.put("a", value);
  REQUIRE((*db)->write(batch, Durability::synced));
  const DatabaseFigures figures = (*db)->figures();
  CHECK(figures.wal_bytes >= value.size());
  CHECK(figures.wal_bytes < value.size() + 1'000);
  CHECK(figures.wal_syncs == 1);
  CHECK(figures.memtable_bytes > value.size());
}

TEST_CASE("RocksDB state: rows that only the disk has are not waited for") {
  TempDirectory directory;
  RocksOptions options;
  options.path = directory / "state";
  {
    const auto db = open_rocksdb(options);
    REQUIRE(db);
    Batch batch;
    batch.put("a", "1");
    REQUIRE((*db)->write(batch, Durability::written));
    REQUIRE((*db)->flush());
  }
  const auto db = open_rocksdb(options);
  REQUIRE(db);
  CHECK((*db)->get_in_memory("a").error().code == Errc::retry_later);
  CHECK((*db)->get("a").value() == "1");
  CHECK((*db)->get_in_memory("a").value() == "1");
}

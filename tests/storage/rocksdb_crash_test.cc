// The real RocksDB on a disk that forgets what was not synced, the power gone at any change of any file.
#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "storage/rocksdb_database.h"
#include "tests/storage/forgetful_file_system.h"
#include "tests/storage/temp_directory.h"

using namespace holdfast;

namespace {

constexpr int kBatches = 60;

std::string left(int i) { return keys::stored(PartitionId(1), keys::inbox(UserId(), static_cast<std::uint64_t>(i))); }
std::string right(int i) { return keys::stored(PartitionId(1), keys::name("n" + std::to_string(i))); }

/// One database that is written until the power goes, and again after it came back.
struct Run {
  explicit Run(RocksProfile profile) {
    options.path = directory / "db";
    options.profile = profile;
    options.write_buffer_bytes = 64u << 10;               // so that it also flushes by itself
    options.on_sync_failure = [](const std::string&) {};  // the test lives on: it is the power that is gone
    options.file_system = files;
  }

  /// Numbered batches of two rows each, some synced (or flushed), until one fails. Returns the last that is durable for
  /// sure, 0: none.
  int write_until_death(Random& random) {
    const auto db = open_rocksdb(options);
    if (!db) return 0;
    int durable = 0;
    const std::string value(3'000, 'v');
    for (int i = 1; i <= kBatches; ++i) {
      const std::string a = left(i);
      const std::string b = right(i);
      Batch batch;
      batch.put(a, value);
      batch.put(b, value);
      const bool sync = random.below(3) == 0;
      const bool log = options.profile == RocksProfile::log;
      if (!(*db)->write(batch, sync && log ? Durability::synced : Durability::written)) return durable;
      if (sync && !log && !(*db)->flush()) return durable;
      if (sync) durable = i;
    }
    return durable;
  }

  /// The last batch that is there; every one up to it is there too, whole.
  int survivors() const {
    const auto db = open_rocksdb(options);
    INFO((db ? "" : db.error().message));
    REQUIRE(db);
    int last = 0;
    for (int i = 1; i <= kBatches; ++i) {
      const bool there = (*db)->get(left(i)).value().has_value();
      REQUIRE(there == (*db)->get(right(i)).value().has_value());
      if (there) {
        REQUIRE(last == i - 1);
        last = i;
      }
    }
    return last;
  }

  TempDirectory directory;
  std::shared_ptr<ForgetfulFileSystem> files = std::make_shared<ForgetfulFileSystem>();
  RocksOptions options;
};

void crash_everywhere(RocksProfile profile, std::uint64_t seed) {
  SeededRandom random(seed);
  bool died = true;
  for (std::uint64_t n = 1; died; n += 1 + random.below(60)) {
    INFO("the power goes at change " << n);
    Run run(profile);
    run.files->die_at(n);
    const int durable = run.write_until_death(random);
    died = run.files->dead();
    run.files->crash(random);
    REQUIRE(run.survivors() >= durable);
  }
}

}  // namespace

TEST_CASE("RocksDB log: whenever the power goes, every synced batch is there, and what is there is a prefix") {
  crash_everywhere(RocksProfile::log, 31);
}

TEST_CASE("RocksDB state: whenever the power goes, every flushed batch is there, and what is there is a prefix") {
  crash_everywhere(RocksProfile::state, 32);
}

TEST_CASE("ForgetfulFileSystem: what was only written is indeed lost") {
  Run run(RocksProfile::state);
  {
    const auto db = open_rocksdb(run.options);
    REQUIRE(db);
    Batch batch;
    batch.put("a", "1");
    REQUIRE((*db)->write(batch, Durability::written));
    run.files->die();
  }
  SeededRandom random(1);
  run.files->crash(random);
  const auto db = open_rocksdb(run.options);
  REQUIRE(db);
  CHECK_FALSE((*db)->get("a").value());
}

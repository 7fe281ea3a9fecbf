// What storage/database.h promises, of every implementation.
#include <catch2/catch.hpp>

#include <filesystem>
#include <map>

#include "base/random.h"
#include "storage/memory_database.h"
#include "storage/rocksdb_database.h"
#include "tests/storage/temp_directory.h"

using namespace holdfast;

namespace {

struct Memory {
  MemoryDatabase database;
};

std::unique_ptr<Database> open_fresh(const std::filesystem::path& path, RocksProfile profile) {
  RocksOptions options;
  options.path = path;
  options.profile = profile;
  auto opened = open_rocksdb(options);
  HF_CHECK(opened, "a fresh database opens");
  return std::move(*opened);
}

template <RocksProfile kProfile>
struct Rocks {
  TempDirectory directory;
  std::unique_ptr<Database> owned = open_fresh(directory / "db", kProfile);
  Database& database = *owned;
};
using RocksLog = Rocks<RocksProfile::log>;
using RocksState = Rocks<RocksProfile::state>;

void put(Database& database, const std::vector<std::pair<std::string, std::string>>& rows) {
  Batch batch;
  for (const auto& [key, value] : rows) batch.put(key, value);
  REQUIRE(database.write(batch, Durability::written));
}

std::vector<std::string> keys_in(const Database& database, const Range& range) {
  const auto rows = database.scan(range);
  REQUIRE(rows);
  std::vector<std::string> found;
  for (const Row& row : *rows) found.push_back(row.key);
  return found;
}

using Keys = std::vector<std::string>;

}  // namespace

TEMPLATE_TEST_CASE("Database: what was written is read, what was removed is not", "", Memory, RocksLog, RocksState) {
  TestType fixture;
  Database& db = fixture.database;
  CHECK_FALSE(db.get("a").value());
  put(db, {{"a", "1"}, {"b", std::string("\0x", 2)}, {"c", ""}});
  CHECK(db.get("a").value() == "1");
  CHECK(db.get("b").value() == std::string("\0x", 2));
  CHECK(db.get("c").value() == "");
  CHECK(db.get_in_memory("a").value() == "1");

  Batch batch;
  batch.remove("a");
  batch.remove("never there");
  batch.put("b", "2");
  REQUIRE(db.write(batch, Durability::written));
  CHECK_FALSE(db.get("a").value());
  CHECK(db.get("b").value() == "2");
}

TEMPLATE_TEST_CASE("Database: the operations of a batch take effect in order", "", Memory, RocksLog, RocksState) {
  TestType fixture;
  Database& db = fixture.database;
  put(db, {{"k1", "old"}, {"k2", "old"}, {"k3", "old"}, {"k4", "old"}});
  Batch batch;
  batch.put("k1", "before");
  batch.remove_range("k1", "k4");
  batch.put("k2", "after");
  REQUIRE(db.write(batch, Durability::written));
  CHECK(keys_in(db, {.from = "", .until = ""}) == Keys{"k2", "k4"});
  CHECK(db.get("k2").value() == "after");
  Batch backwards;
  backwards.remove_range("z", "a");
  REQUIRE(db.write(backwards, Durability::written));
  CHECK(keys_in(db, {.from = "", .until = ""}) == Keys{"k2", "k4"});
}

TEMPLATE_TEST_CASE("Database: a scan keeps to its bounds, limits and direction", "", Memory, RocksLog, RocksState) {
  TestType fixture;
  Database& db = fixture.database;
  put(db, {{"a", "1"}, {"b", "22"}, {"c", "333"}, {"d", "4444"}, {"\xff", "5"}});
  CHECK(keys_in(db, {.from = "b", .until = "d"}) == Keys{"b", "c"});
  CHECK(keys_in(db, {.from = "b", .until = ""}) == Keys{"b", "c", "d", "\xff"});
  CHECK(keys_in(db, {.from = "a", .until = "d", .backward = true}) == Keys{"c", "b", "a"});
  CHECK(keys_in(db, {.from = "", .until = "", .limit = 2}) == Keys{"a", "b"});
  CHECK(keys_in(db, {.from = "", .until = "", .limit = 2, .backward = true}) == Keys{"\xff", "d"});
  CHECK(keys_in(db, {.from = "", .until = "", .bytes_max = 3}) == Keys{"a", "b"});
  CHECK(keys_in(db, {.from = "", .until = "", .bytes_max = 0}) == Keys{"a"});
  CHECK(keys_in(db, {.from = "d", .until = "b"}).empty());
  CHECK(keys_in(db, {.from = "b", .until = "b"}).empty());
}

TEMPLATE_TEST_CASE("Database: what was flushed is durable and still read", "", Memory, RocksState) {
  TestType fixture;
  Database& db = fixture.database;
  put(db, {{"a", "1"}});
  CHECK_FALSE(db.get_durable("a").value());
  REQUIRE(db.flush());
  CHECK(db.get_durable("a").value() == "1");
  put(db, {{"a", "2"}});
  CHECK(db.get_durable("a").value() == "1");
  CHECK(db.get("a").value() == "2");
}

TEMPLATE_TEST_CASE("Database: a synced write is durable, with everything written before it", "", Memory, RocksLog,
                   RocksState) {
  TestType fixture;
  Database& db = fixture.database;
  put(db, {{"a", "1"}});
  Batch batch;
  batch.put("b", "2");
  REQUIRE(db.write(batch, Durability::synced));
  CHECK(db.get_durable("a").value() == "1");
  CHECK(db.get_durable("b").value() == "2");
  REQUIRE(db.flush());
}

TEMPLATE_TEST_CASE("Database: agrees with a map over any sequence of writes", "", Memory, RocksLog, RocksState) {
  TestType fixture;
  Database& db = fixture.database;
  SeededRandom random(7);
  std::map<std::string, std::string> model;
  const auto key = [&] { return "k" + std::to_string(100 + random.below(60)); };
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> kept;
    kept.reserve(32);
    Batch batch;
    for (std::uint64_t i = random.below(8) + 1; i > 0; --i) {
      const std::string& at = kept.emplace_back(key());
      const std::string& other = kept.emplace_back(random.below(2) == 0 ? key() : std::to_string(random.next()));
      switch (random.below(6)) {
        case 0:
          batch.remove(at);
          model.erase(at);
          break;
        case 1:
          batch.remove_range(at, other);
          if (at < other) model.erase(model.lower_bound(at), model.lower_bound(other));
          break;
        default: batch.put(at, other); model[at] = other;
      }
    }
    REQUIRE(db.write(batch, Durability::written));
    if (random.below(40) == 0) REQUIRE(db.flush());
  }
  const auto rows = db.scan({.from = "", .until = ""});
  REQUIRE(rows);
  std::map<std::string, std::string> found;
  for (const Row& row : *rows) found[row.key] = row.value;
  CHECK(found == model);
}

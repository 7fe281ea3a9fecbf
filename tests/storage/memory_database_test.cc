#include "storage/memory_database.h"

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

Status put(Database& database, std::string_view key, Durability durability) {
  Batch batch;
  batch.put(key, "v");
  return database.write(batch, durability);
}

TEST_CASE("MemoryDatabase: a row of a bad disk can't be read, alone or among others, until it is written anew") {
  MemoryDatabase database;
  Batch batch;
  batch.put("a", "1");
  batch.put("b", "2");
  REQUIRE(database.write(batch, Durability::synced));
  database.make_unreadable("a");
  CHECK_FALSE(database.found_unreadable());
  CHECK(database.get("a").error().code == Errc::corrupt);
  CHECK(database.scan({.from = "a", .until = "c"}).error().code == Errc::corrupt);
  CHECK(database.view()->get("a").error().code == Errc::corrupt);
  CHECK(database.get("b")->value() == "2");
  CHECK(database.found_unreadable());
  REQUIRE(database.write(batch, Durability::synced));
  CHECK(database.get("a")->value() == "1");
}

TEST_CASE("MemoryDatabase: what a bad disk changes silently stays changed after a crash") {
  MemoryDatabase database;
  Batch batch;
  batch.put("a", "1");
  batch.put("b", "2");
  REQUIRE(database.write(batch, Durability::synced));
  database.replace_silently("a", "x");
  database.replace_silently("b", std::nullopt);
  database.crash();
  CHECK(database.get("a")->value() == "x");
  CHECK_FALSE(database.get("b")->has_value());
}

}  // namespace

TEST_CASE("MemoryDatabase: a crash forgets what was not synced, and only that") {
  MemoryDatabase db;
  REQUIRE(put(db, "a", Durability::synced));
  REQUIRE(put(db, "b", Durability::written));
  CHECK(db.forgettable() == 1);
  CHECK(db.get("b").value());
  db.crash();
  CHECK(db.get("a").value());
  CHECK_FALSE(db.get("b").value());
}

TEST_CASE("MemoryDatabase: what a crash leaves of unsynced batches is a prefix of them") {
  MemoryDatabase db;
  REQUIRE(put(db, "a", Durability::written));
  REQUIRE(put(db, "b", Durability::written));
  REQUIRE(put(db, "c", Durability::written));
  db.crash(2);
  CHECK(db.get("b").value());
  CHECK_FALSE(db.get("c").value());
  db.crash();
  CHECK(db.rows() == 2);
}

TEST_CASE("MemoryDatabase: a synced write and a flush make everything before them durable") {
  MemoryDatabase db;
  REQUIRE(put(db, "a", Durability::written));
  REQUIRE(put(db, "b", Durability::synced));
  REQUIRE(put(db, "c", Durability::written));
  REQUIRE(db.flush());
  db.crash();
  CHECK(db.rows() == 3);
}

TEST_CASE("WriteLimit: databases that share it stop together, before the n-th write") {
  const auto limit = std::make_shared<WriteLimit>();
  MemoryDatabase log(limit);
  MemoryDatabase state(limit);
  int told = 0;
  limit->on_reached([&] { ++told; });
  limit->set(3, WriteLimit::When::before);
  CHECK(put(log, "a", Durability::synced));
  CHECK(put(state, "a", Durability::written));
  CHECK_FALSE(limit->reached());
  CHECK_FALSE(put(log, "b", Durability::synced));
  CHECK(limit->reached());
  CHECK_FALSE(put(state, "b", Durability::written));
  CHECK_FALSE(state.flush());
  CHECK(told == 1);
  log.crash();
  state.crash();
  CHECK(log.rows() == 1);
  CHECK(state.rows() == 0);
  CHECK(put(log, "c", Durability::synced));
}

TEST_CASE("WriteLimit: stopped after the n-th write, it is durable though its writer heard of a failure") {
  MemoryDatabase db;
  db.limit().set(1, WriteLimit::When::after);
  CHECK_FALSE(put(db, "a", Durability::synced));
  CHECK_FALSE(put(db, "b", Durability::synced));
  db.crash();
  CHECK(db.get("a").value());
  CHECK_FALSE(db.get("b").value());
}

TEST_CASE("MemoryDatabase: reads that would wait for the disk can be simulated") {
  MemoryDatabase db;
  REQUIRE(put(db, "a", Durability::synced));
  db.set_cold(true);
  CHECK(db.get_in_memory("a").error().code == Errc::retry_later);
  CHECK(db.get("a").value());
}

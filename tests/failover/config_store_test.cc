#include "failover/config_store.h"

#include <catch2/catch.hpp>

#include "storage/memory_database.h"

namespace holdfast::failover {
namespace {

struct Store {
  MemoryDatabase database;
  LogStore log{database};
  EmbeddedConfigStore config{log};
};

TEST_CASE("EmbeddedConfigStore: a row that is not there has revision 0, and each write raises it") {
  Store store;
  CHECK(store.config.get("a")->revision == 0);
  CHECK(*store.config.transact({{"a", 0}}, {{"a", "one"}}));
  CHECK(store.config.get("a")->value == "one");
  CHECK(store.config.get("a")->revision == 1);
  CHECK(*store.config.transact({{"a", 1}}, {{"a", "two"}}));
  CHECK(store.config.get("a")->revision == 2);
}

TEST_CASE("EmbeddedConfigStore: a transaction whose comparison fails writes nothing (F4, I1)") {
  Store store;
  CHECK(*store.config.transact({}, {{"a", "one"}}));
  CHECK_FALSE(*store.config.transact({{"a", 0}, {"b", 0}}, {{"a", "x"}, {"b", "x"}}));
  CHECK_FALSE(*store.config.transact({{"b", 0}, {"a", 2}}, {{"a", "x"}, {"b", "x"}}));
  CHECK(store.config.get("a")->value == "one");
  CHECK(store.config.get("b")->revision == 0);
}

TEST_CASE("EmbeddedConfigStore: what was answered survives a crash, whole") {
  Store store;
  CHECK(*store.config.transact({}, {{"part/1", "a"}, {"part/2", "b"}}));
  store.database.set_write_limit(1);
  CHECK_FALSE(store.config.transact({}, {{"part/1", "c"}, {"part/2", "d"}}));
  store.database.crash();
  EmbeddedConfigStore after(store.log);
  const auto rows = after.list("part/");
  REQUIRE(rows);
  REQUIRE(rows->rows.size() == 2);
  CHECK(rows->rows.at("part/1").value == "a");
  CHECK(rows->rows.at("part/2").value == "b");
}

TEST_CASE("EmbeddedConfigStore: a listing has the rows of its prefix and no others") {
  Store store;
  CHECK(*store.config.transact({}, {{"part/1", "a"}, {"part/10", "b"}, {"parts", "c"}, {"keys", "d"}}));
  const auto rows = store.config.list("part/");
  REQUIRE(rows);
  CHECK(rows->rows.size() == 2);
}

TEST_CASE("EmbeddedConfigStore: a row that is no row is corrupt, not absent (I13)") {
  Store store;
  REQUIRE(store.log.write_config({{"a", "short"}}));
  const auto row = store.config.get("a");
  REQUIRE_FALSE(row);
  CHECK(row.error().code == Errc::corrupt);
}

}  // namespace
}  // namespace holdfast::failover

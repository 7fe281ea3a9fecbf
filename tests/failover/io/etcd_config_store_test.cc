// Against a real etcd: what every ConfigStore promises.
#include "failover/io/etcd_config_store.h"

#include "tests/failover/io/etcd_world.h"

namespace holdfast::failover {
namespace {

TEST_CASE("EtcdConfigStore: a row that is not there has revision 0, and each write raises it") {
  const auto store = open_store(shared_etcd().address("rows"));
  CHECK(store->get("a")->revision == 0);
  CHECK(*store->transact({{"a", 0}}, {{"a", "one"}}));
  const auto first = store->get("a");
  CHECK(first->value == "one");
  CHECK(first->revision > 0);
  CHECK(*store->transact({{"a", first->revision}}, {{"a", "two"}}));
  CHECK(store->get("a")->value == "two");
  CHECK(store->get("a")->revision > first->revision);
}

TEST_CASE("EtcdConfigStore: a transaction whose comparison fails writes nothing (F4, I1)") {
  const auto store = open_store(shared_etcd().address("refused"));
  CHECK(*store->transact({{"a", 0}}, {{"a", "one"}}));
  const auto revision = store->get("a")->revision;
  CHECK_FALSE(*store->transact({{"a", 0}, {"b", 0}}, {{"a", "x"}, {"b", "x"}}));
  CHECK_FALSE(*store->transact({{"b", 0}, {"a", revision + 1}}, {{"a", "x"}, {"b", "x"}}));
  CHECK_FALSE(*store->transact({{{"b", 1}}, {{"b", "x"}}, {{"c", "x"}}, {"a"}}));
  CHECK(store->get("a")->value == "one");
  CHECK(store->get("b")->revision == 0);
  CHECK(store->get("c")->revision == 0);
}

TEST_CASE("EtcdConfigStore: of two that compare the same row, one wins") {
  const auto one = open_store(shared_etcd().address("race")), other = open_store(shared_etcd().address("race"));
  CHECK(*one->transact({{"coord", 0}}, {{"coord", "one"}}));
  CHECK_FALSE(*other->transact({{"coord", 0}}, {{"coord", "other"}}));
  const auto seen = other->get("coord");
  CHECK(seen->value == "one");
  CHECK(*other->transact({{"coord", seen->revision}}, {{"coord", "other"}}));
  CHECK_FALSE(*one->transact({{"coord", seen->revision}}, {{"coord", "one"}}));
}

TEST_CASE("EtcdConfigStore: a listing has the rows of its prefix and no others, and a revision that never goes back") {
  const auto store = open_store(shared_etcd().address("list"));
  const auto other = open_store(shared_etcd().address("list2"));
  CHECK(*store->transact({}, {{"part/1", "a"}, {"part/10", "b"}, {"parts", "c"}, {"keys", std::string("\0\xff", 2)}}));
  CHECK(*other->transact({}, {{"part/9", "not ours"}}));
  const auto parts = store->list("part/");
  REQUIRE(parts);
  CHECK(parts->rows.size() == 2);
  CHECK(parts->rows.at("part/10").value == "b");
  const auto all = store->list("");
  CHECK(all->rows.size() == 4);
  CHECK(all->rows.at("keys").value == std::string("\0\xff", 2));
  CHECK(all->rows.at("parts").revision == parts->rows.at("part/1").revision);
  CHECK(all->revision >= parts->revision);
  CHECK(parts->revision >= parts->rows.at("part/1").revision);
}

TEST_CASE("EtcdConfigStore: removed rows are gone, and comparing them compares with 0") {
  const auto store = open_store(shared_etcd().address("removes"));
  CHECK(*store->transact({}, {{"a", "1"}, {"b", "1"}}));
  CHECK(*store->transact({{{"a", store->get("a")->revision}}, {}, {}, {"a", "never there"}}));
  CHECK(store->get("a")->revision == 0);
  CHECK(store->get("b")->revision > 0);
  CHECK(*store->transact({{"a", 0}}, {{"a", "2"}}));
}

TEST_CASE("EtcdConfigStore: 128 comparisons and writes go in one transaction, one more is refused unsent") {
  const auto store = open_store(shared_etcd().address("many"));
  Transaction transaction;
  for (unsigned i = 0; i < EtcdConfigStore::kOperationsMax; ++i) {
    const std::string key = "part/" + std::to_string(i);
    transaction.compares.push_back({key, 0});
    transaction.puts.emplace(key, "row");
  }
  CHECK(*store->transact(transaction));
  CHECK(store->list("part/")->rows.size() == 128);
  transaction.compares.clear();
  transaction.removes.push_back("more");
  CHECK(store->transact(transaction).error().code == Errc::invalid_argument);
}

TEST_CASE("EtcdConfigStore: values of nearly 1.5 MiB are kept, larger ones are refused as too large") {
  const auto store = open_store(shared_etcd().address("large"));
  const std::string large(1'500'000, 'x');
  CHECK(*store->transact({}, {{"large", large}}));
  CHECK(store->get("large")->value == large);
  const auto refused = store->transact({}, {{"large", std::string(1'600'000, 'y')}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::too_large);
  CHECK(store->transact({}, {{"large", std::string(5'000'000, 'y')}}).error().code == Errc::too_large);
  CHECK(store->get("large")->value == large);
}

TEST_CASE("EtcdConfigStore: listings larger than gRPC's default bound on a message arrive whole") {
  const auto store = open_store(shared_etcd().address("long"));
  for (const char* key : {"a", "b", "c", "d"}) CHECK(*store->transact({}, {{key, std::string(1'400'000, *key)}}));
  CHECK(store->list("")->rows.size() == 4);
}

TEST_CASE("EtcdConfigStore: a full etcd says so and what to do") {
  testing::EtcdCluster cluster({.quota_bytes = 8 << 20});
  const auto store = open_store(cluster.address());
  Result<bool> written = true;
  for (int i = 0; i < 100 && written; ++i) written = store->transact({}, {{"a", std::string(1'000'000, 'x')}});
  REQUIRE_FALSE(written);
  CHECK(written.error().code == Errc::storage_full);
  CHECK(written.error().message.find("alarm disarm") != std::string::npos);
  CHECK(store->get("a")->revision > 0);  // reads go on
}

}  // namespace
}  // namespace holdfast::failover

// Leased rows and the watch of EtcdConfigStore, against a real etcd.
#include "tests/failover/io/etcd_world.h"

namespace holdfast::failover {
namespace {

bool put_leased(EtcdConfigStore& store, const std::string& key) {
  const auto put = until_reached([&] { return store.transact({{}, {}, {{key, "here"}}, {}}); });
  return put && *put;
}

/// The only lease that stands in a cluster.
std::string lease_in(testing::EtcdCluster& cluster) {
  std::string listed = cluster.etcdctl({"lease", "list"});
  while (!listed.empty() && listed.back() == '\n') listed.pop_back();
  REQUIRE(listed.starts_with("found 1 leases"));
  return listed.substr(listed.rfind('\n') + 1);
}

TEST_CASE("EtcdConfigStore: leased rows go when their process no longer keeps them alive, and not those of others") {
  const std::string address = shared_etcd().address("killed");
  const auto living = open_store(address);
  auto killed = open_store(address, {.revoke_on_close = false});
  CHECK(put_leased(*living, "node/1"));
  CHECK(put_leased(*killed, "node/2"));
  CHECK(*killed->transact({}, {{"part/1", "stays"}}));
  const auto watcher = open_store(address);
  Hints hints;
  watcher->watch("node/", hints.changed());
  killed.reset();
  CHECK(watcher->get("node/2")->revision > 0);
  CHECK(hints.until([&] { return watcher->get("node/2")->revision == 0; }));
  // Its lease is older and no longer: only being kept alive makes the difference.
  CHECK(watcher->get("node/1")->revision > 0);
  CHECK(watcher->get("part/1")->revision > 0);
  watcher->unwatch();
}

TEST_CASE("EtcdConfigStore: leased rows go at once with a store that is closed") {
  const std::string address = shared_etcd().address("left");
  auto leaving = open_store(address, {.lease_ttl = std::chrono::hours(1)});
  CHECK(put_leased(*leaving, "node/1"));
  const auto other = open_store(address);
  CHECK(other->get("node/1")->value == "here");
  leaving.reset();
  CHECK(other->get("node/1")->revision == 0);
}

TEST_CASE("EtcdConfigStore: after its lease was lost, the next leased row hangs on a new one that is kept alive") {
  testing::EtcdCluster cluster;
  auto store = open_store(cluster.address(), {.revoke_on_close = false});
  CHECK(put_leased(*store, "node/1"));
  const std::string first = lease_in(cluster);
  cluster.etcdctl({"lease", "revoke", first});
  CHECK(store->get("node/1")->revision == 0);
  CHECK(put_leased(*store, "node/1"));
  const std::string second = lease_in(cluster);
  CHECK(first != second);

  const auto watcher = open_store(cluster.address());
  Hints hints;
  watcher->watch("", hints.changed());
  auto killed = open_store(cluster.address(), {.revoke_on_close = false});
  CHECK(put_leased(*killed, "node/2"));
  killed.reset();
  CHECK(hints.until([&] { return watcher->get("node/2")->revision == 0; }));
  CHECK(watcher->get("node/1")->revision > 0);
  store.reset();
  CHECK(hints.until([&] { return watcher->get("node/1")->revision == 0; }));
}

TEST_CASE("EtcdConfigStore: a lease outlives a restart of etcd") {
  testing::EtcdCluster cluster;
  const auto store = open_store(cluster.address());
  CHECK(put_leased(*store, "node/1"));
  const std::string lease = lease_in(cluster);
  cluster.kill(0);
  cluster.start(0);
  auto killed = open_store(cluster.address(), {.revoke_on_close = false});
  CHECK(put_leased(*killed, "node/2"));
  const auto watcher = open_store(cluster.address());
  Hints hints;
  watcher->watch("", hints.changed());
  killed.reset();
  CHECK(hints.until([&] { return watcher->get("node/2")->revision == 0; }));
  CHECK(watcher->get("node/1")->revision > 0);
  CHECK(lease_in(cluster) == lease);
}

TEST_CASE("EtcdConfigStore: a watch tells of another's writes under its prefix, and of none after unwatch()") {
  const std::string address = shared_etcd().address("watched");
  const auto store = open_store(address), other = open_store(address);
  Hints hints;
  store->watch("part/", hints.changed());
  REQUIRE(hints.until([&] { return hints.count() == 1; }));  // the beginning
  CHECK(*other->transact({}, {{"elsewhere", "x"}}));
  CHECK(*other->transact({}, {{"part/1", "x"}}));
  CHECK(hints.until([&] { return hints.count() == 2; }));
  CHECK(*other->transact({{}, {}, {}, {"part/1"}}));
  CHECK(hints.until([&] { return hints.count() == 3; }));
  store->unwatch();
  CHECK(*other->transact({}, {{"part/1", "y"}}));
  CHECK(store->get("part/1")->value == "y");
  CHECK(hints.count() == 3);
  Hints again;
  store->watch("", again.changed());
  CHECK(again.until([&] { return again.count() == 1; }));
}

TEST_CASE("EtcdConfigStore: a watch survives a compaction and a restart of etcd, and tells after each new connection") {
  testing::EtcdCluster cluster;
  const auto store = open_store(cluster.address()), other = open_store(cluster.address());
  Hints hints;
  store->watch("", hints.changed());
  REQUIRE(hints.until([&] { return hints.count() == 1; }));
  for (int i = 0; i < 20; ++i) CHECK(*other->transact({}, {{"a", std::to_string(i)}}));
  const auto revision = other->get("a")->revision;
  cluster.etcdctl({"compaction", std::to_string(revision)});
  cluster.kill(0);
  const unsigned before = hints.count();
  cluster.start(0);
  CHECK(hints.until([&] { return hints.count() > before; }));
  CHECK(until_reached([&] { return other->transact({}, {{"a", "after"}}); }));
  CHECK(hints.until([&] { return store->get("a")->value == "after"; }));
}

TEST_CASE("EtcdConfigStore: a watch whose member is frozen goes on at another one") {
  testing::EtcdCluster cluster({.members = 3});
  const unsigned leader = cluster.leader(), follower = (leader + 1) % 3, other = (leader + 2) % 3;
  // The first of the address that is connected is preferred; so the frozen one stands alone until it is watched.
  const auto store = open_store("etcd://" + cluster.endpoint(follower) + "," + cluster.endpoint(other) + "/test");
  Hints hints;
  store->watch("", hints.changed());
  REQUIRE(hints.until([&] { return hints.count() == 1; }));
  const auto writer = open_store("etcd://" + cluster.endpoint(leader) + "/test");
  // Whichever of the two it watches at: each is frozen once.
  for (const unsigned frozen : {follower, other}) {
    const std::string value = "written while " + std::to_string(frozen) + " was frozen";
    const unsigned before = hints.count();
    cluster.pause(frozen);
    CHECK(*until_reached([&] { return writer->transact({}, {{"a", value}}); }));
    CHECK(hints.until([&] { return hints.count() > before && store->get("a")->value == value; }));
    cluster.resume(frozen);
  }
}

}  // namespace
}  // namespace holdfast::failover

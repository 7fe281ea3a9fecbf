/// kill -9 of a node under traffic: nothing is lost, doubled or out of order, and nobody needs a password.
#include <catch2/catch.hpp>

#include "tests/integration/cluster_crowd.h"
#include "tests/integration/raw_client.h"

namespace holdfast {
namespace {

using testing::ClusterProcess;
using testing::Crowd;

constexpr std::size_t kTimes = 60;

std::string store_of(ClusterProcess& cluster, unsigned index) {
  const auto row = cluster.registration_of(index);
  REQUIRE(row);
  return row->store_id();
}

/// In the middle of what everybody says; the node is away while all of it comes through.
void kill_under_traffic(ClusterProcess& cluster, Crowd& crowd, unsigned victim) {
  const std::uint64_t resumed = crowd.resumes();
  const std::size_t there = crowd.at(cluster.node(victim).port());
  crowd.talk(kTimes);
  crowd.until_said(0.3);
  cluster.node(victim).kill_hard();
  crowd.check_all_came();
  cluster.await_moved_from(victim);
  INFO("those who were on the killed node are back");
  CHECK(crowd.at(cluster.node(victim).port()) == 0);
  CHECK(crowd.resumes() >= resumed + there);
}

/// On other nodes, which are started on the same port, clients stay where they are.
void start_again(ClusterProcess& cluster, Crowd& crowd, unsigned victim) {
  crowd.talk(kTimes);
  cluster.node(victim).start();
  cluster.await_in_sync(3);
  crowd.check_all_came();
}

unsigned not_the_coordinator(ClusterProcess& cluster) { return (cluster.coordinator() + 1) % cluster.size(); }

}  // namespace

TEST_CASE("Cluster kill: a killed node costs nothing, and is in sync again once it is back; twice in a row") {
  ClusterProcess cluster;
  Crowd crowd(cluster);
  const unsigned victim = not_the_coordinator(cluster);
  const std::string store = store_of(cluster, victim);
  for (int round = 0; round < 2; ++round) {
    kill_under_traffic(cluster, crowd, victim);
    start_again(cluster, crowd, victim);
    CHECK(store_of(cluster, victim) == store);
  }
}

TEST_CASE("Cluster kill: the coordinator's death is no different") {
  ClusterProcess cluster;
  Crowd crowd(cluster);
  const unsigned victim = cluster.coordinator();
  kill_under_traffic(cluster, crowd, victim);
  CHECK(cluster.coordinator() != victim);
  start_again(cluster, crowd, victim);
}

TEST_CASE("Cluster kill: a node whose disk was wiped comes back as a stranger under its name, and is filled") {
  ClusterProcess cluster;
  Crowd crowd(cluster);
  crowd.talk(kTimes);
  crowd.check_all_came();
  const unsigned victim = not_the_coordinator(cluster);
  const NodeId id = cluster.id_of(victim);
  const std::string store = store_of(cluster, victim);
  cluster.wipe(victim);
  crowd.talk(kTimes);
  cluster.node(victim).start();  // at once: its lease still stands
  cluster.await_in_sync(3);
  crowd.check_all_came();
  CHECK(cluster.id_of(victim) == id);
  CHECK(store_of(cluster, victim) != store);
  for (const auto& [partition, config] : cluster.partitions())
    for (const auto& member : config.in_sync()) CHECK(member.store_id() != store);

  // What it was filled with is all there is: with one of the others dead, it is needed for each partition to serve.
  cluster.node((victim + 1) % 3).kill_hard();
  cluster.await_moved_from((victim + 1) % 3);
  crowd.talk(kTimes);
  crowd.check_all_came();
}

}  // namespace holdfast

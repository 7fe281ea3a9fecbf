/// etcd away disturbs nobody while no node fails: what stands in it stands.
#include <catch2/catch.hpp>

#include "tests/integration/cluster_crowd.h"

namespace holdfast {
namespace {

using testing::ClusterProcess;
using testing::Crowd;

/// Longer than a node's lease lasts.
constexpr std::chrono::seconds kOutage{5};

void chat_for(Crowd& crowd, std::chrono::milliseconds time) {
  for (const SteadyTime end = steady_now() + time; steady_now() < end;) {
    crowd.talk(1);
    crowd.until_said(1);
  }
}

/// Nobody had to reconnect, and no partition changed its primary.
struct Undisturbed {
  explicit Undisturbed(ClusterProcess& c, Crowd& p) : cluster(c), crowd(p), resumes(p.resumes()), rows(epochs()) {}
  std::string epochs() {
    std::string all;
    for (const auto& [id, config] : cluster.partitions())
      all += std::to_string(id) + " in epoch " + std::to_string(config.epoch()) + " at node " +
             std::to_string(config.primary().node()) + "\n";
    return all;
  }
  void check() {
    INFO(cluster.logs());
    CHECK(crowd.resumes() == resumes);
    CHECK(epochs() == rows);
  }
  ClusterProcess& cluster;
  Crowd& crowd;
  std::uint64_t resumes;
  std::string rows;
};

}  // namespace

TEST_CASE("Cluster store: etcd stopped for seconds disturbs no client, and failover works again once it is back") {
  ClusterProcess cluster;
  Crowd crowd(cluster);
  Undisturbed undisturbed(cluster, crowd);
  cluster.etcd().kill(0);
  chat_for(crowd, kOutage);
  cluster.etcd().start(0);
  chat_for(crowd, std::chrono::milliseconds(1'500));  // nor when leases and watches are made anew
  crowd.check_all_came();
  undisturbed.check();

  crowd.talk(30);
  crowd.until_said(0.3);
  cluster.node(0).kill_hard();
  crowd.check_all_came();
  cluster.await_moved_from(0);
}

TEST_CASE("Cluster store: the death of etcd's leader disturbs no client, and nodes fail over meanwhile") {
  ClusterProcess cluster({.etcd_members = 3});
  Crowd crowd(cluster);
  Undisturbed undisturbed(cluster, crowd);
  const unsigned leader = cluster.etcd().leader();
  cluster.etcd().kill(leader);
  chat_for(crowd, std::chrono::milliseconds(3'000));
  crowd.check_all_came();
  undisturbed.check();

  cluster.etcd().start(leader);
  crowd.talk(30);
  crowd.until_said(0.3);
  cluster.etcd().kill(cluster.etcd().leader());
  cluster.node(1).kill_hard();
  crowd.check_all_came();
  cluster.await_moved_from(1);
}

}  // namespace holdfast

// Not run by default: failover_io_test "[.figures]" prints how long etcd takes.
#include <algorithm>
#include <iostream>
#include <vector>

#include "tests/failover/io/etcd_world.h"

namespace holdfast::failover {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

TEST_CASE("figures: compare-and-swap in etcd, and again after the leader was killed", "[.figures]") {
  for (const unsigned members : {1U, 3U}) {
    testing::EtcdCluster cluster({.members = members});
    const auto store = open_store(cluster.address());
    std::vector<double> took;
    auto revision = store->get("a")->revision;
    for (int i = 0; i < 500; ++i) {
      const auto begin = Clock::now();
      REQUIRE(*store->transact({{"a", revision}}, {{"a", std::to_string(i)}}));
      took.push_back(milliseconds_since(begin));
      revision = store->get("a")->revision;
    }
    std::sort(took.begin(), took.end());
    std::cout << members << " members: compare-and-swap p50 " << took[250] << " ms, p99 " << took[495] << " ms\n";
    if (members == 1) continue;
    for (int round = 0; round < 5; ++round) {
      const unsigned leader = cluster.leader();
      cluster.kill(leader);
      const auto begin = Clock::now();
      std::string outcomes;
      while (true) {
        const auto now = store->get("a");
        const auto written = now ? store->transact({{"a", now->revision}}, {{"a", "x"}}) : Result<bool>(now.error());
        if (written) break;
        outcomes += std::string(" ") + name_of(written.error().code);
      }
      std::cout << "leader killed: written again after " << milliseconds_since(begin) << " ms" << outcomes << "\n";
      cluster.start(leader);
    }
  }
}

}  // namespace
}  // namespace holdfast::failover

/// SIGTERM: a node says good-bye, its clients move, its partitions are handed over, and it ends well.
#include <catch2/catch.hpp>

#include "tests/integration/cluster_crowd.h"

namespace holdfast {

using testing::ClusterProcess;
using testing::Crowd;

TEST_CASE("Cluster drain: a node told to stop loses no message, and ends with exit code 0") {
  ClusterProcess cluster;
  Crowd crowd(cluster);
  for (const unsigned victim : {(cluster.coordinator() + 1) % 3, cluster.coordinator()}) {
    crowd.talk(60);
    crowd.until_said(0.3);
    cluster.node(victim).ask_to_stop();
    crowd.check_all_came();
    crowd.stage().until("nobody is left there", [&] { return crowd.at(cluster.node(victim).port()) == 0; });
    const testing::Ended ended = cluster.node(victim).wait_for_end();
    INFO(ended.err);
    CHECK(ended.exit_code == 0);
    cluster.await_moved_from(victim);
    INFO("it is started again, and the next one goes");
    cluster.node(victim).start();
    cluster.await_in_sync(3);
  }
  crowd.talk(10);
  crowd.check_all_came();
}

}  // namespace holdfast

/// holdfastctl against a cluster of real processes: what it shows, changes, compares, and what it says when it can't.
#include <catch2/catch.hpp>

#include "tests/support/cluster_process.h"
#include "tests/support/http_get.h"

using namespace holdfast;
using namespace holdfast::testing;

namespace {

std::string admin_of(ClusterProcess& cluster, unsigned index) {
  return "127.0.0.1:" + std::to_string(cluster.node(index).admin_port());
}

Ended ctl(ClusterProcess& cluster, unsigned asked, std::vector<std::string> arguments) {
  const std::string key = (cluster.node(asked).data() / "operator.key").string();
  std::vector<std::string> command{program("holdfastctl"), "--admin", admin_of(cluster, asked), "--operator-key", key};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_program(command);
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE(
    "holdfastctl: pointed at nothing it says what was tried and what to do, and exits with 1; wrong usage with 2") {
  const auto nobody = run_program({program("holdfastctl"), "--admin", "127.0.0.1:1,127.0.0.1:2", "status"});
  CHECK(nobody.exit_code == 1);
  CHECK(contains(nobody.err, "127.0.0.1:1  "));
  CHECK(contains(nobody.err, "127.0.0.1:2  "));
  CHECK(contains(nobody.err, "--admin takes"));
  CHECK(run_program({program("holdfastctl"), "--admin", "nonsense", "status"}).exit_code == 2);
  CHECK(run_program({program("holdfastctl"), "drain"}).exit_code == 2);
}

TEST_CASE("holdfastctl: shows a cluster, drains and undrains a node, and all copies verify") {
  ClusterProcess cluster;
  const auto key = contents_of(cluster.node(0).data() / "operator.key");
  for (unsigned i = 1; i < cluster.size(); ++i) CHECK(contents_of(cluster.node(i).data() / "operator.key") == key);

  Ended status;
  // On a busy machine a node may be late for a moment, and says so.
  eventually([&] { return contains((status = ctl(cluster, 1, {"status"})).out, "All is well."); });
  INFO(status.out << status.err);
  REQUIRE(status.exit_code == 0);
  CHECK(contains(status.out, "3 nodes, 8 partitions"));
  CHECK(contains(status.out, "All is well."));
  const auto json = ctl(cluster, 1, {"status", "--json"});
  CHECK(contains(json.out, "\"partitions\":[{"));
  CHECK(contains(json.out, "\"lag\":"));
  CHECK(contains(ctl(cluster, 0, {"partition", "3"}).out, "Partition 3, epoch "));

  const auto verified = ctl(cluster, 0, {"verify"});
  INFO(verified.out << verified.err);
  CHECK(verified.exit_code == 0);
  CHECK(contains(verified.out, "8 partitions compared, 24 copies on 3 nodes: no difference."));

  const auto drained = ctl(cluster, 0, {"drain", "n3"});
  INFO(drained.out << drained.err);
  REQUIRE(drained.exit_code == 0);
  CHECK(cluster.led_by(2).empty());
  CHECK(contains(ctl(cluster, 0, {"status"}).out, "drained"));
  CHECK(contains(ctl(cluster, 0, {"events"}).out, "draining n3"));
  REQUIRE(ctl(cluster, 2, {"undrain", "3"}).exit_code == 0);
  cluster.await_even();
}

TEST_CASE("holdfastctl: a change that can't be is refused with the reason, and one without the key is not made") {
  ClusterProcess cluster;
  const auto nobody = ctl(cluster, 0, {"drain", "n9"});
  CHECK(nobody.exit_code == 2);
  CHECK(contains(nobody.err, "the nodes are"));
  const auto running = ctl(cluster, 0, {"remove", "n2"});
  CHECK(running.exit_code == 1);
  CHECK(contains(running.err, "is running"));
  CHECK(ctl(cluster, 0, {"move", "99", "n2"}).exit_code == 1);

  const auto before = cluster.lasting_rows();
  const auto keyless = run_program({program("holdfastctl"), "--admin", admin_of(cluster, 0), "--operator-key",
                                    "/nowhere/operator.key", "drain", "n2"});
  CHECK(keyless.exit_code == 2);
  CHECK(contains(keyless.err, "/nowhere/operator.key"));
  CHECK(cluster.lasting_rows() == before);
}

TEST_CASE("holdfastctl: after a kill the survivors tell who died, on which evidence, and who leads now") {
  ClusterProcess cluster;
  cluster.node(1).kill_hard();
  cluster.await_moved_from(1);
  const auto events = ctl(cluster, 0, {"events"});
  INFO(events.out << events.err);
  CHECK(events.exit_code == 0);
  CHECK(contains(events.out, "dead n2"));
  CHECK(contains(events.out, "promoted "));
  CHECK(contains(ctl(cluster, 0, {"status"}).out, "n2 is down"));
}

/// A cluster without faults.
#include <catch2/catch.hpp>

#include "tests/sim/cluster_world.h"
#include "tests/support/requests.h"

namespace holdfast::sim {
namespace {

ClusterOptions options_of(std::uint64_t seed) {
  ClusterOptions options;
  options.seed = seed;
  options.node.node.partitions = 3;
  options.node.node.doors = 2;
  options.node.node.log_keep_entries = 1'000'000;
  options.node.controller.balancer.cool_down = Millis(500);
  return options;
}

TEST_CASE("Cluster: three nodes become one, and what clients post arrives everywhere, once and in order") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    INFO("seed " << seed);
    ClusterWorld world(options_of(seed));
    for (int i = 0; i < 3; ++i) world.add_node();
    const bool whole = world.run_until([&] { return world.is_whole(); }, Millis(30'000));
    INFO(world.describe());
    REQUIRE(world.wrong() == std::vector<std::string>{});
    REQUIRE(whole);
    SimClient& alice = world.add_client({.username = "alice"});
    SimClient& bob = world.add_client({.username = "bob"});
    REQUIRE(world.run_until([&] { return world.clients_idle(); }, Millis(5'000)));
    const std::size_t opened = alice.ask(requests::open_direct(bob.user()));
    REQUIRE(world.run_until([&] { return alice.answer(opened) != nullptr; }, Millis(5'000)));
    const std::string where = alice.answer(opened)->conversation().conversation_id();
    for (int i = 0; i < 20; ++i) {
      alice.ask(requests::post(where, "to bob"));
      bob.ask(requests::post(where, "to alice"));
      world.run_for(Millis(20));
    }
    REQUIRE(world.run_until([&] { return world.clients_idle() && world.is_quiet(); }, Millis(5'000)));
    world.run_for(Millis(500));
    CHECK(world.verdict() == std::vector<std::string>{});
    CHECK(alice.cursor() == 41);
    CHECK(bob.cursor() == 41);
  }
}

}  // namespace
}  // namespace holdfast::sim

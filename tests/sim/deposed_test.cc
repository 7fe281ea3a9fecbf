/// A primary that was deposed and does not know it: cut off from the others and from the store, with clients that still
/// reach it. What it says without a barrier (2.11) is of the past.
#include <catch2/catch.hpp>

#include "tests/sim/cluster_world.h"
#include "tests/support/requests.h"

namespace holdfast::sim {
namespace {

struct Outcome {
  bool ended_elsewhere = false;  ///< the session, by another device at the new primary
  bool resumed = false;          ///< at the deposed one all the same
  bool told_in_the_end = false;  ///< that it has ended, once the cut is healed
  std::vector<std::string> wrong;
};

/// Alice ends her phone's session at another node, while the primary of her partition is an island; then the phone comes
/// to that one.
Outcome end_session_elsewhere(std::uint64_t seed, failover::Mutant mutant) {
  Outcome outcome;
  ClusterOptions options;
  options.seed = seed;
  options.node.node.partitions = 1;
  options.node.node.doors = 1;
  options.node.node.log_keep_entries = 1'000'000;
  options.node.replica.mutant = mutant;
  ClusterWorld world(options);
  for (int i = 0; i < 3; ++i) world.add_node();
  REQUIRE(world.run_until([&] { return world.is_whole(); }, Millis(30'000)));
  SimClient& phone = world.add_client({.username = "alice", .device = "phone"});
  REQUIRE(world.run_until([&] { return world.clients_idle(); }, Millis(5'000)));
  SimClient& laptop = world.add_client({.username = "alice", .device = "laptop", .registers = false});
  REQUIRE(world.run_until([&] { return world.clients_idle(); }, Millis(5'000)));

  const std::size_t island = *world.index_of(NodeId(world.config(PartitionId(0))->primary().node()));
  const NodeId there = world.node(island).id();
  phone.leave();
  laptop.leave();
  laptop.move_to(world.node((island + 1) % 3).node(), 0);
  laptop.come_back();
  REQUIRE(world.run_until([&] { return laptop.is_online(); }, Millis(5'000)));
  for (std::size_t i = 0; i < 3; ++i) {
    if (i == island) continue;
    world.network().cut(there, world.node(i).id());
    world.network().cut(world.node(i).id(), there);
  }
  world.store().cut.insert(there);
  const std::size_t revoked = laptop.ask(requests::revoke(phone.session()));
  outcome.ended_elsewhere = world.run_until([&] { return laptop.answer(revoked) != nullptr; }, Millis(20'000)) &&
                            !laptop.answer(revoked)->has_error();

  phone.move_to(world.node(island).node(), 0);
  phone.come_back();
  outcome.resumed = world.run_until([&] { return phone.is_online(); }, Millis(2'000));
  world.network().heal_all();
  world.store().cut.clear();
  outcome.told_in_the_end = world.run_until([&] { return phone.ended().has_value(); }, Millis(30'000));
  outcome.wrong = world.wrong();
  return outcome;
}

TEST_CASE("Deposed: a primary that is an island resumes no session that was ended elsewhere (2.11, H9)") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    INFO("seed " << seed);
    const Outcome outcome = end_session_elsewhere(seed, failover::Mutant::none);
    CHECK(outcome.ended_elsewhere);
    CHECK_FALSE(outcome.resumed);
    CHECK(outcome.told_in_the_end);
    CHECK(outcome.wrong.empty());
  }
}

TEST_CASE("Deposed: without barriers, it is noticed (2.11, H9)") {
  CHECK(end_session_elsewhere(1, failover::Mutant::no_barriers).resumed);
}

}  // namespace
}  // namespace holdfast::sim

/// Random walks of the replication protocol. A failing seed: HOLDFAST_SEED=<seed> sim_test; more: HOLDFAST_SEEDS=<n>.
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>

#include "tests/sim/replica_world.h"

namespace holdfast::failover {
namespace {

constexpr int kSteps = 1500;

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string walk(std::uint64_t seed, const Faults& faults, Mutant mutant, ReplicaWorld::Counts& sum,
                 std::uint64_t& commits) {
  ReplicaWorld world(seed, faults, mutant);
  for (int i = 0; i < kSteps && world.wrong().empty(); ++i) world.step();
  if (mutant == Mutant::none) world.heal();
  const ReplicaWorld::Counts& counts = world.counts();
  sum.promotions += counts.promotions;
  sum.crashes += counts.crashes;
  sum.losses += counts.losses;
  sum.changes += counts.changes;
  sum.snapshots += counts.snapshots;
  sum.barriers += counts.barriers;
  sum.refused += counts.refused;
  commits += world.commits();
  return world.wrong();
}

TEST_CASE("Replica: random faults break no invariant, and what heals is in order again, for every seed") {
  const bool one = std::getenv("HOLDFAST_SEED") != nullptr;
  const std::uint64_t first = number_of("HOLDFAST_SEED", 1);
  const std::uint64_t last = one ? first : number_of("HOLDFAST_SEEDS", 2000);
  ReplicaWorld::Counts sum;
  std::uint64_t commits = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    INFO("HOLDFAST_SEED=" << seed);
    REQUIRE(walk(seed, draw_faults(seed), Mutant::none, sum, commits) == "");
  }
  std::printf(
      "%llu seeds: commits %llu promotions %llu crashes %llu losses %llu changes %llu refused %llu snapshots "
      "%llu barriers %llu\n",
      static_cast<unsigned long long>(last - first + 1), static_cast<unsigned long long>(commits),
      static_cast<unsigned long long>(sum.promotions), static_cast<unsigned long long>(sum.crashes),
      static_cast<unsigned long long>(sum.losses), static_cast<unsigned long long>(sum.changes),
      static_cast<unsigned long long>(sum.refused), static_cast<unsigned long long>(sum.snapshots),
      static_cast<unsigned long long>(sum.barriers));
}

}  // namespace
}  // namespace holdfast::failover

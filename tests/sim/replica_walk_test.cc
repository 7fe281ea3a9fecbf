/// Random walks of the replication protocol. A failing seed: HOLDFAST_SEED=<seed> sim_test; more: HOLDFAST_SEEDS=<n>.
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/sim/replica_world.h"

namespace holdfast::failover {
namespace {

constexpr int kSteps = 4000;

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

/// The first seed of so many that catches the mutant, in a process of its own: a CHECK that fails is a catch as well.
int caught_within(std::uint64_t seeds, Mutant mutant, Faults faults) {
  std::fflush(stdout);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);
    ReplicaWorld::Counts sum;
    std::uint64_t commits = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      if (seed % 2 == 0) faults.append_bytes_max = 1;
      const std::string wrong = walk(seed, faults, mutant, sum, commits);
      if (wrong.empty()) continue;
      std::printf("caught by seed %llu: %s\n", static_cast<unsigned long long>(seed), wrong.c_str());
      std::fflush(stdout);
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

bool is_caught(Mutant mutant, const Faults& faults) {
  REQUIRE(caught_within(60, Mutant::none, faults) == 0);  // it is the mutant that is caught, not the faults
  const int how = caught_within(3000, mutant, faults);
  return how == 1 || how == SIGABRT;
}

Faults takeovers() {
  Faults faults;
  faults.nodes = 4;
  faults.promote = 12;
  faults.cut = 10;
  faults.gone = 10;
  faults.reordering = 30;
  faults.duplication = 10;
  faults.config = 20;
  faults.crash = 4;
  return faults;
}

TEST_CASE("Replica: without fencing, the walk finds it (I2)") { CHECK(is_caught(Mutant::no_fencing, takeovers())); }

TEST_CASE("Replica: with a promise that is not durable, the walk finds it (T4)") {
  CHECK(is_caught(Mutant::volatile_promise, takeovers()));
}

TEST_CASE("Replica: with a member that no longer counts before the store agreed, the walk finds it (T1)") {
  Faults faults = takeovers();
  faults.outcome = 10;
  CHECK(is_caught(Mutant::shrink_before_cas, faults));
}

TEST_CASE("Replica: with a member that joins before it counts, the walk finds it (2.6)") {
  Faults faults = takeovers();
  faults.outcome = 10;
  CHECK(is_caught(Mutant::no_union_on_grow, faults));
}

TEST_CASE("Replica: with an unknown outcome taken for a refusal, the walk finds it (T2)") {
  Faults faults = takeovers();
  faults.outcome = 20;
  faults.unknown = 50;
  CHECK(is_caught(Mutant::union_dropped, faults));
}

TEST_CASE("Replica: with learners that join on the commit alone, the walk finds it (T3)") {
  Faults faults;
  faults.promote = 8;
  faults.crash = 12;
  faults.gone = 25;
  faults.store_loss = 6;
  faults.append_bytes_max = 1;
  CHECK(is_caught(Mutant::no_epoch_start_bound, faults));
}

TEST_CASE("Replica: with nodes that count whatever disk they have, the walk finds it (I12)") {
  Faults faults = takeovers();
  faults.store_loss = 5;
  CHECK(is_caught(Mutant::no_store_id, faults));
}

TEST_CASE("Replica: with acknowledgements before the sync, the walk finds it (T6)") {
  CHECK(is_caught(Mutant::ack_before_sync, takeovers()));
}

TEST_CASE("Replica: with a candidate that opens early, the walk finds it (F6)") {
  CHECK(is_caught(Mutant::open_early, takeovers()));
}

}  // namespace
}  // namespace holdfast::failover

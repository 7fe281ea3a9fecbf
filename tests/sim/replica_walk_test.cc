/// Random walks of the replication protocol. A failing seed: HOLDFAST_SEED=<seed> sim_test; more: HOLDFAST_SEEDS=<n>.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>

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

/// How a process of its own ended, and at which seed: a CHECK that fails is a catch as well.
struct Walked {
  int how = 0;
  std::uint64_t seed = 0;
  bool is_catch() const { return how == 1 || how == SIGABRT; }
};

[[noreturn]] void walk_all(std::uint64_t first, std::uint64_t last, Mutant mutant, const Faults& faults,
                           std::atomic<std::uint64_t>& at) {
  std::signal(SIGABRT, SIG_DFL);
  if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);
  ReplicaWorld::Counts sum;
  std::uint64_t commits = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    at = seed;
    Faults with = faults;
    if (seed % 2 == 0) with.append_bytes_max = 1;
    const std::string wrong = walk(seed, with, mutant, sum, commits);
    if (wrong.empty()) continue;
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), wrong.c_str());
    std::fflush(stdout);
    _exit(1);
  }
  _exit(0);
}

Walked walk_apart(std::uint64_t first, std::uint64_t last, Mutant mutant, const Faults& faults) {
  using Shared = std::atomic<std::uint64_t>;
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  auto& at = *new (memory) Shared(0);
  std::fflush(stdout);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) walk_all(first, last, mutant, faults, at);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  const Walked walked{WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), at};
  munmap(memory, sizeof(Shared));
  return walked;
}

bool is_caught(Mutant mutant, const Faults& faults) {
  const Walked caught = walk_apart(1, 3000, mutant, faults);
  INFO("seed " << caught.seed << ", " << caught.how);
  // It is the mutant that is caught, not what this seed does.
  REQUIRE(walk_apart(caught.seed, caught.seed, Mutant::none, faults).how == 0);
  return caught.is_catch();
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

TEST_CASE("Replica: with sets that may shrink to one, the walk finds it (T5, I7)") {
  CHECK(is_caught(Mutant::in_sync_of_one, takeovers()));
}

TEST_CASE("Replica: with changes of the set that stand whatever was changed meanwhile, the walk finds it (I1, I2)") {
  Faults faults = takeovers();
  faults.outcome = 10;
  CHECK(is_caught(Mutant::unconditional_cas, faults));
}

TEST_CASE("Replica: with acknowledgements before the sync, the walk finds it (T6)") {
  CHECK(is_caught(Mutant::ack_before_sync, takeovers()));
}

TEST_CASE("Replica: with a candidate that opens early, the walk finds it (F6)") {
  CHECK(is_caught(Mutant::open_early, takeovers()));
}

}  // namespace
}  // namespace holdfast::failover

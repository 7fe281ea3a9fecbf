/// A cluster under random faults. One seed again: ./dev sim --seed S; many: ./dev sim --seeds N [--minutes M].
#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>

#include "tests/sim/cluster_seeds.h"

namespace holdfast::sim {
namespace {

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

bool is_clean(const SeedsOptions& options) {
  const SeedsResult result = run_seeds(options);
  std::fputs(report(result).c_str(), stdout);
  return result.violations.empty() && result.seeds > 0;
}

TEST_CASE("Cluster: no fault loses, doubles or reorders anything, and what heals is whole again, for every seed") {
  SeedsOptions options;
  options.first = number_of("HOLDFAST_SEED", 1);
  options.count = std::getenv("HOLDFAST_SEED") ? 1 : number_of("HOLDFAST_SEEDS", 2000);
  CHECK(is_clean(options));
}

/// "kill,cut": only these; otherwise each seed draws its own.
std::optional<std::vector<Fault>> faults_of(const char* names) {
  if (!names) return std::nullopt;
  std::map<std::string, Fault, std::less<>> known;
  for (unsigned f = 0; f < static_cast<unsigned>(Fault::count_); ++f)
    known.emplace(name_of(static_cast<Fault>(f)), static_cast<Fault>(f));
  std::vector<Fault> faults;
  std::istringstream wanted(names);
  for (std::string name; std::getline(wanted, name, ',');) {
    const auto found = known.find(name);
    std::string all;
    for (const auto& [one, fault] : known) all += " " + one;
    if (found == known.end()) FAIL("there is no fault '" << name << "'; there are:" << all);
    faults.push_back(found->second);
  }
  if (faults.empty()) FAIL("--faults names none");
  return faults;
}

/// What ./dev sim runs.
TEST_CASE("Cluster: the long run", "[.long]") {
  SeedsOptions options;
  options.first = number_of("HOLDFAST_SIM_SEED", 1);
  options.count = number_of("HOLDFAST_SIM_SEEDS", 1000);
  options.minutes = static_cast<double>(number_of("HOLDFAST_SIM_MINUTES", 100'000));
  options.violations_max = number_of("HOLDFAST_SIM_VIOLATIONS", 10);
  options.chaos.faults = faults_of(std::getenv("HOLDFAST_SIM_FAULTS"));
  options.processes = static_cast<unsigned>(number_of("HOLDFAST_SIM_PROCESSES", 1));
  CHECK(is_clean(options));
}

bool is_caught(const ChaosOptions& chaos, std::uint64_t within) {
  SeedsOptions options;
  options.chaos = chaos;
  options.count = within;
  options.violations_max = 1;
  const SeedsResult result = run_seeds(options);
  std::fputs(report(result).c_str(), stdout);
  if (result.violations.empty()) return false;
  // It is the mutant that is caught, not what this seed does.
  options = {};
  options.first = result.violations.front().seed;
  options.chaos.faults = chaos.faults;
  options.chaos.time = chaos.time;
  REQUIRE(is_clean(options));
  return true;
}

TEST_CASE("Cluster: with acknowledgements before the sync, it is noticed (T6)") {
  CHECK(is_caught({.faults = {{Fault::kill, Fault::reset}}, .mutant = failover::Mutant::ack_before_sync}, 300));
}

TEST_CASE("Cluster: without fencing, it is noticed (I2)") {
  CHECK(is_caught(
      {.faults = {{Fault::suspicion, Fault::pause, Fault::store_slow}}, .mutant = failover::Mutant::no_fencing}, 500));
}

TEST_CASE("Cluster: without barriers, it is noticed (2.11)") {
  CHECK(is_caught({.faults = {{Fault::island}}, .mutant = failover::Mutant::no_barriers}, 500));
}

TEST_CASE("Cluster: with a candidate that opens early, it is noticed (F6)") {
  CHECK(is_caught({.faults = {{Fault::cut, Fault::suspicion}}, .mutant = failover::Mutant::open_early}, 500));
}

TEST_CASE("Cluster: with nodes that count whatever disk they have, it is noticed (I12)") {
  CHECK(is_caught({.faults = {{Fault::wipe, Fault::kill}}, .mutant = failover::Mutant::no_store_id}, 500));
}

TEST_CASE("Cluster: with a candidate that swaps in whoever is there, it is noticed (F6a)") {
  CHECK(
      is_caught({.faults = {{Fault::wipe, Fault::kill, Fault::cut}}, .mutant = failover::Mutant::swap_unfilled}, 1000));
}

TEST_CASE("Cluster: with learners that join whatever they have, it is noticed (I5)") {
  CHECK(is_caught({.faults = {{Fault::wipe, Fault::kill}}, .mutant = failover::Mutant::learner_counts}, 200));
}

TEST_CASE("Cluster: with subscribers that are skipped after a promotion, it is noticed (I14)") {
  CHECK(is_caught({.faults = {{Fault::kill, Fault::suspicion}}, .mutant = failover::Mutant::subscribers_skipped}, 200));
}

TEST_CASE("Cluster: with snapshots that come without their subscribers' cursors, it is noticed (I14)") {
  // Cuts hold deliveries to other partitions back: only then does a snapshot find its subscribers behind.
  CHECK(is_caught({.faults = {{Fault::wipe, Fault::suspicion, Fault::cut, Fault::slow_network}},
                   .mutant = failover::Mutant::cursors_lost},
                  6000));
}

TEST_CASE("Cluster: with posts whose ids are forgotten, it is noticed (I10)") {
  CHECK(is_caught({.faults = {{Fault::kill, Fault::reset}}, .node_mutant = NodeMutant::forgets_client_ids}, 500));
}

TEST_CASE("Cluster: with subscribers' commands that are carried out again, it is noticed (I10)") {
  CHECK(is_caught({.faults = {{Fault::kill, Fault::reset}}, .node_mutant = NodeMutant::forgets_sources}, 500));
}

TEST_CASE(
    "Cluster: with subscribers that are not told apart, though they go at different speeds, it is noticed (I10, I14)") {
  CHECK(is_caught({.faults = {{Fault::kill, Fault::reset}}, .node_mutant = NodeMutant::one_source_for_all}, 200));
}

TEST_CASE("Cluster: with changes that go to the members of now and not to those of their number, it is noticed (H8)") {
  CHECK(is_caught({.faults = {{Fault::kill, Fault::suspicion}}, .node_mutant = NodeMutant::members_of_now}, 200));
}

TEST_CASE("Cluster: with sets that may shrink to one, it is noticed (T5, I7)") {
  CHECK(is_caught({.faults = {{Fault::kill, Fault::wipe}}, .mutant = failover::Mutant::in_sync_of_one}, 200));
}

TEST_CASE("Cluster: with changes of rows that stand whatever was changed meanwhile, it is noticed (I1, I2)") {
  CHECK(is_caught(
      {.faults = {{Fault::suspicion, Fault::pause, Fault::store_slow}}, .mutant = failover::Mutant::unconditional_cas},
      200));
}

TEST_CASE("Cluster: with logs that are trimmed too far, it is noticed (I14)") {
  CHECK(is_caught({.faults = {{Fault::kill}}, .node_mutant = NodeMutant::trims_past_cursors}, 500));
}

TEST_CASE("Cluster: with a state that is ahead of its rows, it is noticed") {
  CHECK(is_caught({.faults = {{Fault::kill_in_write, Fault::kill}}, .node_mutant = NodeMutant::mark_before_rows}, 500));
}

TEST_CASE("Cluster: with connections that stay attached where their primary was, it is noticed") {
  CHECK(is_caught({.faults = {{Fault::kill, Fault::suspicion}}, .never_reattaches = true}, 100));
}

TEST_CASE("Cluster: with applications that give what was unanswered another id, it is noticed (H3)") {
  CHECK(is_caught({.faults = {{Fault::kill, Fault::pause}}, .apps_forget_ids = true}, 200));
}

TEST_CASE("Cluster: with routes of which later asks are taken after a refusal, it is noticed") {
  CHECK(is_caught({.faults = {{Fault::suspicion, Fault::reset}}, .node_mutant = NodeMutant::no_refused_routes}, 1000));
}

}  // namespace
}  // namespace holdfast::sim

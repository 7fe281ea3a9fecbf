/// Many seeds, in processes of their own: a CHECK that fails is a finding of its seed, not the end of the run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/sim/cluster_chaos.h"

namespace holdfast::sim {

struct SeedsResult {
  std::uint64_t seeds = 0, commits = 0, posts = 0, promotions = 0;
  double simulated_hours = 0;
  std::map<std::string, std::uint64_t> faults, seen;  ///< as in ChaosResult
  struct Violation {
    std::uint64_t seed;
    std::string what;
  };
  std::vector<Violation> violations;
};

struct SeedsOptions {
  std::uint64_t first = 1, count = 1;
  std::size_t violations_max = 10;  ///< then it stops
  unsigned processes = 1;           ///< at once
  double minutes = 1e9;             ///< no further seeds are begun after so long
  ChaosOptions chaos{};             ///< its seed is filled in
};
SeedsResult run_seeds(const SeedsOptions& options);

/// One line for people, and what broke with how to see it again.
std::string report(const SeedsResult& result);

}  // namespace holdfast::sim

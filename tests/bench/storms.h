/// What it costs when everybody comes back at once, and to be there: each figure beside a baseline of the same run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/bench/measuring.h"

namespace holdfast::bench {

struct StormsOptions {
  std::filesystem::path folder;  ///< where data directories are made
  int rounds = 5;
  std::size_t sessions = 16'000;
  std::size_t storm = 12'000;  ///< sessions of the one beside live messages
  std::size_t users_behind = 1'000, behind = 1'000;
  std::size_t members = 1'000;
  Seconds log_ins{60};
  Seconds baseline{5};            ///< of those that can go on for any time
  std::vector<std::string> only;  ///< parts by name; none: all of them
};

/// One line of the table.
struct StormRow {
  std::string what;
  std::string figure, baseline;  ///< with their units
  double ratio = 0;              ///< as the goal counts it; 0: there is none
  std::string goal;
  bool met = false;
};

/// Rows as they come out; each is also said on standard error, as a measurement takes minutes.
std::vector<StormRow> measure_storms(const StormsOptions& options);
std::string to_text(const std::vector<StormRow>& rows);
/// `holdfast-bench storms …`: the exit code.
int run_storms(int argc, char** argv);

}  // namespace holdfast::bench

/// What the command line of holdfast-bench asks for.
#pragma once

#include <filesystem>
#include <variant>

#include "tests/bench/measuring.h"

namespace holdfast::bench {

struct Options {
  std::filesystem::path folder;  ///< where data directories are made: the disk that is measured
  int rounds = 3;
  Seconds baseline{2};  ///< of each baseline and round
  Seconds load{5};      ///< of Holdfast, of each round
  std::size_t pairs = 500;
  double steady_rate = 1'000;
  Seconds steady{10};
  std::size_t sessions = 2'000;
  std::size_t cold_pairs = 2'000;
};

/// The options, or the code to exit with at once.
std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace holdfast::bench

/// What the command line of holdfast-demo asks for.
#pragma once

#include <chrono>
#include <string>
#include <variant>

namespace holdfast::demo {

/// How the program ends. Documented in --help.
enum ExitCode : int { kExitGood = 0, kExitFindings = 1, kExitUsage = 2, kExitNotStarted = 3 };

struct Options {
  std::string cluster;  ///< the folder of a running cluster, as scripts/cluster.sh lays it out
  std::uint32_t pairs = 30;
  double rate = 120;                     ///< messages a second, all together
  std::chrono::duration<double> act{7};  ///< how long each scene plays at least
  std::chrono::duration<double> in_sync_max{60};
  std::string json_file;
};

/// The options, or the code to exit with at once.
std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace holdfast::demo

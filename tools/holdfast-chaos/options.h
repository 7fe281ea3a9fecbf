/// The command line of holdfast-chaos.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "clients/cpp/client.h"

namespace holdfast::chaos {

enum ExitCode : int {
  kExitGood = 0,
  kExitViolated = 1,
  kExitUsage = 2,
  kExitNotStarted = 3,  ///< the cluster or the clients did not come up
};

struct Options {
  bool attach = false;  ///< to somebody else's cluster
  std::size_t nodes = 3;
  std::vector<std::string> faults;
  std::uint32_t seconds = 60;  ///< 0: until the rounds are done
  std::uint32_t rounds = 0;    ///< each kind so often; 0: until the time is over
  double hold_s = 0;           ///< how long a fault is held; 0: drawn
  double rate = 200;
  std::uint32_t clients = 24;
  std::uint32_t listeners = 0;
  std::uint32_t visitors = 2;
  std::uint32_t readers = 6;  ///< of mails
  std::uint64_t seed = 0;
  std::string report = "chaos-report";
  std::string binary, binary_before;
  std::string folder;  ///< data and logs; empty: below the system's temporary folder, removed if all is good
  std::uint16_t partitions = 64;
  bool flap_defaults = false;
  bool loopback = false;  ///< no namespaces, even if they could be had
  bool judge_goals = true;
  std::uint32_t whole_max_s = 60;   ///< H12: in sync again
  std::uint32_t answer_max_s = 10;  ///< H12: writable again
  std::string command;              ///< as it was called, with the seed

  // attach
  std::vector<client::Endpoint> endpoints;
  client::Trust trust;
  std::string operator_key_file = "data/operator.key";
};

/// The options, or the code to exit with at once.
std::variant<Options, int> parse_options(int argc, char** argv);

/// The folder that this program is in.
std::string own_folder();

}  // namespace holdfast::chaos

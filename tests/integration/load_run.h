/// holdfast-load as scripts run it: a command to its end, and the figures that it wrote.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace holdfast::testing {

struct LoadRun {
  Ended ended;
  boost::json::object json;  ///< empty if it wrote none
  std::string page;          ///< of --report

  double number(const std::string& key) const;                            ///< fails the test if it is none
  double number(const std::string& times, const std::string& key) const;  ///< of a latency: "p50", "p99", "max"
};

/// `arguments` begin with the scenario; server, key, --json and --report are added.
LoadRun run_load(const ServerProcess& server, std::vector<std::string> arguments);
/// Well, and nothing lost, doubled or out of order. Otherwise the test fails and shows what the tool said.
void check_well(const LoadRun& run);

}  // namespace holdfast::testing

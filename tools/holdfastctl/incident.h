/// `holdfastctl incident start|update|stop "text"`: users are told that something is wrong, and when it is over.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/holdfastctl/command.h"

namespace CLI {
class App;
}

namespace holdfast::ctl {

/// What was written on the command line.
struct IncidentCommand {
  std::vector<CLI::App*> all;  ///< start, update, stop
  std::string text;
};

/// Adds the commands to `incident`; both outlive the parse.
void add_incident(CLI::App& incident, IncidentCommand& command);

/// Carries it out, if one of them was asked for, and says how to exit.
std::optional<int> run_incident(const IncidentCommand& command, const Asked& asked);

}  // namespace holdfast::ctl

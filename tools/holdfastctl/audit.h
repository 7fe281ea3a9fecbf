/// `holdfastctl audit` and `audit verify`: the audit journal of all partitions in the order of time, and whether its
/// lines still hold together.
#pragma once

#include <optional>
#include <string>

#include "tools/holdfastctl/command.h"

namespace CLI {
class App;
}

namespace holdfast::ctl {

/// What was written on the command line.
struct AuditCommand {
  CLI::App* audit = nullptr;
  CLI::App* verify = nullptr;
  std::string user;   ///< only what concerns this one
  std::string since;  ///< a moment or a length of time
  bool follow = false;
  bool json = false;
};

/// Adds the commands to `app`; both outlive the parse.
void add_audit(CLI::App& app, AuditCommand& command);

/// Carries it out, if one of them was asked for, and says how to exit.
std::optional<int> run_audit(const AuditCommand& command, const Asked& asked);

}  // namespace holdfast::ctl

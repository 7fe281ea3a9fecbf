/// `holdfastctl unsafe-recover`: shows what would be done and what may be lost, asks twice, does it, and waits until the
/// partitions serve.
#pragma once

#include <optional>
#include <string>

#include "tools/holdfastctl/command.h"

namespace CLI {
class App;
}

namespace holdfast::ctl {

/// What was written on the command line.
struct RecoverCommand {
  CLI::App* recover = nullptr;
  std::optional<std::uint32_t> partition;
  bool all = false;
  bool yes = false;  ///< a script's: nobody is asked
};

/// Adds the command to `app`; both outlive the parse.
void add_recover(CLI::App& app, RecoverCommand& command);

/// Carries it out, if that is what was asked for, and says how to exit.
std::optional<int> run_recover(const RecoverCommand& command, const Asked& asked);

}  // namespace holdfast::ctl

/// `holdfastctl users export`: all that is stored about a user, as one JSON object.
#pragma once

#include <optional>
#include <string>

#include "tools/holdfastctl/command.h"

namespace CLI {
class App;
}

namespace holdfast::ctl {

/// What was written on the command line.
struct ExportCommand {
  CLI::App* app = nullptr;
  std::string user;
  std::string out;  ///< empty: standard output
};

/// Adds the command to `users`; both outlive the parse.
void add_export(CLI::App& users, ExportCommand& command);

/// Carries it out, if that is what was asked for, and says how to exit.
std::optional<int> run_export(const ExportCommand& command, const Asked& asked);

}  // namespace holdfast::ctl

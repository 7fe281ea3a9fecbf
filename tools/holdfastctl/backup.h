/// `holdfastctl backup`, `backup --verify` and `restore`.
#pragma once

#include <optional>
#include <string>

#include "tools/holdfastctl/command.h"

namespace CLI {
class App;
}

namespace holdfast::ctl {

/// What was written on the command line.
struct BackupCommand {
  CLI::App* backup = nullptr;
  CLI::App* restore = nullptr;
  std::string folder;  ///< the backup's
  std::string data;    ///< restore: the data directory to be made
  bool verify = false;
};

/// Adds the commands to `app`; both outlive the parse.
void add_backup(CLI::App& app, BackupCommand& command);

/// Carries it out, if one of them was asked for, and says how to exit.
std::optional<int> run_backup(const BackupCommand& command, const Asked& asked);

}  // namespace holdfast::ctl

/// What a run breaks on purpose: a node is killed, and started again if somebody says how.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"

namespace holdfast::load {

struct FaultOptions {
  pid_t process = 0;    ///< killed with -9; 0: none
  std::string command;  ///< run with a shell instead: for nodes elsewhere
  std::string restart_command;
  double after_s = 3;  ///< since the step began

  bool wanted() const { return process != 0 || !command.empty(); }
};

/// Breaks it; returns when that is done, in which time the loop stands still: a moment for a process, as long as it takes
/// for a command. Fails with io.
Status break_it(const FaultOptions& options);
/// Starts it again. Its process; nothing if there is no command for that. Fails with io.
Result<std::optional<pid_t>> mend_it(const FaultOptions& options);

}  // namespace holdfast::load

#include "tools/holdfast-load/fault.h"

#include <sys/wait.h>

#include <cstdlib>

#include "tools/holdfast-load/server_process.h"

namespace holdfast::load {

Status break_it(const FaultOptions& options) {
  if (options.process != 0) {
    ServerProcess(options.process).kill();
    return Ok{};
  }
  const int ended = std::system(options.command.c_str());
  if (ended == 0) return Ok{};
  return Error{Errc::io, "the command that was to kill a node failed: " + options.command};
}

Result<std::optional<pid_t>> mend_it(const FaultOptions& options) {
  if (options.restart_command.empty()) return std::optional<pid_t>();
  ServerProcess server(pid_t{0});
  if (!server.restart(options.restart_command)) return Error{Errc::io, "the server could not be started again"};
  return std::optional<pid_t>(server.pid());
}

}  // namespace holdfast::load

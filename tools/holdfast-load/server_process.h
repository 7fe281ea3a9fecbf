/// The server as a process: what processor time it took, and how it is killed and started again.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "tools/holdfast-load/options.h"

namespace holdfast::load {

/// Watches one server over all its lives. Owned by Load; one thread. Never fails: what can't be found out is nothing.
class ServerProcess {
 public:
  /// --server-pid, --kill-pid, or the process that holds the LOCK of the data directory in which the operator key lies.
  explicit ServerProcess(const Options& options);
  explicit ServerProcess(pid_t pid) : pid_(pid) {}

  pid_t pid() const { return pid_; }  ///< 0: unknown
  /// Processor time of all lives since start_counting(); nothing if the pid is unknown.
  std::optional<std::chrono::duration<double>> cpu() const;
  void start_counting();

  /// kill -9; returns when it is dead, so that its ports and locks are free.
  void kill();
  /// Runs the command with a shell, in a session of its own. False if there is no new process to be had.
  bool restart(const std::string& command);
  /// A child of ours that has ended is not to stay a zombie. True while it lives.
  bool alive() const;

 private:
  static std::optional<std::chrono::duration<double>> cpu_of(pid_t pid);

  pid_t pid_ = 0;
  bool child_ = false;  ///< it is ours to wait for
  std::chrono::duration<double> counted_from_{0};
  std::chrono::duration<double> of_earlier_lives_{0};
};

}  // namespace holdfast::load

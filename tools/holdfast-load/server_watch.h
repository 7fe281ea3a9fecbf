/// What the servers use while a load is on them: processor time and memory, as they are sampled and over a span.
///
/// By process id, if the servers run on this machine; from their operators' ports (/metrics) otherwise.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "net/asio.h"
#include "net/listener.h"
#include "net/task_group.h"

namespace holdfast::load {

/// Whom to watch. Neither: nothing is known of the servers, and figures that need it are left out.
struct WatchOptions {
  std::vector<pid_t> processes;
  std::vector<HostPort> metrics;
};

/// All servers together, at one moment.
struct ServerSample {
  SteadyTime at;
  double cpu_s = 0;  ///< since they began to be watched; of those who died meanwhile up to then
  std::uint64_t resident_bytes = 0;
  double kernel_tcp_bytes = 0;  ///< of this machine: what its sockets hold (/proc/net/sockstat)
};

/// Owned by the run, outlives the loop; on its one thread.
class ServerWatch {
 public:
  ServerWatch(any_io_executor executor, WatchOptions options);

  bool knows() const { return !options_.processes.empty() || !options_.metrics.empty(); }
  /// Samples until stop(), five times a second (once a second over /metrics).
  void start();
  Awaitable<void> stop();
  /// Now. Nothing if it does not know, or nobody answers.
  Awaitable<std::optional<ServerSample>> look();
  /// Waits until the servers do next to nothing (less than a twentieth of a core for half a second) or the time is up.
  /// At once if it does not know.
  Awaitable<void> wait_until_quiet(std::chrono::duration<double> max);
  /// A server that was started in the place of one that died.
  void also_watch(pid_t process) { options_.processes.push_back(process); }

  const std::vector<ServerSample>& samples() const { return samples_; }

 private:
  struct Known {
    double cpu_s = 0;  ///< as last seen
    double counted_from = 0;
    bool seen = false;
  };
  static Awaitable<void> sample(ServerWatch* watch);
  void add_process(std::size_t index, ServerSample& sample);
  Awaitable<bool> add_metrics(std::size_t index, ServerSample* sample);
  static double counted(Known& known, double cpu_s);

  any_io_executor executor_;
  WatchOptions options_;
  TaskGroup tasks_;
  std::vector<Known> of_processes_, of_metrics_;
  std::vector<ServerSample> samples_;
  bool stopping_ = false;
};

}  // namespace holdfast::load

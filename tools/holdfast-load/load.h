/// One run, from the first connection to the report.
#pragma once

#include <memory>
#include <vector>

#include "clients/cpp/runtime.h"
#include "net/asio.h"
#include "net/task_group.h"
#include "tools/holdfast-load/pair.h"
#include "tools/holdfast-load/progress.h"
#include "tools/holdfast-load/report.h"
#include "tools/holdfast-load/server_process.h"

namespace holdfast::load {

/// Owned by main, outlives the loop; on its one thread.
class Load {
 public:
  Load(any_io_executor executor, const Options& options);

  /// Once. The exit code.
  Awaitable<int> run();

 private:
  using Seconds = std::chrono::duration<double>;

  Awaitable<Status> prepare();
  Awaitable<Status> connect_all();
  Awaitable<Status> open_all();
  Awaitable<void> send_all();
  Awaitable<void> send_at_rate(SteadyTime until);
  Awaitable<void> measure();
  Awaitable<void> kill_now_and_then(SteadyTime until);
  Awaitable<void> settle();
  /// Waits until `done` of all pairs; false if that took too long. `done` is a plain question, asked now and then.
  Awaitable<bool> wait_for_all(bool (*done)(const Pair&), Seconds max);
  Awaitable<Status> close_all();
  void finish();

  any_io_executor executor_;
  const Options& options_;
  client::ClientRuntime runtime_;
  Figures figures_;
  Report report_;
  ServerProcess server_;
  Progress progress_;
  std::vector<std::unique_ptr<Pair>> pairs_;
  SteadyTime started_;
};

}  // namespace holdfast::load

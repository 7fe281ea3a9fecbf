/// A run with workers, from the first process to the report.
#pragma once

#include <memory>
#include <optional>

#include "net/asio.h"
#include "tools/holdfast-load/conductor.h"
#include "tools/holdfast-load/progress.h"
#include "tools/holdfast-load/run_figures.h"
#include "tools/holdfast-load/script.h"

namespace holdfast::load {

/// Owned by main, outlives the loop; on its one thread.
class Run {
 public:
  Run(any_io_executor executor, RunOptions options, Split split);

  /// Once. The exit code.
  Awaitable<int> run();

 private:
  Awaitable<Status> follow_script();
  Awaitable<Result<Found>> take_step(Step step, Found found);
  Awaitable<void> look(std::string step, bool before);
  static Awaitable<void> show_progress(Run* run, const bool* done);
  static Awaitable<void> break_within(Run* run);
  std::string progress_line();
  int report();
  std::chrono::duration<double> since_began() const { return steady_now() - figures_.began; }

  any_io_executor executor_;
  RunFigures figures_;
  const Script script_;
  Conductor conductor_;
  ServerWatch watch_;
  Progress progress_;
  std::map<std::string, std::uint64_t> shown_;  ///< the counts of the last line
  SteadyTime shown_at_;
  std::optional<pid_t> mended_;  ///< the server that was started again
  bool began_ = false;
};

}  // namespace holdfast::load

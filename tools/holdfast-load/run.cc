#include "tools/holdfast-load/run.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iostream>

#include "tools/holdfast-load/machine_use.h"
#include "tools/holdfast-load/options.h"
#include "tools/holdfast-load/proc_figures.h"
#include "tools/holdfast-load/report.h"
#include "tools/holdfast-load/summary.h"

namespace holdfast::load {
namespace {

using boost::asio::use_awaitable;
constexpr std::chrono::duration<double> kQuietMax{60};

ConductorOptions conductor_options(const RunOptions& options, Split split) {
  return {options.operator_key_file, options.workers_at, std::move(split)};
}

}  // namespace

Run::Run(any_io_executor executor, RunOptions options, Split split)
    : executor_(executor),
      figures_{.options = options, .processes = split.processes},
      script_(script_of(options.plan)),
      conductor_(executor, conductor_options(options, std::move(split))),
      watch_(executor, options.watch) {
  conductor_.say = [this](const std::string& what) { progress_.say(what); };
}

// ------------------------------------------------------------------------------------------------ the steps

Awaitable<void> Run::look(std::string step, bool before) {
  Span& span = figures_.spans[step];
  (before ? span.from : span.to) = since_began();
  (before ? span.kernel_before : span.kernel_after) = kernel_figures();
  auto sample = co_await watch_.look();
  (before ? span.server_before : span.server_after) = sample;
}

Awaitable<Result<Found>> Run::take_step(Step step, Found found) {
  if (!step.says.empty()) progress_.say(step.says);
  if (step.quiet_before) co_await watch_.wait_until_quiet(kQuietMax);
  if (step.measured && !std::exchange(began_, true)) {
    figures_.began = steady_now();
    conductor_.begin();
    watch_.start();
  }
  co_await look(step.name, true);
  if (began_ && step.measured) figures_.marks.push_back({since_began(), step.name});
  const MachineUse used = machine_use();

  TaskGroup beside(executor_);
  bool done = false;
  if (step.measured) beside.spawn("progress", show_progress(this, &done));
  if (step.fault_within) beside.spawn("fault", break_within(this));
  auto left = co_await conductor_.step(step.name, std::move(found));
  done = true;
  co_await beside.join();

  figures_.spans[step.name].machine_busy = busy_between(used, machine_use());
  co_await look(step.name, false);
  progress_.end_line();
  co_return left;
}

Awaitable<Status> Run::follow_script() {
  auto started = co_await conductor_.start(figures_.options.plan);
  if (!started) co_return started.error();
  Found found;
  for (const Step& step : script_.steps) {
    auto left = co_await take_step(step, std::move(found));
    if (!left) co_return left.error();
    found = std::move(*left);
  }
  auto tally = co_await conductor_.finish();
  if (!tally) co_return tally.error();
  figures_.tally.merge(*tally);
  if (mended_ && has_ended(*mended_))
    figures_.tally.error("the server that was started again has ended: is its command right?");
  co_return Ok{};
}

Awaitable<void> Run::break_within(Run* run) {
  const FaultOptions& fault = run->figures_.options.fault;
  boost::asio::steady_timer timer(run->executor_);
  timer.expires_after(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(fault.after_s)));
  co_await timer.async_wait(use_awaitable);
  co_await run->conductor_.tell_fault();
  run->figures_.marks.push_back({run->since_began(), "a node is killed", true});
  auto broken = break_it(fault);
  if (!broken) run->figures_.tally.error(broken.error().message);
  auto mended = mend_it(fault);
  if (!mended) run->figures_.tally.error(mended.error().message);
  if (!mended || !*mended) co_return;
  run->mended_ = **mended;
  run->watch_.also_watch(**mended);
}

// ------------------------------------------------------------------------------------------------ on the way

std::string Run::progress_line() {
  const SteadyTime now = steady_now();
  const std::chrono::duration<double> since = now - shown_at_;
  std::string line = fmt::format("{:>5.0f} s", since_began().count());
  for (const Shown& shown : script_.progress) {
    const std::uint64_t count = conductor_.count(shown.count);
    std::uint64_t& before = shown_[shown.label];
    const double value = shown.a_second ? static_cast<double>(count - std::min(count, before)) / since.count()
                                        : static_cast<double>(count);
    line += fmt::format("  {} {:.0f}", shown.label, value);
    before = count;
  }
  shown_at_ = now;
  return line;
}

Awaitable<void> Run::show_progress(Run* run, const bool* done) {
  boost::asio::steady_timer timer(run->executor_);
  while (!*done) {
    timer.expires_after(std::chrono::milliseconds(50));
    co_await timer.async_wait(use_awaitable);
    if (run->progress_.due()) run->progress_.show(run->progress_line());
  }
}

// ------------------------------------------------------------------------------------------------ the end

int Run::report() {
  const Summary summary = summarize(figures_);
  std::cout << summary_text(summary) << std::flush;
  const RunOptions& options = figures_.options;
  const std::pair<std::string, std::string> files[] = {
      {options.json_file, options.json_file.empty() ? "" : summary_json(figures_, summary)},
      {options.report_file, options.report_file.empty() ? "" : summary_page(figures_, summary)}};
  for (const auto& [path, text] : files) {
    if (path.empty()) continue;
    auto written = write_file(path, text);
    if (written) continue;
    std::cerr << "holdfast-load: " << written.error().message << "\n";
    return kExitUsage;
  }
  return summary.good() ? kExitGood : kExitFindings;
}

Awaitable<int> Run::run() {
  const Status followed = co_await follow_script();
  co_await watch_.stop();
  co_await conductor_.close();
  if (followed) {
    figures_.samples = watch_.samples();
    co_return report();
  }
  std::cerr << "holdfast-load: " << followed.error().message << "\n";
  co_return began_ ? static_cast<int>(kExitFindings) : static_cast<int>(kExitNotStarted);
}

}  // namespace holdfast::load

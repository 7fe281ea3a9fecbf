#include "tools/holdfast-load/server_watch.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/http.h"
#include "tools/holdfast-load/metrics_text.h"
#include "tools/holdfast-load/proc_figures.h"

namespace holdfast::load {
namespace {

using boost::asio::use_awaitable;
constexpr std::chrono::milliseconds kMetricsMax{2'000};

}  // namespace

ServerWatch::ServerWatch(any_io_executor executor, WatchOptions options)
    : executor_(executor), options_(std::move(options)), tasks_(executor) {}

double ServerWatch::counted(Known& known, double cpu_s) {
  if (!known.seen) known.counted_from = cpu_s;
  known.seen = true;
  known.cpu_s = cpu_s;
  return known.cpu_s - known.counted_from;
}

void ServerWatch::add_process(std::size_t index, ServerSample& sample) {
  if (of_processes_.size() <= index) of_processes_.resize(index + 1);
  Known& known = of_processes_[index];
  const auto figures = process_figures(options_.processes[index]);
  // What a process used until it died stays used.
  sample.cpu_s += figures && figures->state != 'Z' ? counted(known, figures->cpu_s) : known.cpu_s - known.counted_from;
  if (figures) sample.resident_bytes += figures->resident_bytes;
}

Awaitable<bool> ServerWatch::add_metrics(std::size_t index, ServerSample* sample) {
  if (of_metrics_.size() <= index) of_metrics_.resize(index + 1);
  HttpRequest request;
  request.method = "GET";
  request.target = "/metrics";
  HostPort where = options_.metrics[index];
  auto answer = co_await fetch_http(std::move(where), std::move(request), kMetricsMax);
  Known& known = of_metrics_[index];
  if (!answer || answer->status != 200) {
    sample->cpu_s += known.cpu_s - known.counted_from;
    co_return false;
  }
  const auto cpu = metric_value(answer->body, "holdfast_process_cpu_seconds_total");
  const auto resident = metric_value(answer->body, "holdfast_process_resident_bytes");
  if (!cpu) co_return false;
  sample->cpu_s += counted(known, *cpu);
  sample->resident_bytes += static_cast<std::uint64_t>(resident.value_or(0));
  co_return true;
}

Awaitable<std::optional<ServerSample>> ServerWatch::look() {
  ServerSample sample;
  sample.at = steady_now();
  bool any = false;
  for (std::size_t i = 0; i < options_.processes.size(); ++i) add_process(i, sample);
  for (std::size_t i = 0; i < options_.metrics.size(); ++i) {
    const bool answered = co_await add_metrics(i, &sample);
    any = any || answered;
  }
  any = any || sample.resident_bytes > 0;
  sample.kernel_tcp_bytes = static_cast<double>(kernel_figures().buffer_bytes);
  if (!any) co_return std::nullopt;
  co_return sample;
}

Awaitable<void> ServerWatch::sample(ServerWatch* watch) {
  boost::asio::steady_timer timer(watch->executor_);
  while (!watch->stopping_) {
    const auto sample = co_await watch->look();
    if (sample) watch->samples_.push_back(*sample);
    timer.expires_after(std::chrono::milliseconds(watch->options_.metrics.empty() ? 200 : 1'000));
    co_await timer.async_wait(use_awaitable);
  }
}

void ServerWatch::start() {
  if (knows()) tasks_.spawn("server watch", sample(this));
}

Awaitable<void> ServerWatch::stop() {
  stopping_ = true;
  co_await tasks_.join();
}

Awaitable<void> ServerWatch::wait_until_quiet(std::chrono::duration<double> max) {
  if (!knows()) co_return;
  constexpr std::chrono::milliseconds kSpan{500};
  constexpr double kQuiet_s = 0.025;
  const SteadyTime until = steady_now() + std::chrono::duration_cast<SteadyTime::duration>(max);
  boost::asio::steady_timer timer(executor_);
  auto before = co_await look();
  while (before && steady_now() < until) {
    timer.expires_after(kSpan);
    co_await timer.async_wait(use_awaitable);
    const auto now = co_await look();
    if (!now || now->cpu_s - before->cpu_s < kQuiet_s) co_return;
    before = now;
  }
}

}  // namespace holdfast::load

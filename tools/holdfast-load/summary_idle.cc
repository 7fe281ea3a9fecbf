#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "tools/holdfast-load/summary.h"

namespace holdfast::load {
namespace {

bool servers_are_here(const RunFigures& run) { return !run.options.watch.processes.empty(); }

std::optional<double> server_bytes(const RunFigures& run, double sessions) {
  const auto& before = run.span("open").server_before;
  const auto& after = run.span("hold").server_before;
  if (!before || !after) return std::nullopt;
  return (static_cast<double>(after->resident_bytes) - static_cast<double>(before->resident_bytes)) / sessions;
}

/// Of one end: both are on this machine, and cost the kernel the same.
std::optional<double> kernel_bytes(const RunFigures& run, double sessions) {
  const KernelFigures& before = run.span("open").kernel_before;
  const KernelFigures& after = run.span("hold").kernel_before;
  if (!servers_are_here(run) || !after.slab_known) return std::nullopt;
  const double slab = static_cast<double>(after.slab_bytes) - static_cast<double>(before.slab_bytes);
  const double buffers = static_cast<double>(after.buffer_bytes) - static_cast<double>(before.buffer_bytes);
  return (slab + buffers) / sessions / 2;
}

std::optional<double> cores_in(const Span& span) {
  const auto cpu_s = span.server_cpu_s();
  if (!cpu_s || span.time().count() <= 0) return std::nullopt;
  return *cpu_s / span.time().count();
}

}  // namespace

Summary summarize_idle(const RunFigures& run) {
  const Tally& t = run.tally;
  const Plan& plan = run.options.plan;
  const auto sessions = static_cast<double>(plan.sessions);
  Summary summary;
  summary.title = fmt::format("idle: {} sessions", plan.sessions);
  summary.figures.emplace_back("sessions", "sessions", plan.sessions);
  summary.figures.emplace_back("server_bytes_per_session", "server's memory for a session, B",
                               server_bytes(run, sessions));
  summary.figures.emplace_back("kernel_bytes_per_session", "kernel's at its end, B", kernel_bytes(run, sessions));
  const double alive = sessions * plan.seconds;
  summary.figures.emplace_back("keepalive_bytes_per_session_per_s", "keep-alive for a session, B/s",
                               static_cast<double>(t.count("hold_read_bytes") + t.count("hold_written_bytes")) / alive);
  const auto holding = cores_in(run.span("hold")), talking = cores_in(run.span("talk"));
  summary.figures.emplace_back("server_cores_idle", "server's cores meanwhile", holding);
  std::optional<double> cpu_us;
  if (holding && talking && t.count("message_delivered") > 0)
    cpu_us = std::max(0.0, *talking - *holding) * run.span("talk").time().count() * 1e6 /
             static_cast<double>(t.count("message_delivered"));
  summary.figures.emplace_back("server_cpu_us_per_message", "server's us for a message", cpu_us);
  summary.figures.emplace_back("messages", "messages to some of them", t.count("message_sent"));
  summary.figures.emplace_back("lost_connections", "connections lost", t.count("lost_connections"));
  summary.figures.emplace_back("message_ack_ms", "message acknowledged", t.time("message_ack"));
  summary.figures.emplace_back("message_delivery_ms", "message delivered", t.time("message_delivery"));
  add_findings(run, summary);
  check_bounds(run, nullptr, summary);
  add_generator(run, {"hold", "talk"}, summary);
  if (servers_are_here(run) && !run.span("hold").kernel_before.slab_known)
    summary.notes.push_back("The kernel's share is not known: only root may read /proc/slabinfo.");
  if (!servers_are_here(run))
    summary.notes.push_back(
        "The kernel's share is not known: the servers are not on this machine, or not known by pid.");
  summary.charts.push_back({"Connections", "open", {curve_line(run, "connections", "open", true)}});
  add_times_chart(run, "message_delivery", "Messages to some of them", summary);
  add_server_charts(run, summary);
  return summary;
}

}  // namespace holdfast::load

// Summaries of the scenarios in which messages are what counts: groups, mix, hostile.
#include <spdlog/fmt/fmt.h>

#include "tools/holdfast-load/summary.h"

namespace holdfast::load {
namespace {

double a_second(std::uint64_t count, double seconds) { return seconds > 0 ? static_cast<double>(count) / seconds : 0; }

/// The server's processor time for each, from the beginning of one step to the end of another.
std::optional<double> cpu_us_for(const Span& first, const Span& last, std::uint64_t count) {
  if (!first.server_before || !last.server_after || count == 0) return std::nullopt;
  return (last.server_after->cpu_s - first.server_before->cpu_s) * 1e6 / static_cast<double>(count);
}

void add_memory(const RunFigures& run, Summary& summary) {
  std::optional<double> memory;
  if (run.resident_most() > 0) memory = static_cast<double>(run.resident_most()) / (1 << 20);
  summary.figures.emplace_back("server_resident_mib_max", "server's memory at most, MiB", memory);
}

}  // namespace

Summary summarize_groups(const RunFigures& run) {
  const Tally& t = run.tally;
  const Plan& plan = run.options.plan;
  const Span& send = run.span("send");
  const Span& settle = run.span("settle");  // what was still under way at the end of sending is delivered in it
  const double whole_s = settle.to.count() - send.from.count();
  Summary summary;
  summary.title = fmt::format("groups: {} members online, {:g} messages a second of {} bytes", plan.sessions, plan.rate,
                              plan.body_bytes);
  summary.figures.emplace_back("members", "members", plan.sessions);
  summary.figures.emplace_back("rate", "messages a second planned", plan.rate);
  summary.figures.emplace_back("sent", "sent", t.count("message_sent"));
  summary.figures.emplace_back("acked", "acknowledged", t.count("message_acked"));
  summary.figures.emplace_back("put_off", "refused for the moment", t.count("put_off"));
  summary.figures.emplace_back("delivered", "delivered, to each member", t.count("message_delivered"));
  summary.figures.emplace_back("delivered_per_s", "delivered a second",
                               a_second(t.count("message_delivered"), whole_s));
  summary.figures.emplace_back("server_cpu_us_per_delivery", "server's us for a delivery",
                               cpu_us_for(send, settle, t.count("message_delivered")));
  summary.figures.emplace_back("ack_ms", "acknowledged", t.time("message_ack"));
  summary.figures.emplace_back("delivery_ms", "delivered", t.time("message_delivery"));
  add_memory(run, summary);
  add_findings(run, summary);
  check_bounds(run, &t.time("message_delivery"), summary);
  add_generator(run, {"send"}, summary);
  summary.charts.push_back({"Delivered", "a second", {curve_line(run, "message_delivered", "delivered", false)}});
  add_times_chart(run, "message_delivery", "Time to each member", summary);
  add_times_chart(run, "message_ack", "Time to the acknowledgement", summary);
  add_server_charts(run, summary);
  return summary;
}

Summary summarize_mix(const RunFigures& run) {
  const Tally& t = run.tally;
  const Span& span = run.span("run");
  Summary summary;
  summary.title = fmt::format("mix: {} sessions for {:g} s", run.options.plan.sessions, run.options.plan.seconds);
  summary.figures.emplace_back("sessions", "sessions", run.options.plan.sessions);
  for (const auto& [key, label] : {std::pair{"message_sent", "direct messages"},
                                   {"message_delivered", "of them delivered"},
                                   {"group_sent", "group messages"},
                                   {"group_delivered", "delivered, to each member"},
                                   {"reads", "read marks"},
                                   {"typing", "typing notes"},
                                   {"pages", "pages of history"},
                                   {"drop_outs", "drop-outs"},
                                   {"resumed", "of them back"},
                                   {"logged_in", "log-ins with a password"},
                                   {"skipped", "skipped, since away"},
                                   {"lost_connections", "connections lost"}})
    summary.figures.emplace_back(key, label, t.count(key));
  add_handshakes(run, summary);
  const auto cpu_s = span.server_cpu_s();
  std::optional<double> cores;
  if (cpu_s && span.time().count() > 0) cores = *cpu_s / span.time().count();
  summary.figures.emplace_back("server_cores", "server's cores", cores);
  add_memory(run, summary);
  summary.figures.emplace_back("ack_ms", "message acknowledged", t.time("message_ack"));
  summary.figures.emplace_back("delivery_ms", "message delivered", t.time("message_delivery"));
  summary.figures.emplace_back("group_delivery_ms", "group message delivered", t.time("group_delivery"));
  summary.figures.emplace_back("read_ms", "read mark", t.time("read"));
  summary.figures.emplace_back("page_ms", "page of history", t.time("page"));
  summary.figures.emplace_back("resume_ms", "resumed", t.time("resume"));
  summary.figures.emplace_back("log_in_ms", "logged in", t.time("log_in"));
  add_findings(run, summary);
  check_bounds(run, &t.time("message_delivery"), summary);
  add_generator(run, {"run"}, summary);
  Chart delivered{"Delivered", "a second", {curve_line(run, "message_delivered", "direct", false)}};
  delivered.lines.push_back(curve_line(run, "group_delivered", "in groups", false));
  summary.charts.push_back(std::move(delivered));
  add_times_chart(run, "message_delivery", "Direct messages", summary);
  add_times_chart(run, "group_delivery", "Group messages", summary);
  add_times_chart(run, "resume", "Coming back after a drop-out", summary);
  add_times_chart(run, "log_in", "Log-ins with a password", summary);
  add_server_charts(run, summary);
  return summary;
}

Summary summarize_hostile(const RunFigures& run) {
  const Tally& t = run.tally;
  const Plan& plan = run.options.plan;
  Summary summary;
  summary.title = fmt::format("hostile: {} clients of the kind \"{}\"", plan.connections, plan.kind);
  summary.figures.emplace_back("kind", "", plan.kind);
  summary.figures.emplace_back("connections", "of them at once", plan.connections);
  summary.figures.emplace_back("attempts", "attempts", t.count("attempts"));
  summary.figures.emplace_back("answered", "answered", t.count("answered"));
  summary.figures.emplace_back("denied", "refused with words", t.count("denied"));
  summary.figures.emplace_back("closed", "hung up on", t.count("closed"));
  summary.figures.emplace_back("unreachable", "not even connected", t.count("unreachable_for_them"));
  const auto& before = run.span("attack").server_before;
  std::optional<double> resident_before;
  if (before) resident_before = static_cast<double>(before->resident_bytes) / (1 << 20);
  summary.figures.emplace_back("server_resident_mib_before", "server's memory before, MiB", resident_before);
  add_memory(run, summary);
  const auto cpu_s = run.span("attack").server_cpu_s();
  std::optional<double> cores;
  if (cpu_s) cores = *cpu_s / run.span("attack").time().count();
  summary.figures.emplace_back("server_cores", "server's cores meanwhile", cores);
  summary.figures.emplace_back("live_before_ms", "honest messages before", t.time("live_before_delivery"));
  summary.figures.emplace_back("live_during_ms", "honest messages during", t.time("live_during_delivery"));
  add_findings(run, summary);
  check_bounds(run, &t.time("live_during_delivery"), summary);
  add_generator(run, {"before", "attack"}, summary);
  Chart delivered{"Honest messages delivered", "a second", {curve_line(run, "live_before_delivered", "before", false)}};
  delivered.lines.push_back(curve_line(run, "live_during_delivered", "during", false));
  summary.charts.push_back(std::move(delivered));
  add_times_chart(run, "live_before_delivery", "Honest messages before", summary);
  add_times_chart(run, "live_during_delivery", "Honest messages during", summary);
  add_server_charts(run, summary);
  return summary;
}

}  // namespace holdfast::load

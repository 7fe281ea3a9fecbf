#include <spdlog/fmt/fmt.h>

#include "tools/holdfast-load/summary.h"

namespace holdfast::load {
namespace {

std::string title_of(const RunFigures& run) {
  const Plan& plan = run.options.plan;
  std::string title = fmt::format("{}: {} sessions", plan.scenario, plan.sessions);
  if (plan.fault)
    title += ", a node killed under them";
  else
    title += plan.over_s > 0 ? fmt::format(" over {:g} s", plan.over_s) : " at once";
  if (plan.behind > 0) title += fmt::format(", {} messages behind", plan.behind);
  if (plan.log_ins > 0) title += fmt::format(", {} of them with passwords", plan.log_ins);
  return title;
}

void add_turned_away(const RunFigures& run, Summary& summary) {
  const Tally& t = run.tally;
  summary.figures.emplace_back("refused", "tries refused by the server", t.count("refused"));
  summary.figures.emplace_back("timed_out", "tries that clients gave up", t.count("timed_out"));
  summary.figures.emplace_back("unreachable", "tries where nobody listened", t.count("unreachable"));
  const std::uint64_t tries = t.count("refused") + t.count("timed_out") + t.count("unreachable");
  std::optional<double> wait;
  if (tries > 0) wait = static_cast<double>(t.count("waited_ms")) / static_cast<double>(tries);
  summary.figures.emplace_back("wait_ms_mean", "ms waited before the next try", wait);
}

void add_charts(const RunFigures& run, Summary& summary) {
  summary.charts.push_back({"Connections", "open", {curve_line(run, "connections", "open", true)}});
  Chart coming{"Coming back", "a second", {curve_line(run, "resumed", "resumed", false)}};
  coming.lines.push_back(curve_line(run, "caught_up", "caught up", false));
  if (run.tally.count("logged_in") > 0) coming.lines.push_back(curve_line(run, "logged_in", "logged in", false));
  if (run.tally.curves.contains("refused")) coming.lines.push_back(curve_line(run, "refused", "turned away", false));
  summary.charts.push_back(std::move(coming));
  add_times_chart(run, "resume", "Time to resume, of those who did then", summary);
  add_times_chart(run, "live_before_delivery", "Live messages until the storm", summary);
  add_times_chart(run, "live_during_delivery", "Live messages from then on", summary);
  add_server_charts(run, summary);
}

}  // namespace

Summary summarize_storm(const RunFigures& run) {
  const Tally& t = run.tally;
  const Plan& plan = run.options.plan;
  Summary summary;
  summary.title = title_of(run);
  const std::uint64_t resumed = t.count("resumed");
  const double all_back_s = static_cast<double>(t.most("last_resumed_us")) / 1e6;
  const std::optional<double> cpu_s = run.span("storm").server_cpu_s();
  std::optional<double> cpu_us;
  if (cpu_s && resumed > 0) cpu_us = *cpu_s * 1e6 / static_cast<double>(resumed);

  summary.figures.emplace_back("sessions", "sessions", plan.sessions);
  if (plan.fault) summary.figures.emplace_back("disturbed", "of them on the node that died", t.count("disturbed"));
  summary.figures.emplace_back("resumed", "resumed", resumed);
  summary.figures.emplace_back("resumed_per_s", "resumed a second, until the last",
                               all_back_s > 0 ? static_cast<double>(resumed) / all_back_s : 0.0);
  summary.figures.emplace_back("all_back_s", "seconds until the last was back", all_back_s);
  summary.figures.emplace_back("not_back", "never back", t.count("not_back"));
  if (plan.log_ins > 0) {
    summary.figures.emplace_back("logged_in", "logged in", t.count("logged_in"));
    summary.figures.emplace_back("all_logged_in_s", "seconds until the last was",
                                 static_cast<double>(t.most("last_logged_in_us")) / 1e6);
  }
  summary.figures.emplace_back("messages_shown", "messages shown", t.count("shown"));
  const double caught_s = static_cast<double>(t.most("last_caught_up_us")) / 1e6;
  summary.figures.emplace_back("messages_per_s", "messages shown a second",
                               caught_s > 0 ? static_cast<double>(t.count("shown")) / caught_s : 0.0);
  add_turned_away(run, summary);
  add_handshakes(run, summary);
  summary.figures.emplace_back("connect_ms", "connected", t.time("connect"));
  summary.figures.emplace_back("resume_ms", "resumed", t.time("resume"));
  summary.figures.emplace_back("caught_up_ms", "caught up", t.time("caught_up"));
  summary.figures.emplace_back("log_in_ms", "logged in", t.time("log_in"));
  summary.figures.emplace_back("live_before_ms", "live messages before", t.time("live_before_delivery"));
  summary.figures.emplace_back("live_during_ms", "live messages during", t.time("live_during_delivery"));
  summary.figures.emplace_back("server_cpu_us_per_resume", "server's us for a resume", cpu_us);
  std::optional<double> memory;
  if (run.resident_most() > 0) memory = static_cast<double>(run.resident_most()) / (1 << 20);
  summary.figures.emplace_back("server_resident_mib_max", "server's memory at most, MiB", memory);

  add_findings(run, summary);
  if (t.count("not_back") > 0)
    summary.complaints.push_back(
        fmt::format("{} sessions were not back after {:g} s", t.count("not_back"), plan.back_max_s));
  check_bounds(run, &t.time("live_during_delivery"), summary);
  add_generator(run, {"before", "storm"}, summary);
  add_charts(run, summary);
  return summary;
}

}  // namespace holdfast::load

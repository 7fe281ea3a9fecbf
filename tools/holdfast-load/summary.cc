#include "tools/holdfast-load/summary.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/check.h"

namespace holdfast::load {
namespace {

double to_ms(std::chrono::nanoseconds time) { return std::chrono::duration<double, std::milli>(time).count(); }

/// One process that uses this much of a core has nothing left for being on time.
constexpr double kBusyCore = 0.9;
constexpr double kLate_ms = 10;
constexpr double kBusyMachine = 0.95;

}  // namespace

Figure::Figure(std::string in_json, std::string for_people, std::optional<double> number)
    : key(std::move(in_json)), label(std::move(for_people)) {
  if (number) value = *number;
}

Figure::Figure(std::string in_json, std::string for_people, const Histogram& histogram)
    : key(std::move(in_json)), label(std::move(for_people)) {
  if (histogram.count() == 0) return;
  value = Times{histogram.count(), to_ms(histogram.at(0.5)), to_ms(histogram.at(0.99)), to_ms(histogram.at(0.999)),
                to_ms(histogram.max())};
}

Summary summarize(const RunFigures& run) {
  const std::string& scenario = run.options.plan.scenario;
  if (scenario == "storm" || scenario == "catchup") return summarize_storm(run);
  if (scenario == "idle") return summarize_idle(run);
  if (scenario == "groups") return summarize_groups(run);
  if (scenario == "mix") return summarize_mix(run);
  if (scenario == "hostile") return summarize_hostile(run);
  HF_CHECK(false, "a scenario that options let through");
  return {};
}

void add_findings(const RunFigures& run, Summary& summary) {
  const Findings& found = run.tally.findings;
  const std::uint64_t unacknowledged = run.tally.count("unacknowledged");
  summary.figures.emplace_back("lost", "messages lost", found.lost);
  summary.figures.emplace_back("duplicated", "duplicated", found.duplicated);
  summary.figures.emplace_back("out_of_order", "out of order", found.out_of_order);
  summary.figures.emplace_back("unacknowledged", "never acknowledged", unacknowledged);
  summary.figures.emplace_back("errors", "errors", run.tally.error_count());
  if (found.lost > 0) summary.complaints.push_back(fmt::format("{} messages were lost", found.lost));
  if (found.duplicated > 0) summary.complaints.push_back(fmt::format("{} messages came twice", found.duplicated));
  if (found.out_of_order > 0) summary.complaints.push_back(fmt::format("{} messages out of order", found.out_of_order));
  if (unacknowledged > 0) summary.complaints.push_back(fmt::format("{} messages never answered", unacknowledged));
  for (const auto& [what, times] : run.tally.errors)
    summary.complaints.push_back(fmt::format("{} times: {}", times, what));
}

void add_handshakes(const RunFigures& run, Summary& summary) {
  const bool known = run.options.plan.speaks_tls();
  for (const auto& [key, label] :
       {std::pair{"tls_handshakes", "TLS handshakes"}, {"tls_resumed", "of them resumed by a ticket"}}) {
    summary.figures.emplace_back(key, label, run.tally.count(key));
    if (!known) summary.figures.back().value = std::monostate();
  }
}

void add_generator(const RunFigures& run, const std::vector<std::string>& steps, Summary& summary) {
  const double busiest = static_cast<double>(run.tally.most("cpu_permille")) / 1'000;
  const Histogram& late = run.tally.time("late");
  double machine = 0;
  for (const std::string& step : steps) machine = std::max(machine, run.span(step).machine_busy);
  const bool limited = busiest >= kBusyCore || to_ms(late.at(0.99)) >= kLate_ms;
  summary.figures.emplace_back("generator_limited", "", limited);
  summary.figures.emplace_back("generator_cpu_max", "", busiest);
  summary.figures.emplace_back("generator_late_ms", "", late);
  summary.figures.emplace_back("generator_processes", "", std::uint64_t{run.processes});
  summary.figures.emplace_back("machine_busy", "", machine);
  if (busiest >= kBusyCore)
    summary.notes.push_back(
        fmt::format("THE LOAD GENERATOR WAS THE LIMIT: one of its {} processes used {:.0f} % of a core. "
                    "Give it more (--processes), or more machines (--workers-at).",
                    run.processes, busiest * 100));
  else if (limited)
    summary.notes.push_back(
        fmt::format("THE LOAD GENERATOR WAS LATE: one in a hundred planned moments was met {:.0f} ms "
                    "late or more. What is measured includes that.",
                    to_ms(late.at(0.99))));
  if (machine >= kBusyMachine)
    summary.notes.push_back(
        "All processors of this machine were busy. If the servers run here, too, they had to share them with the "
        "load.");
}

void check_bounds(const RunFigures& run, const Histogram* live, Summary& summary) {
  const Bounds& bounds = run.options.bounds;
  const std::uint64_t refused = run.tally.count("refused");
  if (bounds.refused_max && refused > *bounds.refused_max)
    summary.complaints.push_back(fmt::format("{} tries were refused, {} were allowed", refused, *bounds.refused_max));
  if (bounds.live_p99_ms_max && live != nullptr && to_ms(live->at(0.99)) > *bounds.live_p99_ms_max)
    summary.complaints.push_back(fmt::format("honest messages took {:.1f} ms (p99), {:g} were allowed",
                                             to_ms(live->at(0.99)), *bounds.live_p99_ms_max));
  if (bounds.resident_max && run.resident_most() > *bounds.resident_max)
    summary.complaints.push_back(
        fmt::format("the servers took {} bytes of memory, {} were allowed", run.resident_most(), *bounds.resident_max));
}

Chart::Line curve_line(const RunFigures& run, const std::string& curve, const std::string& name, bool sum) {
  Chart::Line line{name, {}};
  const auto found = run.tally.curves.find(curve);
  if (found == run.tally.curves.end()) return line;
  const double step = std::chrono::duration<double>(found->second.step()).count();
  double so_far = 0;
  const auto& points = found->second.points();
  for (std::size_t i = 0; i < points.size(); ++i) {
    so_far += static_cast<double>(points[i]);
    // A sum is reached at the end of its step; a rate is the step's, and stands in its middle.
    const double value = sum ? so_far : static_cast<double>(points[i]) / step;
    line.points.emplace_back((static_cast<double>(i) + (sum ? 1 : 0.5)) * step, value);
  }
  return line;
}

void add_times_chart(const RunFigures& run, const std::string& curve, const std::string& title, Summary& summary) {
  const auto found = run.tally.times_curves.find(curve);
  if (found == run.tally.times_curves.end()) return;
  Chart chart{title, "ms", {{"p50", {}}, {"p99", {}}, {"max", {}}}};
  constexpr double kShares[] = {0.5, 0.99, 1};
  const double step = std::chrono::duration<double>(found->second.step()).count();
  const auto& points = found->second.points();
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].empty()) continue;
    for (std::size_t k = 0; k < std::size(kShares); ++k)
      chart.lines[k].points.emplace_back((static_cast<double>(i) + 0.5) * step, to_ms(points[i].at(kShares[k])));
  }
  if (!chart.lines.front().points.empty()) summary.charts.push_back(std::move(chart));
}

void add_server_charts(const RunFigures& run, Summary& summary) {
  if (run.samples.size() < 2) return;
  Chart cpu{"Processor time of the servers", "cores", {{"in use", {}}}};
  Chart memory{"Memory of the servers", "MiB", {{"resident", {}}}};
  for (std::size_t i = 1; i < run.samples.size(); ++i) {
    const ServerSample& sample = run.samples[i];
    const ServerSample& before = run.samples[i - 1];
    const double at = std::chrono::duration<double>(sample.at - run.began).count();
    const double span = std::chrono::duration<double>(sample.at - before.at).count();
    if (at < 0 || span <= 0) continue;
    cpu.lines[0].points.emplace_back(at, (sample.cpu_s - before.cpu_s) / span);
    memory.lines[0].points.emplace_back(at, static_cast<double>(sample.resident_bytes) / (1 << 20));
  }
  summary.charts.push_back(std::move(cpu));
  summary.charts.push_back(std::move(memory));
}

}  // namespace holdfast::load

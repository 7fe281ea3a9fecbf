/// What a run came to, in words: one list that is shown, written as JSON and put on the page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tools/holdfast-load/run_figures.h"

namespace holdfast::load {

/// One figure. What is not known is null in JSON and left out elsewhere.
struct Figure {
  struct Times {
    std::uint64_t count = 0;
    double p50 = 0, p99 = 0, p999 = 0, max = 0;  ///< milliseconds
  };
  using Value = std::variant<std::monostate, std::uint64_t, double, bool, std::string, Times>;

  std::string key;    ///< in JSON; they stay
  std::string label;  ///< for people; empty: only in JSON
  Value value;

  Figure(std::string in_json, std::string for_people, std::uint64_t count)
      : key(std::move(in_json)), label(std::move(for_people)), value(count) {}
  Figure(std::string in_json, std::string for_people, double number)
      : key(std::move(in_json)), label(std::move(for_people)), value(number) {}
  Figure(std::string in_json, std::string for_people, bool yes)
      : key(std::move(in_json)), label(std::move(for_people)), value(yes) {}
  Figure(std::string in_json, std::string for_people, std::string text)
      : key(std::move(in_json)), label(std::move(for_people)), value(std::move(text)) {}
  Figure(std::string in_json, std::string for_people, std::optional<double> number);
  /// In milliseconds; null if nothing was counted.
  Figure(std::string in_json, std::string for_people, const Histogram& histogram);
};

/// A curve, or several on the same axes. x in seconds since the beginning.
struct Chart {
  struct Line {
    std::string name;
    std::vector<std::pair<double, double>> points;
  };
  std::string title;
  std::string unit;
  std::vector<Line> lines;
};

struct Summary {
  std::string title;  ///< "storm: 1000 sessions at once, 10 messages behind"
  std::vector<Figure> figures;
  std::vector<std::string> notes;       ///< what whoever reads the figures should know
  std::vector<std::string> complaints;  ///< empty: all is well
  std::vector<Chart> charts;

  bool good() const { return complaints.empty(); }
};

/// By the plan's scenario. Pure.
Summary summarize(const RunFigures& run);

// ---- for the files summary_*.cc
Summary summarize_storm(const RunFigures& run);
Summary summarize_idle(const RunFigures& run);
Summary summarize_groups(const RunFigures& run);
Summary summarize_mix(const RunFigures& run);
Summary summarize_hostile(const RunFigures& run);

/// Lost, duplicated, out of order, unacknowledged, errors: as figures and complaints.
void add_findings(const RunFigures& run, Summary& summary);
/// How many TLS handshakes there were, and how many of them went on from an earlier connection; null without TLS.
void add_handshakes(const RunFigures& run, Summary& summary);
/// Whether the load's own processes were the limit, during these steps.
void add_generator(const RunFigures& run, const std::vector<std::string>& steps, Summary& summary);
/// What the bounds say of refusals, live latency (of this histogram) and memory.
void check_bounds(const RunFigures& run, const Histogram* live, Summary& summary);
/// The servers' processor time and memory over time, if they are known.
void add_server_charts(const RunFigures& run, Summary& summary);
/// p50, p99 and the greatest over time, of this curve; nothing if there is none.
void add_times_chart(const RunFigures& run, const std::string& curve, const std::string& title, Summary& summary);
/// So many a second, or (`sum`) how many so far.
Chart::Line curve_line(const RunFigures& run, const std::string& curve, const std::string& name, bool sum);

// ---- what is done with it
std::string summary_text(const Summary& summary);
std::string summary_json(const RunFigures& run, const Summary& summary);
/// A page of its own: nothing from elsewhere, no script.
std::string summary_page(const RunFigures& run, const Summary& summary);

}  // namespace holdfast::load

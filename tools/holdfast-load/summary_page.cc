// A summary as a page: verdict, figures, latencies, curves.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/version.h"
#include "tools/holdfast-load/chart.h"

namespace holdfast::load {
namespace {

constexpr const char* kStyle = R"(
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1120px;padding:0 1rem;color:#1c2430;background:#fff}
h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}
.verdict{padding:1rem 1.2rem;border-radius:8px;color:#fff}.good{background:#2e7d4f}.bad{background:#b3261e}
.verdict p{margin:.2rem 0 0}.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:.6rem;
margin:1rem 0}.card{border:1px solid #dde2e8;border-radius:6px;padding:.5rem .8rem}.card b{display:block;font-size:1.25rem}
.card span{color:#5b6673;font-size:.85rem}table{border-collapse:collapse;font-size:.9rem}td,th{padding:.25rem .8rem;
text-align:right;border-bottom:1px solid #dde2e8}td:first-child,th:first-child{text-align:left}
.note{background:#fff6dd;border:1px solid #eed795;border-radius:6px;padding:.5rem .8rem;margin:.5rem 0}
svg{width:100%;height:auto;background:#fafbfc;border:1px solid #dde2e8;border-radius:6px}
svg text{font:11px system-ui,sans-serif;fill:#44505e}.grid{stroke:#e3e8ee}.mark{stroke:#9aa5b1;stroke-dasharray:3 3}
.fault{stroke:#c0392b;stroke-width:2}.quiet{color:#5b6673}
)";

struct InCard {
  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(std::uint64_t count) const { return std::to_string(count); }
  std::string operator()(double number) const {
    return number >= 100 ? fmt::format("{:.0f}", number) : fmt::format("{:.2f}", number);
  }
  std::string operator()(bool yes) const { return yes ? "yes" : "no"; }
  std::string operator()(const std::string& text) const { return escaped(text); }
  std::string operator()(const Figure::Times&) const { return ""; }
};

std::string verdict(const Summary& summary) {
  std::string out =
      fmt::format("<div class=\"verdict {}\"><h1>{}</h1>", summary.good() ? "good" : "bad", escaped(summary.title));
  if (summary.good()) out += "<p>All is well: nothing lost, doubled or out of order, nobody left outside.</p>";
  for (const std::string& one : summary.complaints) out += "<p>" + escaped(one) + "</p>";
  return out + "</div>";
}

std::string cards(const Summary& summary) {
  std::string out = "<div class=\"cards\">";
  for (const Figure& figure : summary.figures) {
    const std::string value = std::visit(InCard(), figure.value);
    if (figure.label.empty() || value.empty()) continue;
    out += fmt::format("<div class=\"card\"><b>{}</b><span>{}</span></div>", value, escaped(figure.label));
  }
  return out + "</div>";
}

std::string times(const Summary& summary) {
  std::string rows;
  for (const Figure& figure : summary.figures) {
    const auto* t = std::get_if<Figure::Times>(&figure.value);
    if (t == nullptr || figure.label.empty()) continue;
    rows += fmt::format("<tr><td>{}</td><td>{}</td><td>{:.2f}</td><td>{:.2f}</td><td>{:.2f}</td><td>{:.2f}</td></tr>",
                        escaped(figure.label), t->count, t->p50, t->p99, t->p999, t->max);
  }
  if (rows.empty()) return rows;
  return "<h2>Latencies, in milliseconds, from the planned moment</h2><table><tr><th></th><th>count</th><th>p50</th>"
         "<th>p99</th><th>p99.9</th><th>max</th></tr>" +
         rows + "</table>";
}

/// The end of the last curve.
double length_of(const Summary& summary) {
  double last = 1;
  for (const Chart& chart : summary.charts)
    for (const auto& line : chart.lines)
      if (!line.points.empty()) last = std::max(last, line.points.back().first);
  return last;
}

}  // namespace

std::string summary_page(const RunFigures& run, const Summary& summary) {
  std::string out = fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>holdfast-load: {}</title><style>{}</style>"
      "</head><body>",
      escaped(summary.title), kStyle);
  out += verdict(summary);
  for (const std::string& note : summary.notes) out += "<p class=\"note\">" + escaped(note) + "</p>";
  out += cards(summary) + times(summary);
  const double to_s = length_of(summary);
  for (const Chart& chart : summary.charts) {
    out += "<h2>" + escaped(chart.title) + "</h2>";
    out += chart_svg(chart, run.marks, to_s);
  }
  out += fmt::format(
      "<p class=\"quiet\">holdfast-load {}, {} worker process{}. The figures are explained in "
      "docs/load-testing.md.</p></body></html>\n",
      kVersion, run.processes, run.processes == 1 ? "" : "es");
  return out;
}

}  // namespace holdfast::load

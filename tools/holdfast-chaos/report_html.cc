// The page: verdict, figures, the timeline and the histograms as SVG. Nothing from elsewhere, no script.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "tools/holdfast-chaos/report.h"

namespace holdfast::chaos {
namespace {

constexpr double kWidth = 1'100, kLeft = 110, kRow = 18, kStrip_s = 300;
constexpr const char* kColours[] = {"#c0392b", "#2c6fbb", "#b8860b", "#2e7d4f", "#8e44ad",
                                    "#d35400", "#16808c", "#7f5539", "#a83279", "#5f6a6a",
                                    "#3949ab", "#689f38", "#e0a800", "#00838f", "#6d4c41"};

constexpr const char* kStyle = R"(
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1120px;padding:0 1rem;color:#1c2430;background:#fff}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.verdict{padding:1rem 1.2rem;border-radius:8px;color:#fff}.good{background:#2e7d4f}.bad{background:#b3261e}
.verdict p{margin:.2rem 0 0}table{border-collapse:collapse;font-size:.85rem}
.group{text-align:center;vertical-align:bottom;border-left:1px solid #dde2e8}td,th{padding:.25rem .4rem;text-align:right;
border-bottom:1px solid #dde2e8;white-space:nowrap}th{white-space:normal}td:first-child,th:first-child{text-align:left}code,pre{background:#f2f4f7;
border-radius:4px;padding:.1rem .3rem}pre{padding:.6rem;overflow-x:auto;white-space:pre-wrap}
svg{width:100%;height:auto;background:#fafbfc;border:1px solid #dde2e8;border-radius:6px}
svg text{font:11px system-ui,sans-serif;fill:#44505e}li{margin:.15rem 0}.quiet{color:#5b6673}
)";

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

double seconds(Micros time) { return static_cast<double>(time) / 1e6; }

class Page {
 public:
  explicit Page(const Report& report)
      : report_(report), history_(*report.history), kinds_(by_kind(history_)), outages_(outages_of(history_)) {}

  std::string write() {
    head();
    figures();
    timeline();
    histograms();
    list("Violations", violations());
    list(report_.goals_count ? "Goals missed" : "Goals missed (reported, not judged here)", report_.missed_goals);
    list("Notes", report_.notes);
    out_ += fmt::format(
        "<h2>Again</h2><p>Seed {}. The schedule of faults follows from it; how threads and packets "
        "fall does not.</p><pre>{}</pre>",
        report_.seed, escaped(report_.command));
    return out_ + "</body></html>\n";
  }

 private:
  std::string colour(const std::string& kind) const {
    const auto index = static_cast<std::size_t>(std::distance(kinds_.begin(), kinds_.find(kind)));
    return kColours[index % std::size(kColours)];
  }

  void head() {
    const Counts counts = counts_of(report_);
    out_ += fmt::format(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>holdfast-chaos: {0}</title>"
        "<style>{1}</style></head><body><div class=\"verdict {2}\"><h1>{3}</h1><p>{4} messages acknowledged: {5} lost, "
        "{6} duplicated, {7} out of order. {8} faults in {9:.0f} s. {15} sessions ended on purpose, {16} tries to use "
        "them afterwards, {17} accepted. {18} letters to users with mail, {19} mails: {20} missing, {21} more than "
        "once "
        "under their Message-ID.</p></div>"
        "<p class=\"quiet\">{10} nodes, {11} clients, {12:g} messages a second; {13}; seed {14}</p>",
        report_.good() ? "good" : "violated", kStyle, report_.good() ? "good" : "bad",
        report_.good() ? "Everything holds" : "Violated", counts.acked, counts.lost, counts.duplicated,
        counts.out_of_order, history_.faults.size(), seconds(history_.sending_ended), report_.nodes, report_.clients,
        report_.rate, report_.began, report_.seed, counts.sessions_ended, counts.tries_after,
        std::ranges::count(report_.violations, Kind::revoked_accepted, &Violation::kind), counts.letters, counts.mails,
        counts.mails_missing, counts.mails_repeated);
  }

  struct Column {
    const char* title;
    Figures KindFigures::* figures;
    bool whole;  ///< with count and median
  };
  static std::string cells(const Figures& figures, bool whole) {
    if (figures.count == 0) return whole ? "<td>0</td><td></td><td></td><td></td>" : "<td></td><td></td>";
    return (whole ? fmt::format("<td>{}</td><td>{:.0f}</td>", figures.count, figures.p50) : std::string()) +
           fmt::format("<td>{:.0f}</td><td>{:.0f}</td>", figures.p99, figures.max);
  }

  void figures() {
    static constexpr Column kColumns[] = {
        {"conversations disturbed: longest wait", &KindFigures::outage, true},
        {"of these, senders whose connection held", &KindFigures::partition, true},
        {"devices in use back after", &KindFigures::back, true},
        {"idle ones", &KindFigures::idle_back, false},
        {"messages shown after", &KindFigures::delivery, false},
        {"whole again after", &KindFigures::healthy, false},
    };
    out_ += "<h2>By kind of fault</h2><p class=\"quiet\">All times in milliseconds.</p><table><tr><th></th><th></th>";
    for (const Column& column : kColumns)
      out_ += fmt::format("<th class=\"group\" colspan=\"{}\">{}</th>", column.whole ? 4 : 2, column.title);
    out_ += "</tr><tr><th>kind</th><th>faults</th>";
    for (const Column& column : kColumns)
      out_ += column.whole ? "<th>n</th><th>p50</th><th>p99</th><th>max</th>" : "<th>p99</th><th>max</th>";
    out_ += "</tr>";
    for (const auto& [kind, figures] : kinds_) {
      out_ += fmt::format("<tr><td><span style=\"color:{}\">&#9632;</span> {}</td><td>{}</td>", colour(kind), kind,
                          figures.faults);
      for (const Column& column : kColumns) out_ += cells(figures.*column.figures, column.whole);
      out_ += "</tr>";
    }
    out_ += "</table>";
  }

  // ---- the timeline: strips of some minutes, each with the faults, and a row for each conversation with its outages
  double x(Micros time) const {
    return kLeft + std::clamp(seconds(time - strip_from_) / strip_s_, 0.0, 1.0) * (kWidth - kLeft - 10);
  }
  void box(Micros from, Micros to, double y, double height, const std::string& fill, double opacity,
           const std::string& title) {
    if (to < strip_from_ || seconds(from - strip_from_) > strip_s_) return;
    out_ += fmt::format(
        "<rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\" fill=\"{}\" opacity=\"{:g}\"><title>{}"
        "</title></rect>",
        x(from), y, std::max(x(to) - x(from), 1.0), height, fill, opacity, escaped(title));
  }
  void text(double at_x, double y, const std::string& words, const char* anchor = "start") {
    out_ +=
        fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>", at_x, y, anchor, escaped(words));
  }

  void timeline() {
    out_ += fmt::format(
        "<h2>Faults, and who waited</h2><p class=\"quiet\">Above: the fault, and pale until all is in sync again. "
        "Below: "
        "a row for each conversation, marked where a message waited more than {} ms. The colours are those of the "
        "table; "
        "what each is shows under the pointer.</p>",
        kDisturbed / 1'000);
    const double whole = std::max(seconds(history_.sending_ended), 1.0);
    strip_s_ = whole / std::ceil(whole / kStrip_s);
    for (double from = 0; from < whole - 0.001; from += strip_s_) {
      strip_from_ = static_cast<Micros>(from * 1e6);
      strip();
    }
  }

  void strip() {
    const double rows = static_cast<double>(history_.conversations.size());
    const double top = 40, height = top + rows * kRow / 2 + 30;
    out_ += fmt::format("<svg viewBox=\"0 0 {:g} {:.0f}\">", kWidth, height);
    text(8, 24, "faults");
    text(8, top + 12, "conversations");
    for (std::size_t i = 0; i < history_.faults.size(); ++i) {
      const Fault& fault = history_.faults[i];
      const std::string title = fmt::format("{} of {}, at {:.1f} s for {:.1f} s", fault.kind, fault.target,
                                            seconds(fault.began), seconds(fault.ended - fault.began));
      box(fault.began, fault.ended, 10, 20, colour(fault.kind), 1, title);
      if (fault.healthy > fault.ended) box(fault.ended, fault.healthy, 10, 20, colour(fault.kind), 0.3, title);
      box(fault.began, fault.ended, top, rows * kRow / 2, colour(fault.kind), 0.08, title);
      for (const Outage& outage : outages_[i].outages)
        box(outage.from, outage.to, top + outage.conversation * kRow / 2 + 1, kRow / 2 - 2, colour(fault.kind), 0.9,
            fmt::format("conversation {}: {:.0f} ms, {}", outage.conversation, seconds(outage.to - outage.from) * 1e3,
                        title));
    }
    const double step = std::max(1.0, std::ceil(strip_s_ / 10));
    for (double at = 0; at <= strip_s_; at += step)
      text(x(strip_from_ + static_cast<Micros>(at * 1e6)), height - 8,
           fmt::format("{:.0f} s", seconds(strip_from_) + at), "middle");
    out_ += "</svg>";
  }

  // ---- a histogram for each kind, all on one scale
  void histograms() {
    static constexpr double kBounds_ms[] = {150, 200, 300, 500, 750, 1'000, 1'500, 2'000, 3'000, 5'000, 10'000, 20'000};
    constexpr std::size_t kBuckets = std::size(kBounds_ms) + 1;
    constexpr double kStep = (kWidth - kLeft - 10) / kBuckets, kHeight = 54;
    std::size_t drawn = 0;
    for (const auto& [kind, figures] : kinds_) drawn += figures.outage.count > 0;
    if (drawn == 0) return;
    out_ += fmt::format(
        "<h2>How long conversations waited</h2><p class=\"quiet\">Disturbed conversations by their longest wait, one "
        "line a kind.</p><svg viewBox=\"0 0 {:g} {:g}\">",
        kWidth, static_cast<double>(drawn) * kHeight + 24);
    double base = kHeight - 6;
    for (const auto& [kind, figures] : kinds_) {
      if (figures.times.empty()) continue;
      std::vector<std::size_t> counts(kBuckets);
      for (const Micros time : figures.times)
        ++counts[static_cast<std::size_t>(std::distance(
            kBounds_ms,
            std::lower_bound(std::begin(kBounds_ms), std::end(kBounds_ms), static_cast<double>(time) / 1'000)))];
      const auto most = static_cast<double>(std::ranges::max(counts));
      text(8, base, kind);
      for (std::size_t i = 0; i < kBuckets; ++i) {
        if (counts[i] == 0) continue;
        const double height = 4 + static_cast<double>(counts[i]) / most * (kHeight - 24);
        const double left = kLeft + static_cast<double>(i) * kStep;
        out_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>",
                            left + 2, base - height, kStep - 4, height, colour(kind));
        text(left + kStep / 2, base - height - 2, std::to_string(counts[i]), "middle");
      }
      base += kHeight;
    }
    for (std::size_t i = 0; i < kBuckets; ++i)
      text(kLeft + (static_cast<double>(i) + 0.5) * kStep, base - kHeight + 22,
           i < std::size(kBounds_ms) ? fmt::format("to {:g} ms", kBounds_ms[i]) : "more", "middle");
    out_ += "</svg>";
  }

  std::vector<std::string> violations() const {
    std::vector<std::string> all;
    for (const Violation& one : report_.violations) {
      all.push_back(std::string(rule_of(one.kind)) + " " + name_of(one.kind) + ": " + one.text);
      if (all.size() < 200) continue;
      all.push_back("and more: summary.json has all of them");
      break;
    }
    return all;
  }

  void list(const std::string& title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    out_ += "<h2>" + title + "</h2><ul>";
    for (const std::string& line : lines) out_ += "<li>" + escaped(line) + "</li>";
    out_ += "</ul>";
  }

  const Report& report_;
  const History& history_;
  const std::map<std::string, KindFigures> kinds_;
  const std::vector<FaultOutages> outages_;
  std::string out_;
  Micros strip_from_ = 0;  ///< the part of the run that is being drawn
  double strip_s_ = 1;
};

}  // namespace

std::string report_html(const Report& report) { return Page(report).write(); }

}  // namespace holdfast::chaos

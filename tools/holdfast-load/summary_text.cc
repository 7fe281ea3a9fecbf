// A summary for eyes, and as JSON for scripts.
#include <spdlog/fmt/fmt.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "tools/holdfast-load/summary.h"

namespace holdfast::load {
namespace {

namespace json = boost::json;

struct InJson {
  json::value operator()(std::monostate) const { return nullptr; }
  json::value operator()(std::uint64_t count) const { return count; }
  json::value operator()(double number) const { return number; }
  json::value operator()(bool yes) const { return yes; }
  json::value operator()(const std::string& text) const { return json::value(text); }
  json::value operator()(const Figure::Times& t) const {
    return json::object{{"p50", t.p50}, {"p99", t.p99}, {"p999", t.p999}, {"max", t.max}, {"count", t.count}};
  }
};

struct InText {
  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(std::uint64_t count) const { return std::to_string(count); }
  std::string operator()(double number) const {
    return number >= 100 ? fmt::format("{:.0f}", number) : fmt::format("{:.2f}", number);
  }
  std::string operator()(bool yes) const { return yes ? "yes" : "no"; }
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(const Figure::Times&) const { return ""; }
};

std::string times_table(const Summary& summary) {
  std::string rows;
  for (const Figure& figure : summary.figures) {
    const auto* times = std::get_if<Figure::Times>(&figure.value);
    if (times == nullptr || figure.label.empty()) continue;
    rows += fmt::format("{:<34}{:>10.2f}{:>10.2f}{:>10.2f}{:>10.2f}\n", figure.label, times->p50, times->p99,
                        times->p999, times->max);
  }
  if (rows.empty()) return rows;
  return fmt::format("{:<34}{:>10}{:>10}{:>10}{:>10}\n", "ms", "p50", "p99", "p99.9", "max") + rows;
}

}  // namespace

std::string summary_text(const Summary& summary) {
  std::string text = summary.title + "\n";
  for (const Figure& figure : summary.figures) {
    const bool shown = !figure.label.empty() && !std::holds_alternative<std::monostate>(figure.value) &&
                       !std::holds_alternative<Figure::Times>(figure.value);
    if (shown) text += fmt::format("{:<34}{:>10}\n", figure.label, std::visit(InText(), figure.value));
  }
  text += times_table(summary);
  for (const std::string& note : summary.notes) text += note + "\n";
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < summary.complaints.size() && i < kShown; ++i) text += summary.complaints[i] + "\n";
  if (summary.complaints.size() > kShown)
    text += fmt::format("and {} more of such kinds\n", summary.complaints.size() - kShown);
  return text + (summary.good() ? "all is well\n" : "NOT WELL\n");
}

std::string summary_json(const RunFigures& run, const Summary& summary) {
  json::object all{{"scenario", run.options.plan.scenario}, {"good", summary.good()}};
  for (const Figure& figure : summary.figures) all[figure.key] = std::visit(InJson(), figure.value);
  json::object refusals;
  constexpr std::string_view kRefusal = "refusal: ";
  for (const auto& [name, count] : run.tally.counts)
    if (name.starts_with(kRefusal)) refusals[name.substr(kRefusal.size())] = count;
  all["refusals"] = std::move(refusals);
  json::array complaints, notes;
  for (const std::string& one : summary.complaints) complaints.push_back(json::value(one));
  for (const std::string& one : summary.notes) notes.push_back(json::value(one));
  all["complaints"] = std::move(complaints);
  all["notes"] = std::move(notes);
  return json::serialize(all) + "\n";
}

}  // namespace holdfast::load

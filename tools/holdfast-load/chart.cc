#include "tools/holdfast-load/chart.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace holdfast::load {
namespace {

constexpr double kWidth = 1'100, kHeight = 260, kLeft = 70, kRight = 20, kTop = 30, kBottom = 34;
constexpr const char* kColours[] = {"#2c6fbb", "#c0392b", "#2e7d4f", "#b8860b", "#8e44ad"};

/// Where values stand. The largest is at the top; logarithmic from a tenth of the smallest on.
struct Axis {
  double least = 0, most = 1;
  bool logarithmic = false;

  double y(double value) const {
    const double low = logarithmic ? std::log10(least) : least, high = logarithmic ? std::log10(most) : most;
    const double at = logarithmic ? std::log10(std::max(value, least)) : value;
    const double part = high > low ? (at - low) / (high - low) : 0;
    return kTop + (1 - std::clamp(part, 0.0, 1.0)) * (kHeight - kTop - kBottom);
  }
};

/// 1, 2 or 5 times a power of ten: what divides `span` into about five.
double round_step(double span) {
  const double raw = std::max(span, 1e-9) / 5;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (raw <= factor * power) return factor * power;
  return 10 * power;
}

Axis axis_of(const Chart& chart) {
  double most = 0, least = std::numeric_limits<double>::max();
  for (const auto& line : chart.lines)
    for (const auto& [x, y] : line.points) {
      most = std::max(most, y);
      if (y > 0) least = std::min(least, y);
    }
  if (chart.unit == "ms" && most > 100 * least)
    return {std::pow(10, std::floor(std::log10(least))), std::pow(10, std::ceil(std::log10(most))), true};
  const double step = round_step(most);
  return {0, std::max(step, std::ceil(most / step) * step), false};
}

std::string number(double value) {
  return value != 0 && std::abs(value) < 10 ? fmt::format("{:.3g}", value) : fmt::format("{:.0f}", value);
}

void draw_axes(const Axis& axis, double to_s, std::string& out) {
  std::vector<double> at;
  if (axis.logarithmic)
    for (double value = axis.least; value <= axis.most * 1.001; value *= 10) at.push_back(value);
  else
    for (double value = 0, step = round_step(axis.most); value <= axis.most * 1.001; value += step) at.push_back(value);
  for (const double value : at)
    out += fmt::format(
        "<line x1=\"{0:g}\" x2=\"{1:g}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" class=\"grid\"/><text x=\"{3:g}\" y=\"{4:.1f}\" "
        "text-anchor=\"end\">{5}</text>",
        kLeft, kWidth - kRight, axis.y(value), kLeft - 6, axis.y(value) + 4, number(value));
  const double step = round_step(2 * to_s) / 2;
  for (double time = 0; time <= to_s * 1.001; time += step)
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:g}\" text-anchor=\"middle\">{} s</text>",
                       kLeft + time / to_s * (kWidth - kLeft - kRight), kHeight - kBottom + 16, number(time));
}

void draw_marks(const std::vector<Mark>& marks, double to_s, std::string& out) {
  std::size_t row = 0;
  for (const Mark& mark : marks) {
    const double x = kLeft + std::clamp(mark.at.count() / to_s, 0.0, 1.0) * (kWidth - kLeft - kRight);
    const bool last = x > kWidth - 150;
    out += fmt::format(
        "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:g}\" y2=\"{2:g}\" class=\"{3}\"/><text x=\"{4:.1f}\" y=\"{5:g}\" "
        "text-anchor=\"{6}\">{7}</text>",
        x, kTop, kHeight - kBottom, mark.fault ? "fault" : "mark", x + (last ? -4 : 4), kTop + 10 + 11.0 * (row++ % 3),
        last ? "end" : "start", escaped(mark.what));
  }
}

void draw_line(const Chart::Line& line, const Axis& axis, double to_s, const char* colour, std::string& out) {
  out += fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\" points=\"", colour);
  for (const auto& [x, y] : line.points)
    out += fmt::format("{:.1f},{:.1f} ", kLeft + std::clamp(x / to_s, 0.0, 1.0) * (kWidth - kLeft - kRight), axis.y(y));
  out += "\"/>";
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string chart_svg(const Chart& chart, const std::vector<Mark>& marks, double to_s) {
  to_s = std::max(to_s, 0.1);
  const Axis axis = axis_of(chart);
  std::string out = fmt::format("<svg viewBox=\"0 0 {:g} {:g}\" role=\"img\">", kWidth, kHeight);
  draw_axes(axis, to_s, out);
  draw_marks(marks, to_s, out);
  double legend = kLeft;
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const char* colour = kColours[i % std::size(kColours)];
    draw_line(chart.lines[i], axis, to_s, colour, out);
    out += fmt::format(
        "<rect x=\"{0:g}\" y=\"8\" width=\"10\" height=\"10\" fill=\"{1}\"/><text x=\"{2:g}\" y=\"17\">{3}"
        "</text>",
        legend, colour, legend + 14, escaped(chart.lines[i].name));
    legend += 30 + 7.0 * static_cast<double>(chart.lines[i].name.size());
  }
  out += fmt::format("<text x=\"{:g}\" y=\"17\" text-anchor=\"end\">{}{}</text>", kWidth - kRight, escaped(chart.unit),
                     axis.logarithmic ? " (logarithmic)" : "");
  return out + "</svg>";
}

}  // namespace holdfast::load

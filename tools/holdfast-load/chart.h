/// A chart as SVG. Pure.
#pragma once

#include <string>
#include <vector>

#include "tools/holdfast-load/summary.h"

namespace holdfast::load {

/// From 0 to `to_s` seconds, with the marks as vertical lines: faults in red, the others grey. An axis that spans more
/// than a factor of 100 in latencies ("ms") is logarithmic, and says so.
std::string chart_svg(const Chart& chart, const std::vector<Mark>& marks, double to_s);

/// Text as it may stand in HTML and SVG.
std::string escaped(const std::string& text);

}  // namespace holdfast::load

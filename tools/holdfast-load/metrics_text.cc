#include "tools/holdfast-load/metrics_text.h"

#include <cstdlib>
#include <string>

namespace holdfast::load {

std::optional<double> metric_value(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') continue;
    const std::string value(line.substr(name.size() + 1));
    char* stopped = nullptr;
    const double number = std::strtod(value.c_str(), &stopped);
    if (stopped != value.c_str()) return number;
  }
  return std::nullopt;
}

}  // namespace holdfast::load

#include "tools/holdfastctl/duration.h"

#include <charconv>
#include <cstdint>

namespace holdfast::ctl {

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  constexpr std::int64_t kMax = 100LL * 365 * 86'400;
  if (text.empty()) return std::nullopt;
  std::int64_t unit = 0;
  switch (text.back()) {
    case 's': unit = 1; break;
    case 'm': unit = 60; break;
    case 'h': unit = 3'600; break;
    case 'd': unit = 86'400; break;
    default: return std::nullopt;
  }
  text.remove_suffix(1);
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count <= 0 || count > kMax / unit)
    return std::nullopt;
  return std::chrono::seconds(count * unit);
}

}  // namespace holdfast::ctl

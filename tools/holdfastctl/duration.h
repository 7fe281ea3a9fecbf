/// "90s", "30m", "12h", "7d": a length of time as an operator writes it. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace holdfast::ctl {

/// Nothing if it is none, or longer than a hundred years.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

}  // namespace holdfast::ctl

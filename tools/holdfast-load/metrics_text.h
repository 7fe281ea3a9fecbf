/// Reading what a server says at /metrics. Pure.
#pragma once

#include <optional>
#include <string_view>

namespace holdfast::load {

/// The value of a metric without labels; nothing if it is not there.
std::optional<double> metric_value(std::string_view text, std::string_view name);

}  // namespace holdfast::load

/// The same frames written to many sockets, and nothing else: the baseline of a large group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/bench/arrivals.h"

namespace holdfast::bench {

/// A child process's whole life: as soon as so many are connected, a frame to each of them, again and again, as fast as
/// they take it.
int serve_fan_out(std::uint16_t port, std::size_t sockets);

/// Frames a second over all sockets, and the writer's processor time for each.
Arrivals measure_fan_out(std::size_t sockets, Seconds time, const std::string& log);

}  // namespace holdfast::bench

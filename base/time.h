/// The two kinds of time. Machines are told the time; they never ask for it.
#pragma once

#include <chrono>
#include <cstdint>

namespace holdfast {

/// Wall-clock time to the millisecond: log time, expiry, what users see. May jump.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
/// For time-outs and intervals within a process. Never goes back.
using SteadyTime = std::chrono::steady_clock::time_point;

inline std::int64_t to_ms(WallTime t) { return t.time_since_epoch().count(); }
inline WallTime from_ms(std::int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

inline WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}
inline SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

}  // namespace holdfast

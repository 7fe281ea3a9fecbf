/// The wall clock that the log goes by: the system's, but for a jump, which would put timers, sessions and mails off by as
/// much, for good: what a log says does not go back.
///
/// A jump is a change of more than 10 s against the steady clock between two looks. It is followed when it has stood for two
/// seconds and the other nodes' clocks agree with it, and never while they speak against it; where there are none to ask,
/// when it has stood for a minute, as after a machine's sleep. Until then time goes on as it did.
/// Thread: look() on one; now() on any.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>

#include "base/time.h"

namespace holdfast {

class LogClock {
 public:
  static constexpr std::chrono::seconds kJump{10}, kAskAfter{2}, kFollowAfter{60};

  /// Starts with what the system says.
  LogClock(WallTime wall, SteadyTime steady) : ahead_(difference(wall, steady)) {}

  /// Several times a second. `agrees`: whether the system's clock is within the limit of most other nodes'; nothing: there
  /// are none, or none has said.
  void look(WallTime wall, SteadyTime steady, std::optional<bool> agrees);
  WallTime now(WallTime wall, SteadyTime steady) const {
    const std::int64_t ahead = ahead_.load(std::memory_order_relaxed);
    return is_jump(difference(wall, steady), ahead) ? from_ms(in_ms(steady) + ahead) : wall;
  }
  /// A jump that is not followed yet.
  bool holds() const { return jumped_at_.has_value(); }

 private:
  static std::int64_t in_ms(SteadyTime steady) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady.time_since_epoch()).count();
  }
  static std::int64_t difference(WallTime wall, SteadyTime steady) { return to_ms(wall) - in_ms(steady); }
  static bool is_jump(std::int64_t difference, std::int64_t ahead) {
    const std::int64_t off = difference - ahead;
    const std::int64_t most = std::chrono::milliseconds(kJump).count();
    return off > most || -off > most;
  }

  std::atomic<std::int64_t> ahead_;  ///< the wall clock's, of the steady one, in ms
  std::optional<SteadyTime> jumped_at_;
};

}  // namespace holdfast

#include "server/log_clock.h"

#include <spdlog/spdlog.h>

namespace holdfast {

void LogClock::look(WallTime wall, SteadyTime steady, std::optional<bool> agrees) {
  const std::int64_t difference = LogClock::difference(wall, steady), ahead = ahead_.load(std::memory_order_relaxed);
  if (!is_jump(difference, ahead)) {
    if (jumped_at_) spdlog::info("clock_back");
    jumped_at_.reset();
    ahead_.store(difference, std::memory_order_relaxed);
    return;
  }
  if (!jumped_at_) {
    spdlog::warn("clock_jumped by_ms={} why='the system's clock was set: see to its time service'", difference - ahead);
    jumped_at_ = steady;
  }
  // What the others' beats say of it is of before it, at first.
  if (steady < *jumped_at_ + (agrees ? kAskAfter : kFollowAfter) || !agrees.value_or(true)) return;
  spdlog::warn("clock_followed by_ms={}", difference - ahead);
  jumped_at_.reset();
  ahead_.store(difference, std::memory_order_relaxed);
}

}  // namespace holdfast

/// How fast a client may go: the generic cell rate algorithm (ITU-T I.371), which is a token bucket kept as one number:
/// the time at which the bucket would be full again.
///
/// Refills `per_second`, holds one second's worth. What is taken may overdraw it once, so a large cost is possible at
/// all; then nothing until it is paid back.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace holdfast::gateway {

namespace detail {
using Nanoseconds = std::int64_t;
inline constexpr Nanoseconds kSecond = 1'000'000'000;
inline Nanoseconds since_start(SteadyTime t) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
}
/// How long to wait before anything may be taken; 0: now.
inline Nanoseconds wait_for(Nanoseconds full_at, Nanoseconds now) {
  return std::max<Nanoseconds>(0, full_at - now - kSecond);
}
inline Nanoseconds after_taking(Nanoseconds full_at, Nanoseconds now, std::uint64_t cost, std::uint64_t per_second) {
  return std::max(full_at, now) +
         static_cast<Nanoseconds>(static_cast<double>(cost) * kSecond / static_cast<double>(per_second));
}
inline std::chrono::milliseconds rounded_up(Nanoseconds wait) {
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds(wait));
}
}  // namespace detail

/// For one connection. Thread: its worker's.
class Rate {
 public:
  /// Zero: taken. Else nothing is taken, and it is worth another try after that time.
  std::chrono::milliseconds take(SteadyTime at, std::uint64_t cost, std::uint64_t per_second) {
    const auto now = detail::since_start(at);
    if (const auto wait = detail::wait_for(full_at_, now); wait > 0) return detail::rounded_up(wait);
    full_at_ = detail::after_taking(full_at_, now, cost, per_second);
    return {};
  }

 private:
  detail::Nanoseconds full_at_ = 0;
};

/// The same, for all connections of a user. Any thread.
class SharedRate {
 public:
  std::chrono::milliseconds take(SteadyTime at, std::uint64_t cost, std::uint64_t per_second) {
    const auto now = detail::since_start(at);
    auto full_at = full_at_.load(std::memory_order_relaxed);
    do {
      if (const auto wait = detail::wait_for(full_at, now); wait > 0) return detail::rounded_up(wait);
    } while (!full_at_.compare_exchange_weak(full_at, detail::after_taking(full_at, now, cost, per_second),
                                             std::memory_order_relaxed));
    return {};
  }

 private:
  std::atomic<detail::Nanoseconds> full_at_{0};
};

}  // namespace holdfast::gateway

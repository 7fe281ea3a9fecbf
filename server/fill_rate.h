/// How fast this node fills copies elsewhere: bytes a second over all its workers, so that it has time for its users.
///
/// Any thread. What was sent is booked; nothing may be sent while more than kAhead of the time to come is booked.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "base/time.h"

namespace holdfast {

class FillRate {
 public:
  static constexpr std::chrono::milliseconds kAhead{100};

  explicit FillRate(std::uint64_t bytes_per_s) : bytes_per_s_(bytes_per_s) {}

  bool may_send(SteadyTime now) const {
    const std::lock_guard lock(mutex_);
    return booked_until_ <= now + kAhead;
  }
  void sent(std::size_t bytes, SteadyTime now) {
    const auto takes = std::chrono::nanoseconds(
        static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(bytes_per_s_)));
    const std::lock_guard lock(mutex_);
    booked_until_ = std::max(booked_until_, now) + takes;
  }

 private:
  const std::uint64_t bytes_per_s_;
  mutable std::mutex mutex_;
  SteadyTime booked_until_{};
};

}  // namespace holdfast

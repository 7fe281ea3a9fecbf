/// Many connections to be told something, not all at once: at most so many a second. Sans-IO value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/time.h"

namespace holdfast::gateway {

class Wave {
 public:
  Wave() = default;
  /// `per_s` > 0. The first are due at once.
  Wave(std::vector<std::uint64_t> connections, double per_s, SteadyTime now)
      : connections_(std::move(connections)), per_s_(per_s), since_(now) {}

  /// Those that are due by now and were not taken before.
  std::vector<std::uint64_t> take(SteadyTime now) {
    const double seconds = std::chrono::duration<double>(now - since_).count();
    const double due = std::min(static_cast<double>(connections_.size()), 1 + std::max(0.0, seconds) * per_s_);
    const std::size_t until = std::max(taken_, static_cast<std::size_t>(due));
    std::vector<std::uint64_t> out(connections_.begin() + static_cast<std::ptrdiff_t>(taken_),
                                   connections_.begin() + static_cast<std::ptrdiff_t>(until));
    taken_ = until;
    if (taken_ == connections_.size()) *this = Wave();
    return out;
  }
  bool is_over() const { return connections_.empty(); }

 private:
  std::vector<std::uint64_t> connections_;
  std::size_t taken_ = 0;
  double per_s_ = 1;
  SteadyTime since_{};
};

}  // namespace holdfast::gateway

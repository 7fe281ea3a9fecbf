/// How long one of many takes that are served one after another, as it was lately. Sans-IO value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include "base/time.h"

namespace holdfast::gateway {

class ServiceTime {
 public:
  /// `guess` holds until something was measured.
  explicit ServiceTime(SteadyTime::duration guess) : each_(guess) {}

  /// So many more were served by now, and others wait behind them.
  void served(std::size_t count, SteadyTime now) {
    if (!since_) since_ = now;  // the first ones after an idle time say when it ended, not how long they took
    if (now - *since_ >= kWindow && served_ >= kServedMin) {
      const auto measured = (now - *since_) / static_cast<SteadyTime::rep>(served_);
      // A thread that was not run for a while looks like slow work: what is slow indeed will be so the next time, too.
      each_ = std::max<SteadyTime::duration>((each_ + std::clamp(measured, each_ / 2, each_ * 2)) / 2, kLeast);
      since_ = now;
      served_ = 0;
    }
    served_ += count;
  }
  /// Nobody waits: what goes by from here on is no service.
  void idle() {
    since_.reset();
    served_ = 0;
  }
  SteadyTime::duration each() const { return each_; }

 private:
  /// Long enough for some to be served in it, short beside what anybody waits.
  static constexpr std::chrono::milliseconds kWindow{20};
  static constexpr std::size_t kServedMin = 64;
  static constexpr std::chrono::microseconds kLeast{1};

  SteadyTime::duration each_;
  std::optional<SteadyTime> since_;  ///< nothing: nobody waited
  std::size_t served_ = 0;           ///< since then
};

}  // namespace holdfast::gateway

/// A time-out for what has none of its own.
#pragma once

#include <chrono>
#include <memory>

#include "net/stream.h"

namespace holdfast {

/// Closes a stream when its time is up. The one who arms it tells by barked() why things ended.
///
/// Owned beside the stream, which outlives it; the stream's thread. One timer, rearmed as often as one likes.
class Watchdog {
 public:
  explicit Watchdog(Stream& stream);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// From now on; replaces what was armed before.
  void arm(std::chrono::milliseconds time);
  void disarm();
  /// The time was up and the stream was closed.
  bool barked() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace holdfast

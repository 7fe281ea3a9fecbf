/// Admission before anything is allocated: while more wait at the door than can be let in at once, those who would wait
/// longer than clients have patience are sent away, and told when there will be room. Work for clients who have given up
/// by then would keep the others waiting until they have given up, too.
///
/// How long one would wait is how many wait, by the time that each of those before took lately, all that the worker did
/// meanwhile included. Who is sent away is told to come back one later than the other: they return in a row and not all
/// at once. Sans-IO value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "server/gateway/service_time.h"

namespace holdfast::gateway {

class Crowd {
 public:
  struct Options {
    std::chrono::milliseconds wait_max{400};       ///< who would wait longer is sent away
    std::chrono::microseconds each_at_first{100};  ///< how long one takes, until that was measured
    std::size_t sent_away_at_once = 8;             ///< after a look; others are let in behind them
  };
  explicit Crowd(Options options) : options_(options), time_(options.each_at_first) {}

  /// Before some are let in: so many wait, of whom the system would drop those beyond `waiting_max`.
  void look(std::size_t waiting, std::size_t waiting_max, SteadyTime now);
  /// Whether somebody waits behind those who are next.
  bool is_there() const { return waiting_ > 0; }
  /// How many are sent away next, the ones first that have waited longest.
  std::size_t surplus() const { return surplus_; }

  /// How long nobody is let in now, after a look: as long as the last ones took, while somebody who was there before asks
  /// for something, the last time `live_at`. So the others have half of the time. Nothing where nobody waits.
  std::chrono::microseconds rest(SteadyTime live_at, SteadyTime now);

  /// The next one. Nothing: is let in. Else is sent away, to come back after so long.
  std::optional<std::chrono::milliseconds> next(SteadyTime now);

  std::size_t waiting() const { return waiting_; }
  SteadyTime::duration each() const { return time_.each(); }

 private:
  std::chrono::milliseconds book(SteadyTime now);

  const Options options_;
  ServiceTime time_;
  std::size_t waiting_ = 0, surplus_ = 0;
  std::size_t let_in_ = 0;     ///< since the last look
  SteadyTime began_at_{};      ///< when the last ones were let in
  SteadyTime booked_until_{};  ///< up to when room was promised to those who were sent away
};

}  // namespace holdfast::gateway

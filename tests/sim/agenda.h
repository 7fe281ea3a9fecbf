/// Simulated time, and what is to happen when: what happens at one moment happens in the order in which it was noted.
///
/// Owned by ClusterWorld. One thread.
#pragma once

#include <functional>
#include <map>

#include "base/random.h"
#include "base/time.h"

namespace holdfast::sim {

using Micros = std::chrono::microseconds;
using Millis = std::chrono::milliseconds;

class Agenda {
 public:
  explicit Agenda(std::uint64_t seed) : random_(seed) {}

  SteadyTime now() const { return now_; }
  SeededRandom& random() { return random_; }
  bool chance(unsigned per_cent) { return random_.below(100) < per_cent; }
  Micros between(Micros least, Micros most) {
    return least + Micros(random_.below(static_cast<std::uint64_t>((most - least).count()) + 1));
  }

  void after(Micros delay, std::function<void()> what) { noted_.emplace(now_ + delay, std::move(what)); }
  /// Nothing of it happens any more.
  void clear() { noted_.clear(); }
  SteadyTime next() const { return noted_.empty() ? SteadyTime::max() : noted_.begin()->first; }
  /// Everything up to then, and then it is then.
  void run_until(SteadyTime then) {
    while (!noted_.empty() && noted_.begin()->first <= then) {
      auto first = noted_.extract(noted_.begin());
      now_ = std::max(now_, first.key());
      first.mapped()();
    }
    now_ = std::max(now_, then);
  }

 private:
  SteadyTime now_{std::chrono::hours(1)};
  SeededRandom random_;
  std::multimap<SteadyTime, std::function<void()>> noted_;
};

}  // namespace holdfast::sim

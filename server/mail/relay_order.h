/// In which order relays are tried: as configured, but one that failed lately comes last.
///
/// Without it every mail would wait for the first relay's time-out while that one is down. Pure value; the caller locks
/// and says the time.
#pragma once

#include <chrono>
#include <vector>

#include "base/time.h"

namespace holdfast::mail {

class RelayOrder {
 public:
  static constexpr std::chrono::seconds kRest{30};

  explicit RelayOrder(std::size_t relays) : rests_until_(relays) {}

  /// All of them, by index.
  std::vector<std::size_t> at(SteadyTime now) const;
  void note_ill(std::size_t relay, SteadyTime now) { rests_until_.at(relay) = now + kRest; }
  void note_well(std::size_t relay) { rests_until_.at(relay) = {}; }

 private:
  std::vector<SteadyTime> rests_until_;
};

}  // namespace holdfast::mail

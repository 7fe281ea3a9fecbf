/// How long people noticed a fault: the longest wait for an answer in each conversation, and how long devices were
/// without a session (H13).
///
/// A conversation is disturbed while messages in it wait longer than kDisturbed, one after the other; the first fault
/// that such a time touches is to blame, and the outage is its longest wait. With the rate open loop and many conversations that is
/// the time for which its partition, or the sender's node, did not serve. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/holdfast-chaos/checker.h"

namespace holdfast::chaos {

inline constexpr Micros kDisturbed = 100'000;

struct Outage {
  Micros from = 0, to = 0;
  std::uint32_t conversation = 0;
};

struct Figures {
  double p50 = 0, p99 = 0, max = 0;  ///< milliseconds
  std::size_t count = 0;
};
Figures figures_of(std::vector<Micros> times);

struct FaultOutages {
  std::vector<Outage> outages;       ///< one for each disturbed conversation
  std::vector<Micros> devices_back;  ///< of devices that lost their connection meanwhile
  std::size_t undisturbed = 0;
};
/// In the order of the history's faults.
std::vector<FaultOutages> outages_of(const History& history);

struct KindFigures {
  std::size_t faults = 0;
  Figures outage, back, healthy;  ///< healthy: from the fault's end until everything is in sync
  std::vector<Micros> times;      ///< all outages, for a histogram
};
std::map<std::string, KindFigures> by_kind(const History& history);

/// H13: the goals of a kill and of a cut cable, missed.
std::vector<std::string> missed_goals(const std::map<std::string, KindFigures>& kinds);

}  // namespace holdfast::chaos

/// How long people noticed a fault (H13): the longest wait for an answer in each conversation, how long devices were
/// without a session, how late messages were shown.
///
/// A conversation is disturbed while messages in it wait longer than kDisturbed, one after the other; the first fault
/// that such a time touches is to blame, and the outage is its longest wait. With the rate open loop and many
/// conversations that is the time for which its partition, or the sender's node, did not serve; what those waited whose
/// own connection held is the partition's alone. Pure.
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
  std::vector<Micros> partitions;    ///< the same of each, of senders whose connection held
  std::vector<Micros> devices_back;  ///< of devices in use that lost their connection: since they last heard it
  std::vector<Micros> idle_back;     ///< of idle ones
  std::vector<Micros> deliveries;    ///< from when it was to be sent to when it was shown, until all is whole again
  std::size_t undisturbed = 0;
};
/// In the order of the history's faults.
std::vector<FaultOutages> outages_of(const History& history);

struct KindFigures {
  std::size_t faults = 0;
  Figures outage, partition, back, idle_back, delivery;
  Figures healthy;            ///< from the fault's end until everything is in sync
  std::vector<Micros> times;  ///< all outages, for a histogram
};
std::map<std::string, KindFigures> by_kind(const History& history);

/// H13: the goals of a kill, of a cut cable and of a drain, missed. "kill:busiest" is a kill.
std::vector<std::string> missed_goals(const std::map<std::string, KindFigures>& kinds);

}  // namespace holdfast::chaos

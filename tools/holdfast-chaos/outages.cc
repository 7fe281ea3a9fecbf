#include "tools/holdfast-chaos/outages.h"

#include <algorithm>
#include <cmath>

namespace holdfast::chaos {
namespace {

double ms(Micros time) { return static_cast<double>(time) / 1'000; }

/// The moment from which a fault is no longer to blame.
Micros end_of(const History& history, std::size_t fault) {
  return fault + 1 < history.faults.size() ? history.faults[fault + 1].began : history.sending_ended;
}

/// A time in which messages of one conversation waited, without a break; and the longest of those waits.
struct Disturbance {
  Micros from = 0, to = 0;
  Outage longest;
};

std::vector<Disturbance> disturbances_of(const std::vector<const Operation*>& by_moment) {
  std::vector<Disturbance> all;
  for (const Operation* sent : by_moment) {
    if (sent->completed - sent->invoked <= kDisturbed) continue;
    if (all.empty() || sent->invoked > all.back().to) all.push_back({sent->invoked, sent->completed, {}});
    Disturbance& last = all.back();
    last.to = std::max(last.to, sent->completed);
    if (sent->completed - sent->invoked > last.longest.to - last.longest.from)
      last.longest = {sent->invoked, sent->completed, sent->conversation};
  }
  return all;
}

/// The first fault that such a time touches is to blame, however long it lasts.
void blame(const History& history, const Disturbance& one, std::map<std::size_t, Outage>& longest) {
  for (std::size_t i = 0; i < history.faults.size(); ++i) {
    if (one.from >= end_of(history, i) || one.to < history.faults[i].began) continue;
    Outage& outage = longest.try_emplace(i).first->second;
    if (one.longest.to - one.longest.from > outage.to - outage.from) outage = one.longest;
    return;
  }
}

}  // namespace

Figures figures_of(std::vector<Micros> times) {
  if (times.empty()) return {};
  std::ranges::sort(times);
  const auto at = [&](double share) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(times.size())));
    return ms(times[std::max<std::size_t>(rank, 1) - 1]);
  };
  return {at(0.5), at(0.99), ms(times.back()), times.size()};
}

std::vector<FaultOutages> outages_of(const History& history) {
  std::vector<FaultOutages> all(history.faults.size());
  std::map<std::uint32_t, std::vector<const Operation*>> conversations;
  for (const Operation& sent : history.operations)
    if (sent.outcome == Operation::Outcome::ok) conversations[sent.conversation].push_back(&sent);
  for (const auto& [conversation, sent] : conversations) {
    std::map<std::size_t, Outage> longest;  // by fault
    for (const Disturbance& one : disturbances_of(sent)) blame(history, one, longest);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto found = longest.find(i);
      if (found == longest.end())
        ++all[i].undisturbed;
      else
        all[i].outages.push_back(found->second);
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const Device& device : history.devices)
      for (const Resumed& resumed : device.resumed)
        if (resumed.when >= history.faults[i].began && resumed.when < end_of(history, i))
          all[i].devices_back.push_back(resumed.away);
  return all;
}

std::map<std::string, KindFigures> by_kind(const History& history) {
  struct Times {
    std::size_t faults = 0;
    std::vector<Micros> outage, back, healthy;
  };
  std::map<std::string, Times> kinds;
  const auto outages = outages_of(history);
  for (std::size_t i = 0; i < history.faults.size(); ++i) {
    Times& times = kinds[history.faults[i].kind];
    ++times.faults;
    for (const Outage& one : outages[i].outages) times.outage.push_back(one.to - one.from);
    times.back.insert(times.back.end(), outages[i].devices_back.begin(), outages[i].devices_back.end());
    if (history.faults[i].healthy >= 0) times.healthy.push_back(history.faults[i].healthy - history.faults[i].ended);
  }
  std::map<std::string, KindFigures> figures;
  for (auto& [kind, times] : kinds)
    figures[kind] = {times.faults, figures_of(times.outage), figures_of(times.back), figures_of(times.healthy),
                     times.outage};
  return figures;
}

std::vector<std::string> missed_goals(const std::map<std::string, KindFigures>& kinds) {
  struct Goal {
    const char* kind;
    const char* what;
    Figures KindFigures::* figures;
    double p99_ms_max;
  };
  static constexpr Goal kGoals[] = {
      {"kill", "partitions serve again after a kill", &KindFigures::outage, 500},
      {"kill", "devices are back after a kill", &KindFigures::back, 1'000},
      {"cut", "clients go on after a cut", &KindFigures::outage, 4'000},
      {"cut", "devices are back after a cut", &KindFigures::back, 4'000},
      {"drain", "nothing waits at a drain", &KindFigures::outage, 200},
  };
  std::vector<std::string> missed;
  for (const Goal& goal : kGoals) {
    const auto kind = kinds.find(goal.kind);
    if (kind == kinds.end()) continue;
    const double p99 = (kind->second.*goal.figures).p99;
    if (p99 > goal.p99_ms_max)
      missed.push_back("H13: " + std::string(goal.what) + " within " + std::to_string(std::lround(goal.p99_ms_max)) +
                       " ms (p99): took " + std::to_string(std::lround(p99)) + " ms");
  }
  return missed;
}

}  // namespace holdfast::chaos

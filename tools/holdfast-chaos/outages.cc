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

/// Whether the sender had no connection for some of the time that the message waited.
bool sender_was_away(const History& history, const Operation& sent) {
  return std::ranges::any_of(history.devices[sent.device].resumed, [&](const Resumed& resumed) {
    return resumed.when - resumed.away <= sent.completed && resumed.when >= sent.invoked;
  });
}

using Operations = std::map<std::uint32_t, std::vector<const Operation*>>;  // by conversation

/// The first fault that such a time touches is to blame, however long it lasts; unless all was well again when it began,
/// and the next one came meanwhile.
void blame(const History& history, const Disturbance& one, std::map<std::size_t, Outage>& longest) {
  for (std::size_t i = 0; i < history.faults.size(); ++i) {
    const Fault& fault = history.faults[i];
    if (one.from >= end_of(history, i) || one.to < fault.began) continue;
    const bool was_over = fault.healthy >= 0 && one.from > fault.healthy;
    if (was_over && i + 1 < history.faults.size() && one.to >= history.faults[i + 1].began) continue;
    Outage& outage = longest.try_emplace(i).first->second;
    if (one.longest.to - one.longest.from > outage.to - outage.from) outage = one.longest;
    return;
  }
}

/// By fault: the longest wait in one conversation, where it was disturbed.
std::map<std::size_t, Outage> longest_waits(const History& history, const std::vector<const Operation*>& by_moment) {
  std::map<std::size_t, Outage> longest;
  for (const Disturbance& one : disturbances_of(by_moment)) blame(history, one, longest);
  return longest;
}

void look_at_waits(const History& history, std::vector<FaultOutages>& all) {
  Operations sent, by_present;
  for (const Operation& one : history.operations) {
    if (one.outcome != Operation::Outcome::ok) continue;
    sent[one.conversation].push_back(&one);
    if (one.completed - one.invoked <= kDisturbed || !sender_was_away(history, one))
      by_present[one.conversation].push_back(&one);
  }
  for (const auto& [conversation, messages] : sent) {
    const auto longest = longest_waits(history, messages);
    for (const auto& [fault, outage] : longest) all[fault].outages.push_back(outage);
    for (std::size_t i = 0; i < all.size(); ++i) all[i].undisturbed += !longest.contains(i);
  }
  for (const auto& [conversation, messages] : by_present)
    for (const auto& [fault, outage] : longest_waits(history, messages))
      all[fault].partitions.push_back(outage.to - outage.from);
}

/// When a device heard something from its server: answers, and what it was shown. Sorted.
std::vector<Micros> signs_of_life(const History& history, std::uint32_t index) {
  std::vector<Micros> heard;
  for (const Shown& shown : history.devices[index].shown) heard.push_back(shown.when);
  for (const Operation& sent : history.operations)
    if (sent.device == index && sent.outcome == Operation::Outcome::ok) heard.push_back(sent.completed);
  std::ranges::sort(heard);
  return heard;
}

/// A connection that died in silence is noticed late: what counts is when it was last heard, or when the fault began.
Micros time_away(const Fault& fault, const Resumed& resumed, const std::vector<Micros>& heard) {
  const Micros noticed = resumed.when - resumed.away;
  const auto after = std::ranges::upper_bound(heard, noticed);
  const Micros last = after == heard.begin() ? 0 : *(after - 1);
  return resumed.when - std::min(noticed, std::max(fault.began, last));
}

void look_at_device(const History& history, std::uint32_t index, std::vector<FaultOutages>& all) {
  const Device& device = history.devices[index];
  const auto heard = signs_of_life(history, index);
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const Resumed& resumed : device.resumed)
      if (resumed.when >= history.faults[i].began && resumed.when < end_of(history, i))
        (device.idle ? all[i].idle_back : all[i].devices_back).push_back(time_away(history.faults[i], resumed, heard));
  for (const Shown& shown : device.shown) {
    if (!shown.sight.operation || *shown.sight.operation >= history.operations.size()) continue;
    const Operation& sent = history.operations[*shown.sight.operation];
    // Faults follow each other: the last that had begun.
    const auto next = std::ranges::upper_bound(history.faults, sent.invoked, {}, &Fault::began);
    if (next == history.faults.begin()) continue;
    const Fault& fault = *(next - 1);
    if (fault.healthy >= 0 && sent.invoked > fault.healthy) continue;
    all[static_cast<std::size_t>(next - 1 - history.faults.begin())].deliveries.push_back(shown.when - sent.invoked);
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
  look_at_waits(history, all);
  for (std::uint32_t i = 0; i < history.devices.size(); ++i) look_at_device(history, i, all);
  return all;
}

std::map<std::string, KindFigures> by_kind(const History& history) {
  struct Times {
    std::size_t faults = 0;
    std::vector<Micros> outage, partition, back, idle_back, delivery, healthy;
  };
  const auto add = [](std::vector<Micros>& to, const std::vector<Micros>& some) {
    to.insert(to.end(), some.begin(), some.end());
  };
  std::map<std::string, Times> kinds;
  const auto outages = outages_of(history);
  for (std::size_t i = 0; i < history.faults.size(); ++i) {
    Times& times = kinds[history.faults[i].kind];
    ++times.faults;
    for (const Outage& one : outages[i].outages) times.outage.push_back(one.to - one.from);
    add(times.partition, outages[i].partitions);
    add(times.back, outages[i].devices_back);
    add(times.idle_back, outages[i].idle_back);
    add(times.delivery, outages[i].deliveries);
    if (history.faults[i].healthy >= 0) times.healthy.push_back(history.faults[i].healthy - history.faults[i].ended);
  }
  std::map<std::string, KindFigures> figures;
  for (auto& [kind, times] : kinds)
    figures[kind] = {times.faults,
                     figures_of(times.outage),
                     figures_of(times.partition),
                     figures_of(times.back),
                     figures_of(times.idle_back),
                     figures_of(times.delivery),
                     figures_of(times.healthy),
                     times.outage};
  return figures;
}

std::vector<std::string> missed_goals(const std::map<std::string, KindFigures>& kinds) {
  struct Goal {
    const char* kind;
    const char* what;
    Figures KindFigures::* figures;
    double Figures::* figure;
    double ms_max;
  };
  static constexpr Goal kGoals[] = {
      {"kill", "partitions serve again after a kill", &KindFigures::partition, &Figures::p99, 500},
      {"kill", "devices are back after a kill", &KindFigures::back, &Figures::p99, 1'000},
      {"cut", "clients go on after a cut", &KindFigures::outage, &Figures::p99, 4'000},
      {"cut", "devices in use are back after a cut", &KindFigures::back, &Figures::p99, 4'000},
      {"cut", "idle devices are back after a cut", &KindFigures::idle_back, &Figures::p99, 15'000},
      {"drain", "messages are shown during a drain", &KindFigures::delivery, &Figures::max, 200},
  };
  std::vector<std::string> missed;
  for (const auto& [kind, figures] : kinds) {
    for (const Goal& goal : kGoals) {
      if (kind.substr(0, kind.find(':')) != goal.kind) continue;
      const double took = figures.*goal.figures.*goal.figure;
      if (took > goal.ms_max)
        missed.push_back("H13 " + kind + ": " + goal.what + " within " + std::to_string(std::lround(goal.ms_max)) +
                         (goal.figure == &Figures::p99 ? " ms (p99)" : " ms") + ": took " +
                         std::to_string(std::lround(took)) + " ms");
    }
  }
  return missed;
}

}  // namespace holdfast::chaos

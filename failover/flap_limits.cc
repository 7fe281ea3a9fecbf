#include "failover/flap_limits.h"

#include <algorithm>

namespace holdfast::failover {

void FlapLimits::died(NodeId node, SteadyTime now) {
  History& history = histories_[node];
  history.well = false;
  history.deaths.push_back(now);
  while (history.deaths.front() + options_.window < now) history.deaths.pop_front();
}

void FlapLimits::well_again(NodeId node, SteadyTime now) {
  const auto it = histories_.find(node);
  if (it == histories_.end() || it->second.well) return;
  it->second.well = true;
  it->second.well_since = now;
}

std::chrono::milliseconds FlapLimits::penalty(const History& history, SteadyTime now) const {
  const auto recent = static_cast<std::size_t>(std::count_if(
      history.deaths.begin(), history.deaths.end(), [&](SteadyTime at) { return at + options_.window >= now; }));
  if (recent < options_.evictions) return {};
  auto penalty = options_.first_penalty;
  for (std::size_t i = options_.evictions; i < recent && penalty < options_.penalty_max; ++i) penalty *= 2;
  return std::min(penalty, options_.penalty_max);
}

bool FlapLimits::held_back(NodeId node, SteadyTime now) const {
  const auto it = histories_.find(node);
  if (it == histories_.end()) return false;
  const auto wait = penalty(it->second, now);
  return wait.count() > 0 && (!it->second.well || now < it->second.well_since + wait);
}

std::set<NodeId> FlapLimits::held_back(SteadyTime now) const {
  std::set<NodeId> held;
  for (const auto& [node, history] : histories_)
    if (held_back(node, now)) held.insert(node);
  return held;
}

}  // namespace holdfast::failover

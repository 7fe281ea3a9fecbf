#include "server/hand_over.h"

namespace holdfast {

std::vector<HandOver::Offer> HandOver::next(const std::vector<Epoch>& serves, const Rows& rows,
                                            const std::function<bool(NodeId)>& can_take, SteadyTime now) {
  constexpr std::size_t kAtOnce = 8;
  constexpr std::chrono::seconds kAgain{1};
  std::vector<Offer> offers;
  left_ = 0;
  for (std::size_t p = 0; p < serves.size(); ++p) {
    const PartitionId partition(static_cast<std::uint16_t>(p));
    const auto asked = asked_.find(partition);
    if (serves[p] == Epoch{}) {
      if (asked != asked_.end()) asked_.erase(asked);
      continue;
    }
    ++left_;
    if (asked != asked_.end() && now - asked->second.at < kAgain) continue;
    if (asked == asked_.end() && asked_.size() >= kAtOnce) continue;
    const auto heir = heir_of(partition, rows, can_take);
    if (!heir) continue;
    asked_[partition] = {now, *heir};
    offers.push_back({partition, serves[p], *heir});
  }
  return offers;
}

/// A member of the partition's in-sync set that leads least, those it was offered counted.
std::optional<NodeId> HandOver::heir_of(PartitionId partition, const Rows& rows,
                                        const std::function<bool(NodeId)>& can_take) const {
  const auto row = rows.find(partition);
  if (row == rows.end()) return std::nullopt;
  std::map<NodeId, std::size_t> leads;
  for (const auto& [id, each] : rows) ++leads[NodeId(each.config.primary().node())];
  for (const auto& [id, asked] : asked_) ++leads[asked.heir];
  std::optional<NodeId> best;
  for (const auto& member : row->second.config.in_sync()) {
    const NodeId node(member.node());
    if (can_take(node) && (!best || leads[node] < leads[*best])) best = node;
  }
  return best;
}

}  // namespace holdfast

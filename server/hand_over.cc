#include "server/hand_over.h"

namespace holdfast {
namespace {

constexpr std::size_t kAtOnce = 8;
constexpr std::chrono::seconds kAgain{1};

PartitionId partition_at(std::size_t index) { return PartitionId(static_cast<std::uint16_t>(index)); }

}  // namespace

std::vector<HandOver::Offer> HandOver::next(const std::vector<Epoch>& serves, const Rows& rows, const CanTake& can_take,
                                            SteadyTime now) {
  std::vector<Offer> offers;
  left_ = 0;
  std::size_t waiting = 0;
  for (std::size_t p = 0; p < serves.size(); ++p) {
    const auto asked = asked_.find(partition_at(p));
    if (serves[p] != Epoch{}) ++left_;
    if (asked == asked_.end()) continue;
    if (serves[p] == Epoch{})
      asked_.erase(asked);
    else if (now - asked->second.at < kAgain)
      ++waiting;
  }
  // Those whose heirs do not take them keep nobody else from being offered.
  for (const bool again : {false, true}) {
    for (std::size_t p = 0; p < serves.size() && waiting < kAtOnce; ++p) {
      const PartitionId partition = partition_at(p);
      const auto asked = asked_.find(partition);
      if (serves[p] == Epoch{} || again != (asked != asked_.end())) continue;
      if (again && now - asked->second.at < kAgain) continue;
      const auto heir = heir_of(partition, rows, can_take);
      if (!heir) continue;
      asked_[partition] = {now, *heir};
      offers.push_back({partition, serves[p], *heir});
      ++waiting;
    }
  }
  return offers;
}

/// A member of the partition's in-sync set that leads least, those it was offered counted.
std::optional<NodeId> HandOver::heir_of(PartitionId partition, const Rows& rows, const CanTake& can_take) const {
  const auto row = rows.find(partition);
  if (row == rows.end()) return std::nullopt;
  std::map<NodeId, std::size_t> leads;
  for (const auto& [id, each] : rows) ++leads[NodeId(each.config.primary().node())];
  for (const auto& [id, asked] : asked_) ++leads[asked.heir];
  std::optional<NodeId> best;
  for (const auto& member : row->second.config.in_sync()) {
    const NodeId node(member.node());
    if (can_take(node, partition) && (!best || leads[node] < leads[*best])) best = node;
  }
  return best;
}

}  // namespace holdfast

/// Controller's history: what changed between two listings, said for people.

#include <algorithm>
#include <tuple>
#include <utility>

#include "failover/controller.h"

namespace holdfast::failover {
namespace {

using std::chrono::milliseconds;
using Kind = Happening::Kind;
using log::PartitionConfig;

constexpr milliseconds kLately{5000};  ///< an epoch that follows a death within this follows from it

bool in_sync(const PartitionConfig& config, const PartitionConfig::Store& store) {
  return std::any_of(config.in_sync().begin(), config.in_sync().end(),
                     [&](const auto& s) { return same_store(s, store); });
}

}  // namespace

void Controller::happened(Kind kind, NodeId node, std::string text, std::uint32_t partitions, milliseconds took) {
  const WallTime time = wall_ + std::chrono::duration_cast<milliseconds>(now_ - wall_at_);
  happenings_.add({time, kind, node, self_.node, partitions, took, std::move(text)});
}

bool Controller::died_lately(NodeId node) const {
  const auto died = dead_since_.find(node);
  return died != dead_since_.end() && (now_ - died->second < kLately || detector_.dead(node));
}

/// One happening for all partitions to which the same happened.
void Controller::note_partitions(const std::vector<PartitionId>& changed) {
  std::map<std::tuple<Kind, NodeId, NodeId>, std::uint32_t> counts;  ///< (what, new node, old one)
  for (const PartitionId id : changed) {
    const auto before = told_.find(id);
    if (before == told_.end()) continue;  // the first listing is no news
    const PartitionConfig& was = before->second.config;
    const PartitionConfig& is = view_.partitions().at(id).config;
    const NodeId from(was.primary().node()), to(is.primary().node());
    if (was.epoch() != is.epoch()) {
      const bool by_itself = from != to && !died_lately(from) && !detector_.quarantined(from, id);
      ++counts[{by_itself ? Kind::handed_off : Kind::promoted, to, from}];
    }
    for (const auto& store : was.in_sync())
      if (!in_sync(is, store)) ++counts[{Kind::shrunk, NodeId(store.node()), {}}];
    for (const auto& store : is.in_sync())
      if (!in_sync(was, store)) ++counts[{Kind::grown, NodeId(store.node()), {}}];
    if (is.min_isr() > was.min_isr()) ++counts[{Kind::min_in_sync_raised, {}, {}}];
  }
  for (const auto& [what, count] : counts) {
    const auto& [kind, node, from] = what;
    const bool timed = kind == Kind::promoted && died_lately(from);
    happened(kind, node, from.value == 0 ? "" : "from node " + std::to_string(from.value), count,
             timed ? std::chrono::duration_cast<milliseconds>(now_ - dead_since_.at(from)) : milliseconds{});
  }
}

void Controller::note_quarantined() {
  for (const auto& [node, member] : view_.members()) {
    const std::set<PartitionId>& is = detector_.quarantined_of(node);
    std::set<PartitionId>& told = quarantined_[node];
    std::string fresh;
    std::uint32_t count = 0;
    for (const PartitionId partition : is) {
      if (told.contains(partition)) continue;
      fresh += (count++ == 0 ? "" : ", ") + std::to_string(partition.value);
    }
    told = is;
    if (count > 0)
      happened(Kind::quarantined, node, "its copy differs from what is committed; partition " + fresh, count);
  }
}

void Controller::note_members(const std::map<NodeId, MemberEntry>& before) {
  for (const auto& [node, member] : view_.members()) {
    const auto was = before.find(node);
    if (was == before.end()) {
      if (!before.empty() || node == self_.node) happened(Kind::joined, node, member.row.name());
    } else if (was->second.row.draining() != member.row.draining()) {
      happened(member.row.draining() ? Kind::draining : Kind::undrained, node, member.row.name());
    }
  }
  for (const auto& [node, member] : before)
    if (!view_.members().contains(node)) happened(Kind::removed, node, member.row.name());
}

void Controller::note_coordinator(const std::optional<CoordinatorEntry>& before) {
  const auto& is = view_.coordinator();
  if (!is || (before && before->row.term() == is->row.term())) return;
  const auto dead = before ? dead_since_.find(before->node) : dead_since_.end();
  happened(Kind::coordinator_changed, is->node,
           "term " + std::to_string(is->row.term()) +
               (before ? ", before it node " + std::to_string(before->node.value) : std::string()),
           0,
           dead == dead_since_.end() ? milliseconds{} : std::chrono::duration_cast<milliseconds>(now_ - dead->second));
  if (before && is->node == self_.node) balancer_.failed_over(now_);
}

void Controller::note_registration(bool before) {
  if (registered() != before)
    happened(registered() ? Kind::registered : Kind::left, self_.node,
             registered() ? "our row stands" : "our row is gone: the lease ended");
  const std::string& problem = registration_.problem();
  if (problem != problem_told_ && !problem.empty())
    happened(registration_.in_use() ? Kind::in_use : Kind::problem, self_.node, problem);
  problem_told_ = problem;
}

}  // namespace holdfast::failover

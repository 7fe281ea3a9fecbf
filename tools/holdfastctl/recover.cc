#include "tools/holdfastctl/recover.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace holdfast::ctl {
namespace {

using http::ClusterFigures;
using http::CopyFigures;
using http::PartitionFigures;

bool contains(const std::vector<std::uint32_t>& nodes, std::uint32_t node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

std::string names(const ClusterFigures& cluster, const std::vector<std::uint32_t>& nodes) {
  std::string all;
  for (const std::uint32_t node : nodes) all += (all.empty() ? "" : ", ") + name_of(cluster, node);
  return all.empty() ? "nobody" : all;
}

/// Whoever has the most: who was in sync has all that was acknowledged, and of the others a later epoch's copy, then the
/// longer one.
std::optional<Recovery> longest(const Seen& seen, const PartitionFigures& partition) {
  std::optional<Recovery> best;
  std::tuple<bool, std::uint64_t, std::uint64_t> best_rank;
  std::uint64_t promised = partition.epoch;
  for (const auto& [node, copies] : seen.copies) {
    for (const CopyFigures& copy : copies.copies) {
      if (copy.partition != partition.id || copy.role == "quarantined") continue;
      promised = std::max(promised, copy.promised);
      if (copy.last_seq == 0) continue;
      const bool in_sync = contains(partition.in_sync, node) && !contains(partition.missing, node);
      const auto rank = std::tuple(in_sync, copy.epoch, copy.last_seq);
      if (best && rank <= best_rank) continue;
      best_rank = rank;
      best = Recovery{partition.id, node, 0, copy.last_seq, in_sync, partition.in_sync, partition.missing};
    }
  }
  if (best) best->epoch = promised;
  return best;
}

void add(const Seen& seen, const PartitionFigures& partition, bool asked_for, RecoveryPlan& plan) {
  const std::string name = "partition " + std::to_string(partition.id);
  const bool enough = partition.in_sync.size() - partition.missing.size() >= partition.min_isr;
  if (enough && asked_for)
    plan.refused.push_back(name + " has as many copies in sync as it needs (" + names(seen.cluster, partition.in_sync) +
                           "): there is nothing to recover");
  if (enough) return;
  auto recovery = longest(seen, partition);
  if (recovery) return plan.recoveries.push_back(std::move(*recovery));
  plan.refused.push_back(name + " has no copy at any node that answers: bring one back, or restore a backup");
}

}  // namespace

RecoveryPlan plan_recovery(const Seen& seen, bool all, std::uint32_t wanted) {
  RecoveryPlan plan;
  bool found = all;
  for (const PartitionFigures& partition : seen.cluster.partitions) {
    if (!all && partition.id != wanted) continue;
    found = true;
    add(seen, partition, !all, plan);
  }
  if (!found) plan.refused.push_back("there is no partition " + std::to_string(wanted));
  return plan;
}

std::string show_plan(const ClusterFigures& cluster, const RecoveryPlan& plan) {
  std::string out;
  for (const std::string& refused : plan.refused) out += "! " + refused + ".\n";
  for (const Recovery& one : plan.recoveries) {
    out += "Partition " + std::to_string(one.partition) + " goes on with the copy of " + name_of(cluster, one.to) +
           ", up to entry " + std::to_string(one.last_seq) + ".\n  In sync were " + names(cluster, one.in_sync) +
           "; gone: " + names(cluster, one.missing) + ".\n";
    out += one.was_in_sync ? "  That copy was in sync: it has everything that was acknowledged.\n"
                           : "  That copy was NOT in sync: what the others acknowledged after it is lost for good.\n";
  }
  return out;
}

}  // namespace holdfast::ctl

#include "failover/registration.h"

#include <algorithm>

namespace holdfast::failover {

void Registration::listed(const ClusterView& view) {
  const NodeEntry* row = view.node(options_.self.node);
  registered_ = row != nullptr && row->boot == options_.self.boot && !in_use_;
  const std::string id = std::to_string(options_.self.node.value);
  if (registered_) {
    was_registered_ = true;
    problem_.clear();
  } else if (row != nullptr && row->boot != options_.self.boot && (was_registered_ || in_use_)) {
    in_use_ = true;
    problem_ = "node id " + id + " is in use by another process at " + row->row.peer_address() +
               ": was its data directory copied? This one does not register any more";
  } else if (row != nullptr && row->store != options_.self.store) {
    problem_ = "node id " + id + " is held by another data directory at " + row->row.peer_address() +
               ": waiting for its lease to end";
  } else if (!in_use_) {
    problem_.clear();
  }
}

RowChange Registration::own_row(std::uint64_t revision) const {
  log::NodeRow row;
  row.set_name(options_.name);
  row.set_store_id(options_.self.store.str());
  row.set_boot_id(options_.self.boot.str());
  row.set_peer_address(options_.peer_address);
  row.set_client_address(options_.client_address);
  row.set_zone(options_.zone);
  row.set_version(options_.version);
  RowChange change;
  change.key = node_key(options_.self.node);
  change.compared = revision;
  change.value = std::move(row);
  change.leased = true;
  return change;
}

std::vector<RowChange> Registration::wanted(const ClusterView& view, const CasQueue& queue) const {
  std::vector<RowChange> changes;
  if (!view.listed() || view.went_back() || in_use_) return changes;
  const NodeEntry* row = view.node(options_.self.node);
  const bool free = row == nullptr || (row->store == options_.self.store && !was_registered_);
  if (!registered_) {
    if (free) changes.push_back(own_row(row == nullptr ? 0 : row->revision));
    return changes;
  }
  const auto known = view.members().find(options_.self.node);
  const bool told = known != view.members().end() && known->second.row.name() == options_.name &&
                    known->second.row.zone() == options_.zone;
  if (!told && !queue.outstanding(member_key(options_.self.node))) {
    log::MemberRow member = known == view.members().end() ? log::MemberRow{} : known->second.row;
    member.set_name(options_.name);
    member.set_zone(options_.zone);
    member.clear_nonce();
    RowChange change;
    change.key = member_key(options_.self.node);
    change.compared = known == view.members().end() ? 0 : known->second.revision;
    change.value = std::move(member);
    changes.push_back(std::move(change));
  }
  if (options_.founder) found(view, queue, changes);
  return changes;
}

/// Only into what nobody but us has ever touched: a row that is missing later was lost, and is not made up (I13).
bool Registration::may_found(const ClusterView& view) const {
  return view.problems().empty() &&
         std::all_of(view.partitions().begin(), view.partitions().end(), [&](const auto& partition) {
           const log::PartitionConfig& config = partition.second.config;
           return config.replicas_size() == 1 && config.primary().store_id() == options_.self.store.bytes();
         });
}

void Registration::found(const ClusterView& view, const CasQueue& queue, std::vector<RowChange>& changes) const {
  if (view.partitions().size() >= options_.partitions || !may_found(view)) return;
  for (std::uint16_t p = 0; p < options_.partitions; ++p) {
    const PartitionId id(p);
    if (view.partitions().contains(id) || queue.outstanding(partition_key(id))) continue;
    log::PartitionConfig config;
    config.set_epoch(options_.founder_epoch.value);
    config.mutable_primary()->set_node(options_.self.node.value);
    config.mutable_primary()->set_store_id(options_.self.store.str());
    *config.add_in_sync() = config.primary();
    config.set_min_isr(1);
    config.add_replicas(options_.self.node.value);
    RowChange change;
    change.key = partition_key(id);
    change.value = std::move(config);
    changes.push_back(std::move(change));
  }
}

}  // namespace holdfast::failover

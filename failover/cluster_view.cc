#include "failover/cluster_view.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace holdfast::failover {
namespace {

/// The number behind `prefix`, written in decimal without a leading zero; nothing if it is not one up to `max`.
std::optional<std::uint64_t> number_of(std::string_view key, std::string_view prefix, std::uint64_t max) {
  const std::string_view text = key.substr(prefix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > max) return std::nullopt;
  if (std::to_string(number) != text) return std::nullopt;
  return number;
}

/// Calls take(id, row) for each row under `prefix`; a key that is no number is a problem.
template <class IdType, class Take>
void each_row(const ConfigRows& listed, const std::string& prefix, std::uint64_t max, std::set<std::string>& problems,
              Take take) {
  for (auto it = listed.rows.lower_bound(prefix); it != listed.rows.end() && it->first.starts_with(prefix); ++it) {
    const auto number = number_of(it->first, prefix, max);
    if (number) {
      take(IdType(static_cast<decltype(IdType{}.value)>(*number)), it->second);
    } else {
      problems.insert("row " + it->first + " has a name that is none of ours: left alone");
    }
  }
}

bool valid(const log::PartitionConfig::Store& store) {
  return store.node() != 0 && store.store_id().size() == StoreId::kBytes;
}

bool valid(const log::PartitionConfig& config) {
  if (config.epoch() == 0 || config.min_isr() == 0 || config.in_sync().empty() || !valid(config.primary()))
    return false;
  if (!std::all_of(config.in_sync().begin(), config.in_sync().end(), [](const auto& s) { return valid(s); }))
    return false;
  return std::any_of(config.in_sync().begin(), config.in_sync().end(), [&](const auto& s) {
    return s.node() == config.primary().node() && s.store_id() == config.primary().store_id();
  });
}

std::optional<NodeEntry> parse_node(const ConfigRow& row) {
  NodeEntry entry;
  if (!entry.row.ParseFromString(row.value)) return std::nullopt;
  const auto store = StoreId::from_bytes(entry.row.store_id());
  const auto boot = BootId::from_bytes(entry.row.boot_id());
  if (!store || !boot) return std::nullopt;
  entry.revision = row.revision;
  entry.store = *store;
  entry.boot = *boot;
  return entry;
}

std::string unreadable(const std::string& key) { return "row " + key + " can't be read: what was known of it stays"; }

}  // namespace

std::string partition_key(PartitionId partition) { return "part/" + std::to_string(partition.value); }
std::string node_key(NodeId node) { return "node/" + std::to_string(node.value); }
std::string member_key(NodeId node) { return "member/" + std::to_string(node.value); }

ClusterView::Taken ClusterView::take(const ConfigRows& listed) {
  Taken taken;
  std::set<std::string> problems;
  const std::string older = older_than_seen(listed);
  went_back_ = !older.empty();
  if (went_back_) {
    taken.refused = true;
    problems.insert(
        "the configuration store went back " + older +
        ": it was restored from an older copy, and nothing is decided on it. Put a newer one back; if there "
        "is none, docs/operations.md says what cluster.accept_older_store does");
  } else {
    listed_ = true;
    revision_ = listed.revision;
    take_partitions(listed, taken, problems);
    take_nodes(listed, problems);
    take_members(listed, problems);
    take_coordinator(listed, problems);
  }
  std::set_difference(problems.begin(), problems.end(), problems_.begin(), problems_.end(),
                      std::back_inserter(taken.problems));
  problems_ = std::move(problems);
  return taken;
}

/// Empty, or from what to what it went back.
std::string ClusterView::older_than_seen(const ConfigRows& listed) const {
  if (listed.revision < revision_)
    return "from revision " + std::to_string(revision_) + " to " + std::to_string(listed.revision);
  for (const auto& [partition, epoch] : floor_epochs_) {
    const auto row = listed.rows.find(partition_key(partition));
    log::PartitionConfig config;
    if (row != listed.rows.end() && !config.ParseFromString(row->second.value)) continue;  // said elsewhere
    if (config.epoch() < epoch)
      return "in partition " + std::to_string(partition.value) + " from epoch " + std::to_string(epoch) + " to " +
             std::to_string(config.epoch());
  }
  return {};
}

StoreFloor ClusterView::floor() const {
  StoreFloor floor{revision_, floor_epochs_};
  for (const auto& [partition, row] : partitions_) {
    std::uint64_t& epoch = floor.epochs[partition];
    epoch = std::max(epoch, row.config.epoch());
  }
  return floor;
}

void ClusterView::take_partitions(const ConfigRows& listed, Taken& taken, std::set<std::string>& problems) {
  each_row<PartitionId>(listed, "part/", UINT16_MAX, problems, [&](PartitionId id, const ConfigRow& row) {
    log::PartitionConfig config;
    if (!config.ParseFromString(row.value) || !valid(config)) {
      problems.insert(unreadable(partition_key(id)));
      return;
    }
    PartitionRow& known = partitions_[id];
    if (row.revision == known.revision) return;
    if (row.revision < known.revision || config.epoch() < known.config.epoch()) {
      problems.insert("row " + partition_key(id) + " went back from epoch " + std::to_string(known.config.epoch()) +
                      " to " + std::to_string(config.epoch()) + ": refused");
      return;
    }
    known = PartitionRow{std::move(config), row.revision};
    taken.partitions.push_back(id);
  });
  for (const auto& [id, row] : partitions_) {
    if (!listed.rows.contains(partition_key(id)))
      problems.insert("row " + partition_key(id) + " is gone from the store: what was known of it stays");
  }
}

void ClusterView::take_nodes(const ConfigRows& listed, std::set<std::string>& problems) {
  std::map<NodeId, NodeEntry> nodes;
  each_row<NodeId>(listed, "node/", UINT32_MAX, problems, [&](NodeId id, const ConfigRow& row) {
    if (auto entry = parse_node(row)) {
      nodes.emplace(id, std::move(*entry));
      return;
    }
    problems.insert(unreadable(node_key(id)));
    const auto known = nodes_.find(id);
    if (known != nodes_.end()) nodes.insert(*known);
  });
  nodes_ = std::move(nodes);  // leased: a row that is not there is a node that is not there
}

void ClusterView::take_members(const ConfigRows& listed, std::set<std::string>& problems) {
  each_row<NodeId>(listed, "member/", UINT32_MAX, problems, [&](NodeId id, const ConfigRow& row) {
    MemberEntry entry;
    if (id.value == 0 || !entry.row.ParseFromString(row.value)) {
      problems.insert(unreadable(member_key(id)));
      return;
    }
    entry.revision = row.revision;
    members_[id] = std::move(entry);
  });
  for (auto it = members_.begin(); it != members_.end();) {
    if (listed.rows.contains(member_key(it->first))) {
      ++it;
    } else if (named_by_a_partition(it->first)) {
      problems.insert("row " + member_key(it->first) + " is gone while partitions name the node: it stays a member");
      ++it;
    } else {
      it = members_.erase(it);
    }
  }
}

void ClusterView::take_coordinator(const ConfigRows& listed, std::set<std::string>& problems) {
  const auto row = listed.rows.find(kCoordinatorKey);
  if (row == listed.rows.end()) {
    coordinator_.reset();
    return;
  }
  CoordinatorEntry entry;
  const bool parsed = entry.row.ParseFromString(row->second.value);
  const auto boot = BootId::from_bytes(entry.row.boot_id());
  if (!parsed || !boot || entry.row.node() == 0) {
    problems.insert(unreadable(kCoordinatorKey));
    return;
  }
  entry.revision = row->second.revision;
  entry.node = NodeId(entry.row.node());
  entry.boot = *boot;
  coordinator_ = std::move(entry);
}

bool ClusterView::named_by_a_partition(NodeId node) const {
  for (const auto& [id, row] : partitions_) {
    for (const std::uint32_t replica : row.config.replicas())
      if (replica == node.value) return true;
    for (const auto& member : row.config.in_sync())
      if (member.node() == node.value) return true;
  }
  return false;
}

const NodeEntry* ClusterView::node(NodeId id) const {
  const auto it = nodes_.find(id);
  return it == nodes_.end() ? nullptr : &it->second;
}

bool ClusterView::live(const log::PartitionConfig::Store& store) const {
  const NodeEntry* entry = node(NodeId(store.node()));
  return entry != nullptr && entry->store.bytes() == store.store_id();
}

}  // namespace holdfast::failover

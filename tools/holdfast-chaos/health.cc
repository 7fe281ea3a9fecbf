#include "tools/holdfast-chaos/health.h"

#include <algorithm>

#include "failover/io/etcd_config_store.h"
#include "proto/log.pb.h"

namespace holdfast::chaos {
namespace {

/// The part of a key behind its prefix: "part/12" -> 12.
std::uint32_t id_in(const std::string& key) {
  return static_cast<std::uint32_t>(std::strtoul(key.c_str() + key.find('/') + 1, nullptr, 10));
}

struct Names {
  std::map<std::uint32_t, std::string> members;
  std::map<std::uint32_t, std::string> running;  ///< node -> store id
  std::string of(std::uint32_t node) const {
    const auto found = members.find(node);
    return found == members.end() ? "node " + std::to_string(node) : found->second;
  }
};

std::string trouble_of(const log::PartitionConfig& part, const Names& names, std::size_t copies) {
  const auto primary = names.running.find(part.primary().node());
  if (primary == names.running.end() || primary->second != part.primary().store_id())
    return "is led by " + names.of(part.primary().node()) + ", which does not run";
  std::size_t in_sync = 0;
  for (const auto& store : part.in_sync()) {
    const auto node = names.running.find(store.node());
    if (node != names.running.end() && node->second == store.store_id()) ++in_sync;
  }
  if (in_sync < copies) return "is in sync on " + std::to_string(in_sync) + " nodes that run";
  return {};
}

}  // namespace

Health::Health(std::unique_ptr<failover::ConfigStore> store, std::uint16_t partitions, std::size_t copies)
    : store_(std::move(store)), partitions_(partitions), copies_(copies) {}

Health::~Health() = default;

Result<std::unique_ptr<Health>> Health::open(const std::string& store, std::uint16_t partitions, std::size_t copies) {
  auto opened = failover::EtcdConfigStore::open(store);
  if (!opened) return opened.error();
  return std::unique_ptr<Health>(new Health(std::move(*opened), partitions, copies));
}

Result<ClusterView> Health::look() {
  auto rows = store_->list("");
  if (!rows) return rows.error();
  Names names;
  std::map<std::uint32_t, log::PartitionConfig> parts;
  ClusterView view;
  std::optional<std::uint32_t> coordinator;
  for (const auto& [key, row] : rows->rows) {
    if (key.starts_with("member/")) {
      log::MemberRow member;
      if (member.ParseFromString(row.value)) names.members[id_in(key)] = member.name();
    } else if (key.starts_with("node/")) {
      log::NodeRow node;
      if (node.ParseFromString(row.value)) names.running[id_in(key)] = node.store_id();
    } else if (key.starts_with("part/")) {
      log::PartitionConfig part;
      if (part.ParseFromString(row.value)) parts[id_in(key)] = part;
    } else if (key == "coord") {
      log::CoordinatorRow coord;
      if (coord.ParseFromString(row.value)) coordinator = coord.node();
    }
  }
  view.partitions = parts.size();
  for (const auto& [id, part] : parts) {
    const std::string trouble = trouble_of(part, names, copies_);
    if (trouble.empty())
      ++view.whole;
    else if (view.first_trouble.empty())
      view.first_trouble = "partition " + std::to_string(id) + " " + trouble;
    ++view.leads[names.of(part.primary().node())];
    for (const auto& store : part.in_sync())
      view.in_sync[static_cast<std::uint16_t>(id)].push_back(names.of(store.node()));
  }
  if (coordinator) view.coordinator = names.of(*coordinator);
  return view;
}

}  // namespace holdfast::chaos

/// ClusterWorld: what must hold, always and at the end.
#include <algorithm>

#include "base/check.h"
#include "failover/cluster_view.h"
#include "tests/sim/cluster_world.h"
#include "tests/support/history_checker.h"

namespace holdfast::sim {
namespace {

using Store = log::PartitionConfig::Store;

std::string in(PartitionId partition) { return " in partition " + std::to_string(partition.value); }

}  // namespace

std::optional<log::PartitionConfig> ClusterWorld::config(PartitionId partition) const {
  const auto row = store_.rows().rows.find(failover::partition_key(partition));
  if (row == store_.rows().rows.end()) return std::nullopt;
  log::PartitionConfig config;
  HF_CHECK(config.ParseFromString(row->second.value), "a row parses");
  return config;
}

/// The disk that the configuration names is there.
bool ClusterWorld::is_intact(const Store& store) const {
  const auto index = index_of(NodeId(store.node()));
  return index && nodes_[*index]->store_id().bytes() == store.store_id() && !nodes_[*index]->is_damaged();
}

bool ClusterWorld::may_lose_disk() const {
  // A set that takes in a disk lost before may be on its way to the store; so may one be that takes in this disk.
  if (store_.under_way() > 0) return false;
  // One that is damaged counts as lost wherever it is, since nobody knows of it: a set may take it in at any time.
  if (std::ranges::any_of(nodes_, [](const auto& node) { return node->is_damaged(); })) return false;
  for (std::uint16_t p = 0; p < partitions(); ++p) {
    const auto row = config(PartitionId(p));
    if (!row || row->min_isr() < 2) return false;
    if (!std::ranges::all_of(row->in_sync(), [this](const Store& store) { return is_intact(store); })) return false;
  }
  return true;
}

bool ClusterWorld::promote_falsely(PartitionId partition) {
  auto row = config(partition);
  if (!row) return false;
  std::vector<Store> able;
  for (const Store& store : row->in_sync()) {
    const auto node = index_of(NodeId(store.node()));
    if (node && is_intact(store) && nodes_[*node]->is_up() &&
        store_.rows().rows.contains(failover::node_key(NodeId(store.node()))))
      able.push_back(store);
  }
  if (able.empty()) return false;
  row->set_epoch(row->epoch() + 1);
  *row->mutable_primary() = able[agenda_.random().below(able.size())];
  row->set_nonce(agenda_.random().next());
  const std::string key = failover::partition_key(partition);
  SimStore::Direct direct(store_, NodeId{});
  const auto done = direct.transact(
      failover::Transaction{{{key, store_.rows().rows.at(key).revision}}, {{key, row->SerializeAsString()}}, {}, {}});
  return done && *done;
}

// ------------------------------------------------------------------------------------------------ always

/// I1, I2, I7 of what is about to stand in the store, and I5 of who is in it.
void ClusterWorld::on_put(const std::string& key, const std::string& value) {
  if (!key.starts_with("part/")) return;
  const PartitionId partition(static_cast<std::uint16_t>(std::stoul(key.substr(5))));
  const auto was = config(partition);
  log::PartitionConfig is;
  HF_CHECK(is.ParseFromString(value), "a row parses");
  if (static_cast<std::uint32_t>(is.in_sync_size()) < is.min_isr()) complain("I7: too small a set" + in(partition));
  if (was) {
    if (is.epoch() < was->epoch()) complain("I2: the epoch goes back" + in(partition));
    const bool same =
        is.primary().node() == was->primary().node() && is.primary().store_id() == was->primary().store_id();
    if (is.epoch() == was->epoch() && !same) complain("I1: two primaries of one epoch" + in(partition));
    const bool recovered = is.recovered_epoch() > was->recovered_epoch();
    if (recovered) go_on_without(partition, is);
    if (is.min_isr() < was->min_isr() && !recovered) complain("I7: min_isr goes down" + in(partition));
  }
  check_complete(partition, is, "when it is written");
}

/// An operator said so: what its primary's log lacks was never committed.
void ClusterWorld::go_on_without(PartitionId partition, const log::PartitionConfig& config) {
  const LogStore log(nodes_[*index_of(NodeId(config.primary().node()))]->node().log_database());
  auto& chains = chains_[partition.value];
  const auto has_newest = [&] {
    const auto chain = log.chain_at(partition, Seq(chains.size()));
    return chain && *chain == chains.back();
  };
  while (!chains.empty() && !has_newest()) chains.pop_back();
  archive_[partition.value].resize(chains.size());
}

/// I5: whoever is in sync, and still has its disk, has everything that was committed, and durably.
void ClusterWorld::check_complete(PartitionId partition, const log::PartitionConfig& config, const char* when) {
  const auto& chains = chains_[partition.value];
  if (chains.empty()) return;
  const std::string key = LogStore::entry_key(partition, Seq(chains.size()));
  for (const Store& store : config.in_sync()) {
    if (!is_intact(store)) continue;
    const auto value = nodes_[*index_of(NodeId(store.node()))]->node().log_database().get_durable(key);
    HF_CHECK(value, "memory can be read");
    const std::string_view chain(reinterpret_cast<const char*>(chains.back().data()), chains.back().size());
    if (!*value || !std::string_view(**value).starts_with(chain))
      complain("I5: node " + std::to_string(store.node()) + " is in sync and lacks committed entry " +
               std::to_string(chains.size()) + in(partition) + " " + when);
  }
}

/// I4: the same at every node, for ever.
void ClusterWorld::on_committed(SimNode& by, PartitionId partition, const failover::Appended& entry) {
  auto& chains = chains_[partition.value];
  const std::uint64_t seq = entry.encoded->seq.value;
  if (seq <= chains.size()) {
    if (chains[seq - 1] != entry.encoded->chain)
      complain("I4: node " + std::to_string(by.id().value) + " commits another entry " + std::to_string(seq) +
               in(partition));
    return;
  }
  if (seq != chains.size() + 1)
    return complain("I4: node " + std::to_string(by.id().value) + " commits entry " + std::to_string(seq) + " after " +
                    std::to_string(chains.size()) + in(partition));
  chains.push_back(entry.encoded->chain);
  archive_[partition.value].push_back(*entry.entry);
  if (const auto row = config(partition)) check_complete(partition, *row, "when it is committed");
}

/// What a log has counts as committed: of a node that was alone.
void ClusterWorld::take_history(const Database& log) {
  for (std::uint16_t p = 0; p < partitions(); ++p) {
    Range range{.from = LogStore::entry_key(PartitionId(p), Seq(1)), .until = LogStore::after_entries(PartitionId(p))};
    range.limit = range.bytes_max = SIZE_MAX;
    const auto rows = log.scan(range);
    HF_CHECK(rows, "memory can be read");
    for (const Row& row : *rows) {
      Hash32& chain = chains_[p].emplace_back();
      std::copy_n(row.value.begin(), chain.size(), chain.begin());
      HF_CHECK(archive_[p].emplace_back().ParseFromString(row.value.substr(chain.size())), "an entry parses");
    }
  }
}

// ------------------------------------------------------------------------------------------------ at the end

const Copy* ClusterWorld::copy_of(std::uint32_t node, PartitionId partition) const {
  const auto index = index_of(NodeId(node));
  if (!index || !nodes_[*index]->is_up() || nodes_[*index]->is_frozen()) return nullptr;
  return &nodes_[*index]->node().copy(partition.value);
}

bool ClusterWorld::is_whole() const {
  const auto copies = static_cast<int>(std::min<std::size_t>(nodes_.size(), options_.node.controller.balancer.copies));
  for (std::uint16_t p = 0; p < partitions(); ++p) {
    const auto row = config(PartitionId(p));
    if (!row || row->in_sync_size() != copies || row->replicas_size() != copies) return false;
    const Copy* primary = copy_of(row->primary().node(), PartitionId(p));
    if (!primary || !primary->serving() || primary->replica().epoch().value != row->epoch()) return false;
    for (const Store& store : row->in_sync())
      if (!is_intact(store) || !copy_of(store.node(), PartitionId(p))) return false;
  }
  return true;
}

bool ClusterWorld::clients_idle() const {
  return std::ranges::all_of(people_, [](const Person& person) { return person.client->is_idle(); }) &&
         std::ranges::all_of(apps_, [](const auto& app) { return app->is_idle(); });
}

bool ClusterWorld::is_quiet() const {
  for (std::uint16_t p = 0; p < partitions(); ++p) {
    const auto row = config(PartitionId(p));
    if (!row) return false;
    const Copy* primary = copy_of(row->primary().node(), PartitionId(p));
    if (!primary || !primary->idle() || primary->replica().committed() != primary->replica().last_seq()) return false;
    for (const Store& store : row->in_sync()) {
      const Copy* copy = copy_of(store.node(), PartitionId(p));
      if (!copy || copy->replica().committed() != primary->replica().committed() ||
          copy->replica().last_chain() != primary->replica().last_chain())
        return false;
    }
  }
  return true;
}

std::size_t ClusterWorld::commits() const {
  std::size_t sum = 0;
  for (const auto& chains : chains_) sum += chains.size();
  return sum;
}

std::vector<std::string> ClusterWorld::verdict() {
  std::vector<std::string> found = wrong_;
  for (History::Post& post : history_.posts) {
    // Refused, and asked again before its author heard of it: what was posted behind it may be there already.
    post.put_off |=
        std::ranges::any_of(nodes_, [&](const auto& node) { return node->refused_post(post.client_message_id); });
    // Refused by way of one node, it may still be under way from the node that the client has left.
    if (post.resent && post.number == 0) post.number.reset();
  }
  collect(archive_, history_);
  for (std::string& one : check_history(history_)) found.push_back(std::move(one));
  for (const auto& node : nodes_) {
    if (!node->is_up()) continue;
    node->node().apply_all();
    Archive held(archive_.size());
    for (std::uint16_t p = 0; p < partitions(); ++p) {
      const auto row = config(PartitionId(p));
      if (row && std::ranges::any_of(row->in_sync(), [&](const Store& s) { return NodeId(s.node()) == node->id(); }))
        held[p] = archive_[p];
    }
    std::vector<std::string> here;
    check_state(held, node->node().log_database(), node->node().state_database(), here);
    for (const std::string& one : here) found.push_back("node " + std::to_string(node->id().value) + " " + one);
  }
  return found;
}

namespace {

/// What the node makes of it, and what it saw happen last.
std::string describe_controller(const failover::Controller& controller) {
  std::string out = controller.registered() ? "" : " not registered";
  if (controller.coordinates()) out += " coordinates";
  if (!controller.safe_mode().empty()) out += " safe mode: " + controller.safe_mode();
  const auto& happened = controller.happenings().all();
  constexpr std::size_t kShown = 6;
  for (std::size_t i = happened.size() > kShown ? happened.size() - kShown : 0; i < happened.size(); ++i)
    out += "\n    " + std::string(failover::name_of(happened[i].kind)) + " node " +
           std::to_string(happened[i].node.value) + ": " + happened[i].text;
  return out;
}

}  // namespace

std::string ClusterWorld::describe() const {
  std::string out;
  for (const auto& node : nodes_)
    out += "node " + std::to_string(node->id().value) + (node->is_up() ? " up" : " down") +
           (node->is_frozen() ? " frozen" : "") + "; ";
  for (const auto& node : nodes_)
    if (node->is_up()) out += "\n  node " + std::to_string(node->id().value) + describe_controller(node->controller());
  for (std::uint16_t p = 0; p < partitions(); ++p) {
    const auto row = config(PartitionId(p));
    if (!row) continue;
    out += "\n  partition " + std::to_string(p) + " epoch " + std::to_string(row->epoch()) + " min " +
           std::to_string(row->min_isr()) + " primary " + std::to_string(row->primary().node()) + " in sync";
    for (const Store& store : row->in_sync())
      out += " " + std::to_string(store.node()) + (is_intact(store) ? "" : "(lost)");
    out += " copies";
    for (const auto node : row->replicas()) {
      out += " " + std::to_string(node);
      if (const Copy* copy = copy_of(node, PartitionId(p)))
        out += std::string(":") + failover::name_of(copy->replica().role()) + "@" +
               std::to_string(copy->replica().promised().value) + " " +
               std::to_string(copy->replica().committed().value) + "/" +
               std::to_string(copy->replica().last_seq().value) + (copy->idle() ? "" : " busy");
    }
  }
  for (const Person& person : people_)
    if (!person.client->is_idle())
      out += "\n  " + person.client->options().username + (person.client->is_online() ? " online" : " away") + ", " +
             std::to_string(person.client->open_requests()) + " open";
  for (const auto& app : apps_)
    if (!app->is_idle()) out += "\n  " + app->describe();
  return out;
}

}  // namespace holdfast::sim

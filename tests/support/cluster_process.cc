#include "tests/support/cluster_process.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "failover/cluster_view.h"
#include "failover/io/etcd_config_store.h"
#include "tests/support/http_get.h"

namespace holdfast::testing {
namespace {

constexpr std::chrono::milliseconds kAskAgain{10};
constexpr unsigned kCopiesMax = 3;

void run_certs(std::vector<std::string> arguments) {
  std::vector<std::string> command = {program("holdfastctl"), "certs"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const Ended ended = run_program(command);
  INFO(ended.err);
  REQUIRE(ended.exit_code == 0);
}

}  // namespace

// ------------------------------------------------------------------------------------------------ certificates

Certificates::Certificates() { run_certs({"init", "--dir", folder_.path()}); }

std::string Certificates::lines_for(const std::string& node_name) {
  std::string& lines = made_[node_name];
  if (!lines.empty()) return lines;
  run_certs({"node", "--dir", folder_.path(), "--node", node_name, "--host", "127.0.0.1"});
  const auto file = [&](const std::string& name) { return "\"" + (folder_.path() / name).string() + "\"\n"; };
  lines = "ca = " + file("ca.pem") + "certificate = " + file(node_name + ".pem") + "key = " + file(node_name + ".key");
  return lines;
}

// ------------------------------------------------------------------------------------------------ the cluster

ClusterProcess::ClusterProcess(ClusterProcessOptions options)
    : options_(std::move(options)),
      etcd_({.members = options_.etcd_members, .quota_bytes = options_.etcd_quota_bytes}) {
  auto store = failover::EtcdConfigStore::open(store_address());
  REQUIRE(store);
  store_ = std::move(*store);
  for (unsigned i = 0; i < options_.nodes; ++i) add_node();
  if (options_.nodes == 0) return;
  await_in_sync(std::min(options_.nodes, kCopiesMax));
  await_even();
}

std::string ClusterProcess::config_of(const std::string& node_name, std::uint16_t peer_port) {
  return "[storage]\ndisk_reserve_bytes = 1000000\n" + options_.storage_config + "[cluster]\nstore = \"" +
         store_address() + "\"\nnode_name = \"" + node_name + "\"\nlisten = \"127.0.0.1:" + std::to_string(peer_port) +
         "\"\nflap_window_ms = 0\n" +
         (options_.plaintext ? std::string("allow_plaintext = true\n") : certificates_.lines_for(node_name)) +
         options_.cluster_config;
}

ServerProcess& ClusterProcess::add_node(const std::filesystem::path& data) {
  Member member;
  member.peer_port = free_port();
  const std::string more = options_.node_config ? options_.node_config(size()) : std::string();
  member.process =
      std::make_unique<ServerProcess>(ServerOptions{.config = config_of(name(size()), member.peer_port) + more,
                                                    .data = data,
                                                    .workers = 2,
                                                    .partitions = options_.partitions});
  nodes_.push_back(std::move(member));
  return *nodes_.back().process;
}

std::vector<std::uint16_t> ClusterProcess::ports() const {
  std::vector<std::uint16_t> all;
  for (const Member& member : nodes_) all.push_back(member.process->port());
  return all;
}

std::string ClusterProcess::logs() const {
  std::string all;
  for (unsigned i = 0; i < size(); ++i) all += "---- " + name(i) + "\n" + nodes_[i].process->log();
  return all;
}

void ClusterProcess::pause(unsigned index) {
  const pid_t pid = node(index).pid();
  REQUIRE(::kill(pid, SIGSTOP) == 0);
  REQUIRE(::waitpid(pid, nullptr, WUNTRACED) == pid);
}

void ClusterProcess::resume(unsigned index) { REQUIRE(::kill(node(index).pid(), SIGCONT) == 0); }

void ClusterProcess::wipe(unsigned index) {
  if (node(index).is_running()) node(index).kill_hard();
  std::filesystem::remove_all(node(index).data());
}

// ------------------------------------------------------------------------------------------------ the store

failover::ConfigRows ClusterProcess::rows() {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  auto listed = store_->list("");
  while (!listed && std::chrono::steady_clock::now() < end) {  // etcd may be without a leader for a moment
    std::this_thread::sleep_for(kAskAgain);
    listed = store_->list("");
  }
  INFO((listed ? "" : listed.error().message));
  REQUIRE(listed);
  return std::move(*listed);
}

std::map<std::string, std::string> ClusterProcess::lasting_rows() {
  std::map<std::string, std::string> lasting;
  for (const auto& [key, row] : rows().rows)
    if (!key.starts_with("node/") && key != "coord") lasting.emplace(key, row.value);
  return lasting;
}

std::map<unsigned, log::PartitionConfig> ClusterProcess::partitions() {
  failover::ClusterView view;
  view.take(rows());
  std::map<unsigned, log::PartitionConfig> all;
  for (const auto& [id, row] : view.partitions()) all.emplace(id.value, row.config);
  return all;
}

NodeId ClusterProcess::id_of(unsigned index) {
  failover::ClusterView view;
  view.take(rows());
  for (const auto& [id, member] : view.members())
    if (member.row.name() == name(index)) return id;
  FAIL(name(index) << " is no member");
  return NodeId{};
}

std::optional<log::NodeRow> ClusterProcess::registration_of(unsigned index) {
  failover::ClusterView view;
  view.take(rows());
  for (const auto& [id, entry] : view.nodes())
    if (entry.row.name() == name(index)) return entry.row;
  return std::nullopt;
}

unsigned ClusterProcess::index_of(NodeId id) {
  failover::ClusterView view;
  view.take(rows());
  const auto at = view.members().find(id);
  for (unsigned i = 0; at != view.members().end() && i < size(); ++i)
    if (at->second.row.name() == name(i)) return i;
  FAIL("node " << id.value << " is none of these");
  return 0;
}

unsigned ClusterProcess::coordinator() {
  NodeId found{};
  await("somebody coordinates", [&] {
    failover::ClusterView view;
    view.take(rows());
    if (!view.coordinator()) return false;
    const auto* entry = view.node(view.coordinator()->node);
    if (entry == nullptr || entry->boot != view.coordinator()->boot) return false;
    found = view.coordinator()->node;
    return true;
  });
  return index_of(found);
}

unsigned ClusterProcess::primary_of(PartitionId partition) {
  return index_of(NodeId(partitions().at(partition.value).primary().node()));
}

std::vector<PartitionId> ClusterProcess::led_by(unsigned index) {
  const NodeId id = id_of(index);
  std::vector<PartitionId> led;
  for (const auto& [partition, config] : partitions())
    if (config.primary().node() == id.value) led.push_back(PartitionId(static_cast<std::uint16_t>(partition)));
  return led;
}

// ------------------------------------------------------------------------------------------------ waiting

void ClusterProcess::await(const char* what, const std::function<bool()>& is_so) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) FAIL("it did not happen: " << what << "\n" << logs());
    std::this_thread::sleep_for(kAskAgain);
  }
}

/// As many as there are, on nodes that run: each primary opens its own.
bool ClusterProcess::all_open(const std::map<unsigned, log::PartitionConfig>& partitions) {
  std::map<NodeId, double> leads;
  for (const auto& [id, config] : partitions) leads[NodeId(config.primary().node())] += 1;
  return std::all_of(leads.begin(), leads.end(), [&](const auto& one) {
    const unsigned index = index_of(one.first);
    return node(index).is_running() && metric(node(index).admin_port(), "partitions_open") == one.second;
  });
}

void ClusterProcess::await_in_sync(unsigned copies) {
  await("every partition is in sync and open", [&] {
    failover::ClusterView view;
    view.take(rows());
    if (view.partitions().size() != options_.partitions) return false;
    for (const auto& [id, row] : view.partitions()) {
      if (static_cast<unsigned>(row.config.in_sync_size()) != copies) return false;
      for (const auto& member : row.config.in_sync())
        if (!view.live(member)) return false;
    }
    return all_open(partitions());
  });
}

void ClusterProcess::await_even() {
  await("partitions are led evenly", [&] {
    std::map<std::uint32_t, std::size_t> leads;
    for (unsigned i = 0; i < size(); ++i) leads[id_of(i).value] = 0;
    const auto now = partitions();
    for (const auto& [id, config] : now) ++leads[config.primary().node()];
    const auto [least, most] = std::minmax_element(leads.begin(), leads.end(),
                                                   [](const auto& a, const auto& b) { return a.second < b.second; });
    return most->second <= least->second + 1 && all_open(now);
  });
}

void ClusterProcess::await_moved_from(unsigned index) {
  const NodeId away = id_of(index);
  await("its partitions are led by others", [&] {
    const auto now = partitions();
    for (const auto& [id, config] : now)
      if (config.primary().node() == away.value) return false;
    return all_open(now);
  });
}

}  // namespace holdfast::testing

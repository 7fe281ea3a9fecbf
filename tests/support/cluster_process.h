/// A whole cluster as child processes: a real etcd, and holdfastd nodes that join it one after the other, each with its
/// own certificate, folder and ports on loopback.
///
/// For tests only: what can't be done is a failed requirement (Catch2) of the test. Blocking; one thread. Everything dies
/// with its ClusterProcess. What happens in other processes is waited for by asking again, for kPatience at most.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "failover/config_store.h"
#include "proto/log.pb.h"
#include "tests/support/etcd.h"
#include "tests/support/process.h"

namespace holdfast::testing {

/// A cluster's authority and node certificates, made by `holdfastctl certs`.
class Certificates {
 public:
  Certificates();
  /// Lines for [cluster]; the certificate is made with the first call for a name.
  std::string lines_for(const std::string& node_name);

 private:
  ScratchFolder folder_;
  std::map<std::string, std::string> made_;
};

struct ClusterProcessOptions {
  unsigned nodes = 3;
  unsigned etcd_members = 1;
  bool plaintext = false;  ///< between nodes; otherwise mutual TLS
  std::uint64_t etcd_quota_bytes = 0;
  std::string cluster_config = {};  ///< more lines for [cluster] of every node
  unsigned partitions = 8;
  std::string storage_config = {};                             ///< the same, for [storage]
  std::function<std::string(unsigned node)> node_config = {};  ///< more sections of that node
};

class ClusterProcess {
 public:
  /// Started; every partition is open and in as many in-sync copies as there are nodes, three at most; and no node leads
  /// more than one partition more than another: nothing moves by itself any more.
  explicit ClusterProcess(ClusterProcessOptions options = {});

  EtcdCluster& etcd() { return etcd_; }
  std::string store_address() const { return etcd_.address(kPrefix); }
  Certificates& certificates() { return certificates_; }
  unsigned size() const { return static_cast<unsigned>(nodes_.size()); }
  ServerProcess& node(unsigned index) { return *nodes_.at(index).process; }
  std::string name(unsigned index) const { return "n" + std::to_string(index + 1); }
  std::uint16_t peer_port(unsigned index) const { return nodes_.at(index).peer_port; }
  std::vector<std::uint16_t> ports() const;  ///< where clients connect
  std::string logs() const;

  /// One more, which joins; with this data, if it is given.
  ServerProcess& add_node(const std::filesystem::path& data = {});
  /// The configuration a further node would have.
  std::string config_of(const std::string& node_name, std::uint16_t peer_port);
  /// SIGSTOP, and waits until it is stopped; SIGCONT.
  void pause(unsigned index);
  void resume(unsigned index);
  /// kill -9, and its data is gone.
  void wipe(unsigned index);

  // ---- what the configuration store says
  failover::ConfigRows rows();
  /// The rows that only nodes' comings and goings may not change: all but the leased ones and the coordinator's.
  std::map<std::string, std::string> lasting_rows();
  std::map<unsigned, log::PartitionConfig> partitions();
  NodeId id_of(unsigned index);
  std::optional<log::NodeRow> registration_of(unsigned index);
  /// Whose node id that is.
  unsigned index_of(NodeId id);
  /// Asks until somebody who is registered coordinates.
  unsigned coordinator();
  unsigned primary_of(PartitionId partition);
  /// Partitions that it leads.
  std::vector<PartitionId> led_by(unsigned index);

  // ---- waiting
  /// Every partition has this many in-sync copies, all of registered nodes, and is open at its primary.
  void await_in_sync(unsigned copies);
  /// No node leads more than one partition more than another.
  void await_even();
  /// Every partition is led by somebody who is registered and not this node, and is open there.
  void await_moved_from(unsigned index);
  void await(const char* what, const std::function<bool()>& is_so);

  static constexpr const char* kPrefix = "test";
  static constexpr std::chrono::seconds kPatience{30};

 private:
  struct Member {
    std::unique_ptr<ServerProcess> process;
    std::uint16_t peer_port = 0;
  };
  bool all_open(const std::map<unsigned, log::PartitionConfig>& partitions);

  ClusterProcessOptions options_;
  EtcdCluster etcd_;
  std::unique_ptr<failover::ConfigStore> store_;
  Certificates certificates_;
  std::vector<Member> nodes_;
};

}  // namespace holdfast::testing

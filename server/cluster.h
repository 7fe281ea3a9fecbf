/// A node's part in its cluster: the thread that keeps the links to the other nodes and the Controller, and carries out
/// what they ask for.
///
/// Owned by Engine, where it is one of several nodes. Thread: its own; what is marked may be called from any. Workers hand
/// it what goes to other nodes and to the configuration store, and get as mail what comes from there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "failover/config_store.h"
#include "failover/controller.h"
#include "failover/io/peer_links.h"
#include "server/shared.h"

namespace holdfast {

struct ClusterOptions {
  failover::ControllerOptions controller;
  failover::PeerLinksOptions links;
};

class Cluster {
 public:
  /// `store` is used from threads of this object's, until stop(); so is `own`, this node's, where it keeps what it saw of
  /// the other (failover::StoreFloor).
  Cluster(ClusterOptions options, failover::ConfigStore& store, failover::ConfigStore& own, Shared& shared);
  ~Cluster();

  /// Listens for other nodes; before run(). Returns the port.
  Result<std::uint16_t> listen();
  /// The address that other nodes are to dial and clients are told, once they are known; before start().
  void set_addresses(const std::string& peer, const std::string& client);
  /// Where operators reach this node; the others tell it to holdfastctl. Before start().
  void set_admin_address(const std::string& address);
  void start();
  /// Registration and links end; workers may still run.
  void stop();

  /// Leaves the lead of every partition here to others, a few at a time. `done`, on the cluster's thread: nothing is
  /// served here any more, or it took longer than that.
  void hand_over(std::chrono::milliseconds longest, std::function<void()> done);

  // ---- from any thread
  /// Lost where there is no link.
  void send(NodeId to, const peer::Frame& frame);
  void reconfigure(const failover::Reconfiguration& wanted);
  /// A partition opened here: whoever has its users' connections is to know at once.
  void opened();
  /// Asks another node for a part of a backup. `then` is called once, on the cluster's thread.
  void ask_backup(NodeId node, const peer::BackupAsk& ask, std::function<void(Result<std::string>)> then);
  /// Runs on the cluster's thread with its controller: what operators ask and see.
  void with_controller(std::function<void(failover::Controller&)> call);

  struct Figures {
    failover::PeerLinksFigures links;
    bool registered = false, coordinates = false;
    std::uint64_t promotions = 0;                  ///< new epochs that this node saw others lead, as partitions
    std::map<std::size_t, std::uint32_t> in_sync;  ///< how many partitions have an in-sync set of this size
  };
  Figures figures() const;

  /// What nodes say of themselves. On the cluster's thread: within with_controller().
  struct Told {
    peer::Beat::Health own_health = peer::Beat::OK;
    std::uint32_t copies = 0;            ///< of a partition: as this node is configured
    std::map<NodeId, peer::Beat> beats;  ///< the last of each
    std::map<NodeId, std::string> admin_addresses;
  };
  const Told& told() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast

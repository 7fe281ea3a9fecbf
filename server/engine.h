/// The storing and deciding half of a node: data directory, databases, committer, applier, partitions on workers.
/// What listens (gateways, HTTP) is put on top by Node.
///
/// Started and stopped on one thread; in between workers run on threads of their own. Destroys in the order that loses
/// nothing: workers, committer, applier, databases, lock.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "failover/config_store.h"
#include "server/backups.h"
#include "server/cluster.h"
#include "server/config.h"
#include "server/membership.h"
#include "server/recovery.h"
#include "server/services/services.h"
#include "server/shared.h"
#include "server/worker.h"
#include "storage/data_directory.h"
#include "storage/disk_space.h"
#include "storage/durable_floor.h"
#include "storage/rocksdb_database.h"

namespace holdfast {

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> open(const Config& config);
  ~Engine();

  /// In a cluster: other nodes may come, and learn where clients and operators reach this one. Before start_workers().
  Status start_cluster(std::uint16_t client_port, std::uint16_t admin_port);
  void start_workers();
  /// Ends the workers' threads. Connections must be gone; what is not committed is not answered either.
  void stop_workers();

  std::vector<std::unique_ptr<Worker>>& workers() { return workers_; }
  const DataDirectory& directory() const { return *directory_; }
  /// Null: this node is alone.
  Cluster* cluster() { return cluster_.get(); }
  /// Its own, or the one that it shares with others.
  failover::ConfigStore& config_store() { return *config_store_; }
  DiskSpace& disk() { return *disk_; }
  /// Where other nodes are told to dial this one; empty before start_cluster().
  const std::string& peer_address() const { return peer_address_; }
  Shared& shared() { return shared_; }

  struct Figures {
    DatabaseFigures log, state;
    GroupCommit::Figures commits;
    StateStoreFigures applied;
    chat::PasswordPool::Figures passwords;
  };
  Figures figures() const;
  std::uint64_t replayed() const { return replayed_; }  ///< entries, at this start

 private:
  explicit Engine(const Config& config);
  Status open_storage();
  Status open_partitions();
  Status check_settings();
  Status load_keys();
  Status open_alone(const std::vector<RecoveredPartition>& recovered);
  Status join(const std::vector<RecoveredPartition>& recovered);
  Status add_copies(const std::vector<RecoveredPartition>& recovered, failover::Member self);
  Result<failover::PeerLinksOptions> link_options() const;
  ClusterOptions cluster_options(failover::PeerLinksOptions links, const Membership& membership,
                                 const std::string& name, Epoch founder_epoch);
  void start_threads();
  void trim_log(const std::vector<std::pair<PartitionId, Seq>>& flushed);

  const Config config_;
  SystemRandom random_;
  std::unique_ptr<DataDirectory> directory_;
  std::unique_ptr<DiskSpace> disk_;
  std::unique_ptr<DurableFloor> floor_;
  std::unique_ptr<RocksDatabase> log_database_;
  std::unique_ptr<RocksDatabase> state_database_;
  std::unique_ptr<LogStore> log_;
  std::unique_ptr<failover::EmbeddedConfigStore> own_store_;  ///< a node that is alone has its configuration here
  std::unique_ptr<failover::ConfigStore> cluster_store_;      ///< what several share
  failover::ConfigStore* config_store_ = nullptr;             ///< the one that counts
  std::unique_ptr<KeyRing> keys_;
  std::unique_ptr<chat::MailKey> mail_key_;
  std::unique_ptr<services::Services> services_;
  std::unique_ptr<chat::PasswordHasher> hasher_;
  std::uint64_t replayed_ = 0;

  Shared shared_;
  std::unique_ptr<Backups> backups_;  ///< reads the databases, asks the workers
  std::vector<std::unique_ptr<Worker>> workers_;

  struct BlockingPool;
  std::unique_ptr<BlockingPool> blocking_;
  FillRate fill_rate_;
  std::string peer_address_;
  std::unique_ptr<chat::PasswordPool> passwords_;
  std::unique_ptr<StateStore> state_;
  std::unique_ptr<GroupCommit> committer_;
  std::unique_ptr<Cluster> cluster_;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast

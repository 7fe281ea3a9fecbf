/// What all workers of a node use: the log's committer, the state, passwords, keys, and each other.
///
/// Owned by Node, outlives the workers' threads. Everything here synchronises itself; `workers` is constant once the
/// node is put together.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/time.h"
#include "failover/config_store.h"
#include "failover/generation.h"
#include "net/tls_tickets.h"
#include "server/chat/backend.h"
#include "server/chat/mail_key.h"
#include "server/chat/passwords.h"
#include "server/chat/tokens.h"
#include "server/fill_rate.h"
#include "server/gateway/rate.h"
#include "server/log_clock.h"
#include "server/services/outside.h"
#include "storage/group_commit.h"
#include "storage/state_store.h"

namespace holdfast {

class Backups;
class Cluster;
class Worker;

/// The token keys of this moment, to be held as long as they are read; and the keys of TLS tickets that follow from them,
/// so that they are the same on all nodes and turn with them.
class KeyRing {
 public:
  explicit KeyRing(chat::TokenKeys keys) { set(std::move(keys)); }
  std::shared_ptr<const chat::TokenKeys> get() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }
  void set(chat::TokenKeys keys) {
    auto fresh = std::make_shared<const chat::TokenKeys>(std::move(keys));
    // The one before opens too: another node may not have heard of the newest yet.
    std::vector<Hash32> secrets{fresh->newest().secret};
    if (const auto* before = fresh->find(fresh->newest().id - 1)) secrets.push_back(before->secret);
    const std::lock_guard lock(mutex_);
    tickets_->set_secrets(std::move(secrets));
    keys_ = std::move(fresh);
  }
  const std::shared_ptr<TicketKeys>& tickets() const { return tickets_; }

 private:
  const std::shared_ptr<TicketKeys> tickets_ = std::make_shared<TicketKeys>();
  mutable std::mutex mutex_;
  std::shared_ptr<const chat::TokenKeys> keys_;
};

struct Shared {
  std::uint16_t partitions = 64;
  const chat::Limits* limits = nullptr;
  LogStore* log = nullptr;
  StateStore* state = nullptr;
  GroupCommit* committer = nullptr;
  chat::PasswordHasher* hasher = nullptr;
  chat::PasswordPool* passwords = nullptr;
  KeyRing* keys = nullptr;
  const chat::MailKey* mail_key = nullptr;  ///< known once the node is put together
  services::Outside* outside = nullptr;     ///< null: intents wait
  /// For what blocks and is rare (reading the log, rotating keys): runs it on a thread of the node's.
  std::function<void(std::function<void()>)> blocking;
  /// The same, for what takes longer: filling copies.
  std::function<void(std::function<void()>)> filling;
  Database* log_database = nullptr;
  Database* state_database = nullptr;
  FillRate* fill_rate = nullptr;
  /// Before entries behind this one go: nobody vouches for them any more. Blocks.
  std::function<Status(PartitionId, Seq)> lower_floor;
  /// A new signing key into the configuration store and the ring. Blocks.
  std::function<Status()> rotate_token_key;
  std::atomic<bool> storage_full{false};
  LogClock clock{wall_now(), steady_now()};  ///< what workers take the time from
  gateway::SharedRate strangers;             ///< over all workers
  /// By partition: since when it is certain that its users' sessions stand (steady nanoseconds), here or at its primary.
  std::unique_ptr<std::atomic<std::int64_t>[]> confirmed;
  /// By partition: the epoch in which it is served here; 0: it is not.
  std::unique_ptr<std::atomic<std::uint64_t>[]> serves;
  /// By partition: the copy here takes no part any more.
  std::unique_ptr<std::atomic<bool>[]> quarantined;
  std::vector<Worker*> workers;
  Cluster* cluster = nullptr;  ///< null: this node is alone
  Backups* backups = nullptr;
  std::string cluster_uuid;  ///< these two are known once the node is put together
  failover::Generation generation;
  NodeId self{1};

  WallTime log_time() const { return clock.now(wall_now(), steady_now()); }
  SteadyTime confirmed_at(PartitionId partition) const {
    return SteadyTime(std::chrono::nanoseconds(confirmed[partition.value].load(std::memory_order_relaxed)));
  }
  void confirm(PartitionId partition, SteadyTime at) {
    confirmed[partition.value].store(at.time_since_epoch().count(), std::memory_order_relaxed);
  }

  Worker& worker_of(PartitionId partition) const { return *workers[partition.value % workers.size()]; }
};

}  // namespace holdfast

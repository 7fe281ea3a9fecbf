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
#include "server/chat/backend.h"
#include "server/chat/passwords.h"
#include "server/chat/tokens.h"
#include "storage/group_commit.h"
#include "storage/state_store.h"

namespace holdfast {

class Worker;

/// The token keys of this moment, to be held as long as they are read.
class KeyRing {
 public:
  explicit KeyRing(chat::TokenKeys keys) : keys_(std::make_shared<const chat::TokenKeys>(std::move(keys))) {}
  std::shared_ptr<const chat::TokenKeys> get() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }
  void set(chat::TokenKeys keys) {
    auto fresh = std::make_shared<const chat::TokenKeys>(std::move(keys));
    const std::lock_guard lock(mutex_);
    keys_ = std::move(fresh);
  }

 private:
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
  /// For what blocks and is rare (reading the log, rotating keys): runs it on a thread of the node's.
  std::function<void(std::function<void()>)> blocking;
  /// A new signing key into the configuration store and the ring. Blocks.
  std::function<Status()> rotate_token_key;
  std::atomic<bool> storage_full{false};
  /// When each partition's worker last confirmed its users' sessions (steady nanoseconds).
  std::unique_ptr<std::atomic<std::int64_t>[]> confirmed;
  std::vector<Worker*> workers;

  Worker& worker_of(PartitionId partition) const { return *workers[partition.value % workers.size()]; }
};

}  // namespace holdfast

/// The lease that this process's rows in etcd hang on: granted when first needed, kept alive until the end.
///
/// The rows go with it, so whoever keeps rows on it looks after them (a watch tells) and writes them again.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "failover/io/etcd_thread.h"

namespace holdfast::failover {

/// Owned by EtcdConfigStore. current() and lost() from any thread; a thread of its own keeps it alive.
class EtcdLease {
 public:
  EtcdLease(EtcdClient& client, const EtcdOptions& options);
  /// Revokes it, unless the options say otherwise: its rows are gone at once.
  ~EtcdLease();

  /// Its id, never 0, which to etcd means "without a lease" and would make rows that never go. Grants one if there is
  /// none. Errc::retry_later: etcd did not answer.
  Result<std::int64_t> current();
  /// etcd says that there is no such lease (any more): the next current() grants another.
  void lost(std::int64_t id);

 private:
  void keep_alive(EtcdMember& member);

  EtcdClient& client_;
  const EtcdOptions options_;
  std::mutex grant_mutex_;  ///< one grant at a time; also guards the thread's start
  std::atomic<std::int64_t> id_{0};
  EtcdThread thread_;  ///< last: it uses the others
};

}  // namespace holdfast::failover

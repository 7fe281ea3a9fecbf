/// Tells that something under a prefix changed in etcd, or may have.
///
/// A hint and no more, so there is no revision to go on from: each new stream watches from its own beginning and gives
/// one call first, for what happened in between. A compaction can't hurt that, nor a restored store.
#pragma once

#include <functional>
#include <string>

#include "failover/io/etcd_thread.h"

namespace holdfast::failover {

/// Owned by EtcdConfigStore. A thread of its own, which `changed` is called from, until the end of the object.
class EtcdWatch {
 public:
  /// Keys in [first, last).
  EtcdWatch(EtcdClient& client, std::string first, std::string last, std::function<void()> changed);
  /// When no call is under way.
  void stop() { thread_.stop(); }

 private:
  void follow(EtcdMember& member);

  EtcdClient& client_;
  const std::string first_, last_;
  const std::function<void()> changed_;
  EtcdThread thread_;  ///< last: it uses the others
};

}  // namespace holdfast::failover

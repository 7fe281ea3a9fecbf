/// What the tests of EtcdConfigStore share: a cluster for those that do not break it, stores, and waiting for hints.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "failover/io/etcd_config_store.h"
#include "tests/support/etcd.h"

namespace holdfast::failover {

/// One member, for all tests that only read and write; each with a prefix of its own.
inline testing::EtcdCluster& shared_etcd() {
  static testing::EtcdCluster cluster;
  return cluster;
}

inline std::unique_ptr<EtcdConfigStore> open_store(const std::string& address, const EtcdOptions& options = {}) {
  auto store = EtcdConfigStore::open(address, options);
  REQUIRE(store);
  return std::move(*store);
}

/// Waits for hints of a watch.
class Hints {
 public:
  std::function<void()> changed() {
    return [this] {
      const std::lock_guard lock(mutex_);
      ++count_;
      told_.notify_all();
    };
  }
  /// True if it becomes so with a hint (or is so already); looked at after each. A lost hint fails it, after a minute.
  bool until(const std::function<bool()>& is_so) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (true) {
      const unsigned before = count();
      if (is_so()) return true;
      std::unique_lock lock(mutex_);
      if (!told_.wait_until(lock, end, [&] { return count_ != before; })) return false;
    }
  }
  unsigned count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  unsigned count_ = 0;
};

/// Again while the store says that it can't be reached; what it says then.
template <class Ask>
auto until_reached(const Ask& ask) {
  for (int tries = 0;; ++tries) {
    auto answer = ask();
    if (answer || answer.error().code != Errc::retry_later || tries == 20) return answer;
  }
}

}  // namespace holdfast::failover

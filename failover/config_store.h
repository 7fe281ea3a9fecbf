/// The configuration store: small rows that say who leads what, and the keys all nodes share.
///
/// One compare-and-swap transaction over several rows, all or nothing, durable when it returns. A single node's store is
/// its own log database (EmbeddedConfigStore); several nodes share an etcd cluster behind the same interface.
/// Revisions of a row rise with each write of it. Calls block; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/log_store.h"

namespace holdfast::failover {

struct ConfigRow {
  std::string value;
  std::uint64_t revision = 0;  ///< 0: there is no such row
};

struct Compare {
  std::string key;
  std::uint64_t revision;
};

struct Transaction {
  std::vector<Compare> compares;
  std::map<std::string, std::string> puts;
  std::map<std::string, std::string> leased_puts;  ///< rows that go when this process is gone; embedded: as any
  std::vector<std::string> removes;
};

struct ConfigRows {
  std::map<std::string, ConfigRow> rows;
  std::uint64_t revision = 0;  ///< of the whole store at that moment; never goes back
};

class ConfigStore {
 public:
  virtual ~ConfigStore() = default;
  /// As of now: never older than any transaction that was answered before the call.
  virtual Result<ConfigRow> get(std::string_view key) = 0;
  virtual Result<ConfigRows> list(std::string_view prefix) = 0;
  /// True if every compared row still had its revision and everything was written; false if nothing was.
  /// Errc::retry_later: nothing was, the store can't be reached. Errc::outcome_unknown: it may have been, or may still be.
  virtual Result<bool> transact(const Transaction& transaction) = 0;
  Result<bool> transact(const std::vector<Compare>& compares, const std::map<std::string, std::string>& puts) {
    return transact(Transaction{compares, puts, {}, {}});
  }
  /// Calls `changed` from a thread of the store's, soon after something under `prefix` changed, or may have: a hint, to be
  /// followed by a list(). Until unwatch(), which returns when no call is under way. One watch at a time.
  virtual void watch(std::string_view prefix, std::function<void()> changed) = 0;
  virtual void unwatch() = 0;
};

/// Of a node that is alone: nobody else changes it, so there is nothing to watch.
class EmbeddedConfigStore final : public ConfigStore {
 public:
  explicit EmbeddedConfigStore(LogStore& log) : log_(log) {}
  Result<ConfigRow> get(std::string_view key) override;
  Result<ConfigRows> list(std::string_view prefix) override;
  using ConfigStore::transact;
  Result<bool> transact(const Transaction& transaction) override;
  void watch(std::string_view, std::function<void()>) override {}
  void unwatch() override {}

 private:
  std::mutex mutex_;  ///< one transaction at a time
  LogStore& log_;     ///< a stored value is its revision, 8 bytes big-endian, then the value
};

}  // namespace holdfast::failover

/// The configuration store: small rows that say who leads what, and the keys all nodes share.
///
/// One compare-and-swap transaction over several rows, all or nothing, durable when it returns. A single node's store is
/// its own log database (EmbeddedConfigStore); several nodes will share an etcd cluster behind the same interface.
/// Revisions of a row rise with each write of it.
#pragma once

#include <cstdint>
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

class ConfigStore {
 public:
  virtual ~ConfigStore() = default;
  virtual Result<ConfigRow> get(std::string_view key) = 0;
  virtual Result<std::map<std::string, ConfigRow>> list(std::string_view prefix) = 0;
  /// True if every compared row still had its revision and all of `puts` were written; false if nothing was.
  virtual Result<bool> transact(const std::vector<Compare>& compares,
                                const std::map<std::string, std::string>& puts) = 0;
};

class EmbeddedConfigStore final : public ConfigStore {
 public:
  explicit EmbeddedConfigStore(LogStore& log) : log_(log) {}
  Result<ConfigRow> get(std::string_view key) override;
  Result<std::map<std::string, ConfigRow>> list(std::string_view prefix) override;
  Result<bool> transact(const std::vector<Compare>& compares, const std::map<std::string, std::string>& puts) override;

 private:
  std::mutex mutex_;  ///< one transaction at a time
  LogStore& log_;     ///< a stored value is its revision, 8 bytes big-endian, then the value
};

}  // namespace holdfast::failover

/// The disk seam: an ordered map of bytes that can be written in one atomic batch and made durable.
///
/// Two implementations: RocksDB (open_rocksdb) and memory (MemoryDatabase), which forgets at a crash exactly what was
/// not made durable. Thread-safe. A failed sync is not an error to be handled: it ends the process
/// (RocksOptions::on_sync_failure), because what the kernel has dropped can't be written again. A caller that sees a
/// write fail all the same is in a test, and stops as if it had been killed: it reports and writes nothing more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast {

struct BatchOp {
  enum class Kind : std::uint8_t { put, remove, remove_range } kind;
  std::string_view key;
  std::string_view value;  ///< put: the value; remove_range: the first key that stays; never empty
};

/// Writes that become visible, and durable, together and in order. Views only: what they point at must outlive write().
class Batch {
 public:
  void put(std::string_view key, std::string_view value) { ops_.push_back({BatchOp::Kind::put, key, value}); }
  void remove(std::string_view key) { ops_.push_back({BatchOp::Kind::remove, key, {}}); }
  void remove_range(std::string_view from, std::string_view until) {
    ops_.push_back({BatchOp::Kind::remove_range, from, until});
  }
  const std::vector<BatchOp>& ops() const { return ops_; }
  bool empty() const { return ops_.empty(); }
  void clear() { ops_.clear(); }

 private:
  std::vector<BatchOp> ops_;
};

struct Row {
  std::string key;
  std::string value;
};

/// Keys in [from, until) (an empty `until`: to the end), at most `limit` rows and about `bytes_max` bytes; backward:
/// the last ones first.
struct Range {
  std::string from;
  std::string until;
  std::size_t limit = 1000;
  std::size_t bytes_max = 4u << 20;
  bool backward = false;
};

enum class Durability : std::uint8_t {
  synced,   ///< on return it survives a power cut
  written,  ///< survives once flush() (or a later synced write to the same database) returned
};

/// Rows to read: of a database as it is, or as it was at one moment.
class DatabaseView {
 public:
  virtual ~DatabaseView() = default;
  virtual Result<std::optional<std::string>> get(std::string_view key) const = 0;
  virtual Result<std::vector<Row>> scan(const Range& range) const = 0;
};

class Database : public DatabaseView {
 public:
  virtual Status write(const Batch& batch, Durability durability) = 0;
  /// As get(), but never waits for the disk: Errc::retry_later where it would have to.
  virtual Result<std::optional<std::string>> get_in_memory(std::string_view key) const = 0;
  /// As get(), but only what a crash would leave.
  virtual Result<std::optional<std::string>> get_durable(std::string_view key) const = 0;
  /// What is there now, for as long as the view lives, whatever is written after; it must go before its database.
  virtual std::unique_ptr<DatabaseView> view() const = 0;
  /// On return, everything written before the call is durable.
  virtual Status flush() = 0;
};

}  // namespace holdfast

/// A Database in memory for tests and simulation: it forgets at a crash exactly what was not made durable.
///
/// Thread-safe. To stop a node at its n-th write, let its databases share a WriteLimit: the write that reaches the
/// limit fails, before or after it was done, and so does every one behind it, whoever makes it, until crash() stands
/// for the restart. A node stops at a failed write as if it had been killed, so nothing more is acknowledged.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "storage/database.h"

namespace holdfast {

/// Counts writes and flushes over all databases that share it. Thread-safe.
class WriteLimit {
 public:
  enum class When : std::uint8_t {
    before,  ///< the last one is not done at all
    after,   ///< the last one is done, and durable if it was to be, but nobody hears of it
  };
  static constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

  /// The `n`-th write from now on (the first is 1) is the last. Starts counting anew.
  void set(std::uint64_t n, When when);
  void clear() { set(kNone, When::before); }
  bool reached() const;
  std::uint64_t count() const;
  /// Called once, on the writer's thread, when the limit is reached. It may throw, to leave a single-threaded test.
  void on_reached(std::function<void()> callback);

 private:
  friend class MemoryDatabase;
  enum class Verdict : std::uint8_t { go_on, do_as_last, skip_as_last, refuse };
  Verdict next();
  void announce();

  mutable std::mutex mutex_;
  std::uint64_t count_ = 0;
  std::uint64_t limit_ = kNone;
  When when_ = When::before;
  std::function<void()> on_reached_;
};

class MemoryDatabase final : public Database {
 public:
  explicit MemoryDatabase(std::shared_ptr<WriteLimit> limit = std::make_shared<WriteLimit>());

  Status write(const Batch& batch, Durability durability) override;
  Result<std::optional<std::string>> get(std::string_view key) const override;
  Result<std::optional<std::string>> get_in_memory(std::string_view key) const override;
  Result<std::optional<std::string>> get_durable(std::string_view key) const override;
  Result<std::vector<Row>> scan(const Range& range) const override;
  std::unique_ptr<DatabaseView> view() const override;
  Status flush() override;

  /// What a power cut and a restart leave. A real database may have made more durable than it was asked to, oldest
  /// first: `survivors` is how many of the batches that were only written do survive. Clears the limit.
  void crash(std::size_t survivors = 0);
  /// How many batches a crash would forget.
  std::size_t forgettable() const;

  // What a bad disk does to rows that are there; best while nobody uses it.
  /// From now on whoever reads it is told Errc::corrupt, as by RocksDB's checksums, until it is written anew.
  void make_unreadable(std::string_view key);
  /// It is something else, or gone, durably, and no checksum notices.
  void replace_silently(std::string_view key, std::optional<std::string> value);
  /// Somebody was told Errc::corrupt.
  bool found_unreadable() const;

  WriteLimit& limit() { return *limit_; }
  /// The `n`-th write or flush from now on fails without being done, as all behind it.
  void set_write_limit(std::uint64_t n) { limit_->set(n, WriteLimit::When::before); }
  /// Called before each write that is to be done, on the writer's thread; flushes have no batch.
  void on_write(std::function<void(const Batch*, Durability)> callback);
  /// While set, get_in_memory() answers retry_later, as if every row were on disk only.
  void set_cold(bool cold);
  std::size_t rows() const;

 private:
  using Rows = std::map<std::string, std::string, std::less<>>;
  using Keys = std::set<std::string, std::less<>>;
  struct OwnedOp {
    BatchOp::Kind kind;
    std::string key;
    std::string value;
  };
  using OwnedBatch = std::vector<OwnedOp>;

  class View;
  static std::vector<Row> scan_rows(const Rows& rows, const Range& range);
  static bool any_of(const Keys& keys, const std::vector<Row>& rows);
  Error unreadable() const;
  void written_anew(const Batch& batch);
  static void apply(Rows& rows, BatchOp::Kind kind, std::string_view key, std::string_view value);
  static OwnedBatch own(const Batch& batch);
  void make_durable(std::size_t batches);
  Status guarded(const Batch* batch, Durability durability);

  const std::shared_ptr<WriteLimit> limit_;
  mutable std::mutex mutex_;
  Rows visible_;
  Rows durable_;
  std::vector<OwnedBatch> pending_;  // visible_ == durable_ after pending_, in order
  std::function<void(const Batch*, Durability)> on_write_;
  bool cold_ = false;
  Keys unreadable_;
  mutable bool found_unreadable_ = false;
};

}  // namespace holdfast

/// A node's state database, written behind the log by a thread of its own (the applier) and read by a small pool.
///
/// The state is a cache of the log: batches go in without a write-ahead log, each with the applied sequence, and after
/// a crash replay() brings it up from the log. The applier coalesces: rows that later entries of the same turn
/// overwrite are written once. Every `flush_bytes` of applied entries the database is flushed, and what is durable is
/// reported so that the log can be trimmed.
///
/// Threads: apply(), get() and scan() from any; callbacks run on the applier, the flusher or a reader and must only hand
/// over. Bounds: beyond `lag_bytes_max` of unapplied entries lagging() is true and the partitions stop deciding; beyond
/// `reads_waiting_max` reads under way get() and scan() answer Errc::retry_later at once, on the caller's thread.
/// A write to the state that fails has ended the process; in a test that lives on nothing more is applied or reported.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "proto/log.pb.h"
#include "storage/database.h"
#include "storage/log_store.h"

namespace holdfast {

/// A turn of the applier ends waiting when one of the `gather` bounds is met, a scan waits for it, or it is to stop:
/// the longer a turn, the fewer rows are written.
struct StateStoreOptions {
  std::size_t readers = 2;
  std::size_t lag_bytes_max = 64u << 20;
  std::size_t flush_bytes = 64u << 20;
  std::size_t reads_waiting_max = 20'000;
  std::size_t gather_bytes = 4u << 20;
  std::chrono::milliseconds gather_time{50};
};

/// What the applier has done since the start.
struct StateStoreFigures {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;         ///< of those entries
  std::uint64_t writes = 0;        ///< that the entries asked for
  std::uint64_t rows_written = 0;  ///< what was left of them after coalescing
  std::uint64_t turns = 0;
  std::uint64_t flushes = 0;
  std::uint64_t lag_bytes = 0;
};

/// Brings the state of `partition` up to the end of its log. Single-threaded, before the node serves.
/// Returns how many entries were applied. Errc::corrupt as LogStore::read; also if the log begins after what the state
/// has, or ends before it: both numbers are in the message.
Result<std::uint64_t> replay(LogStore& log, Database& state, PartitionId partition);
/// The applied sequence in the state; `durable`: what a crash would leave.
Result<Seq> applied_seq(const Database& state, PartitionId partition, bool durable = false);
Result<Seq> applied_seq(const DatabaseView& state, PartitionId partition);

class StateStore {
 public:
  using OnApplied = std::function<void(const std::vector<std::pair<PartitionId, Seq>>&)>;
  using OnFlushed = std::function<void(const std::vector<std::pair<PartitionId, Seq>>&)>;
  using OnRow = std::function<void(Result<std::optional<std::string>>)>;
  using OnRows = std::function<void(Result<std::vector<Row>>)>;

  StateStore(Database& state, StateStoreOptions options, OnApplied on_applied, OnFlushed on_flushed);
  ~StateStore();  ///< applies what was handed over, flushes, joins

  /// Committed entries of a partition, in order, without gaps, the first behind what the state has. `bytes`: its size.
  void apply(PartitionId partition, Seq seq, std::shared_ptr<const log::Entry> entry, std::size_t bytes);
  /// The rows of `partition` were replaced around this store, and are as of `seq`. Nothing of it waits to be applied.
  void replaced(PartitionId partition, Seq seq);
  bool lagging() const;
  std::size_t lag_bytes() const;
  StateStoreFigures figures() const;

  /// What can be had without waiting for the disk; Errc::retry_later: ask get(). Sees only what is applied.
  Result<std::optional<std::string>> get_in_memory(PartitionId partition, std::string_view key) const;
  void get(PartitionId partition, std::string key, OnRow then);
  /// Waits until `seq` of the partition is applied, then reads. Keys in `range`, and in the rows, are without
  /// partition.
  void scan(PartitionId partition, Seq seq, Range range, OnRows then);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast

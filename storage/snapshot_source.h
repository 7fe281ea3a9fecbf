/// One partition's copy as another node needs it: its state as it was at one moment, and the log that belongs to it.
///
/// First all rows of the state at its applied sequence S, then the log from what subscribers have not seen yet (at least
/// entry S) to S: without it, whoever is promoted later lacks the events that were not delivered (FAILOVER 2.9). Both are
/// read from views, so that neither writing nor trimming is held up.
/// Owned by whoever sends it. Thread: one at a time. Blocks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "storage/log_store.h"

namespace holdfast {

/// What a snapshot says of itself before its rows.
struct SnapshotHead {
  Seq applied;             ///< the state is as of this entry, the last of the log that comes with it
  Hash32 chain{};          ///< of that entry
  Seq first_entry;         ///< the log begins here ...
  Hash32 chain_before{};   ///< ... with this chain value before it
  log::PartitionMeta log;  ///< where epochs start, up to `applied`; the rest is unused
};

/// A part of it: rows, then entries, never entries before the last row.
struct SnapshotPiece {
  std::vector<Row> rows;             ///< keys without partition, in order
  std::vector<std::string> entries;  ///< serialized log.Entry, consecutive
  bool last = false;
  Hash32 checksum{};  ///< over this and all pieces before
  std::size_t bytes() const;
};

/// The checksum after `piece`, if it was `before` until then.
Hash32 snapshot_checksum(const Hash32& before, const SnapshotPiece& piece);

class SnapshotSource {
 public:
  /// `subscribers`: by name, whose cursors say how much of the log is needed. Errc::not_found: there is nothing to copy, or
  /// the log no longer goes back as far as the state's cursors (the state is behind: try again). Errc::corrupt.
  static Result<std::shared_ptr<SnapshotSource>> open(const Database& state, const Database& log, PartitionId partition,
                                                      const std::vector<std::string>& subscribers);

  const SnapshotHead& head() const { return head_; }
  /// About `bytes_max` bytes, at least one row or entry. Not after the last one. Errc::corrupt.
  Result<SnapshotPiece> next(std::size_t bytes_max);

 private:
  SnapshotSource(std::unique_ptr<DatabaseView> state, std::unique_ptr<DatabaseView> log, PartitionId partition);
  Status read_head(const std::vector<std::string>& subscribers);
  Result<Seq> slowest_cursor(const std::vector<std::string>& subscribers) const;
  Status read_rows(SnapshotPiece& piece, std::size_t bytes_max);
  Status read_entries(SnapshotPiece& piece, std::size_t bytes_max);

  const std::unique_ptr<DatabaseView> state_, log_;
  const PartitionId partition_;
  SnapshotHead head_;
  std::string next_row_;  ///< stored key
  bool rows_done_ = false;
  Seq next_entry_;
  Hash32 checksum_{};
};

}  // namespace holdfast

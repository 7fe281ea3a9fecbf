/// Puts a snapshot (snapshot_source.h) in the place of what a node has of a partition.
///
/// The order of duty: a marker in the log database, synced; what was there goes; rows and entries come; the state is
/// flushed; then, in one synced write, where the log begins, where epochs start, and the marker goes. A crash in between
/// leaves the marker: what is there is in pieces, and the next start throws it away (J10). Only a marker says so: a
/// partition without one is never touched (J3, I13).
///
/// Before: nothing of the partition waits to be written by others, nor is until it is over, and nobody vouches for its
/// log (DurableFloor::lower). Thread: one at a time. Blocks. A write that fails has ended the process; in a test that
/// lives on, it is returned, and nothing more is written.
#pragma once

#include <vector>

#include "storage/snapshot_source.h"

namespace holdfast {

class SnapshotTarget {
 public:
  /// `promised`: the epoch that this node promised; it stands whatever happens.
  SnapshotTarget(Database& log, Database& state, PartitionId partition, SnapshotHead head, Epoch promised);

  /// The marker; then everything that was there goes.
  Status begin();
  /// The next piece. Errc::corrupt: it is not what was sent, or not consecutive; what is here is to be discarded.
  Status take(const SnapshotPiece& piece);
  bool complete() const { return complete_; }
  /// After the last piece: it counts. Errc::corrupt as take().
  Status finish();

  const log::Entry& last_entry() const { return last_entry_; }  ///< once complete

 private:
  Status take_rows(const SnapshotPiece& piece);
  Status take_entries(const SnapshotPiece& piece);

  Database& log_;
  Database& state_;
  const PartitionId partition_;
  const SnapshotHead head_;
  const Epoch promised_;
  Hash32 checksum_{};
  Seq next_entry_;
  Hash32 chain_{};
  log::Entry last_entry_;
  bool complete_ = false;
};

/// Nothing of the partition is left but the promised epoch. The same order of duty: marker, rows, log, marker gone.
Status discard_copy(Database& log, Database& state, PartitionId partition);

/// At a start: discards every partition whose installation was interrupted. Returns which they were.
Result<std::vector<PartitionId>> discard_interrupted(Database& log, Database& state, std::uint16_t partitions);

}  // namespace holdfast

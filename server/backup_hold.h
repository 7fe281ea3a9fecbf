/// A worker's share of a backup: the partitions that it serves stand still until every other's does, so that nothing that
/// is in one's part is missing from another's.
///
/// In order: hold() stops deciding, waits until what is in flight is committed and applied, and takes a view of each.
/// release() asks every copy that counts whether we still lead (a barrier, 2.11), and lets go. Whatever comes between (the
/// time is up, a partition is led by another) fails the backup and lets go of all: a partition never waits for longer than
/// `until`, whoever asked for it.
///
/// Owned by a worker. Thread: the worker's; views are taken elsewhere and come back as a call. One backup at a time:
/// hold() ends the one before.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "server/copy.h"
#include "storage/snapshot_source.h"

namespace holdfast {

/// What it is given to work with.
struct BackupHoldHost {
  std::function<std::vector<PartitionId>()> serving;  ///< of this worker
  std::function<Copy&(PartitionId)> copy;
  std::function<void(PartitionId)> wake;                ///< its turn is to come
  std::function<void(std::function<void()>)> blocking;  ///< runs it on another thread
  std::function<void(std::function<void()>)> call;      ///< from there: runs it on the owner's
  const Database* log = nullptr;
  const Database* state = nullptr;
};

class BackupHold {
 public:
  struct Part {
    PartitionId partition;
    Epoch epoch;
    std::shared_ptr<SnapshotSource> source;
  };
  using Taken = std::function<void(Result<std::vector<Part>>)>;
  using Released = std::function<void(Status)>;

  explicit BackupHold(BackupHoldHost host) : host_(std::move(host)) {}
  BackupHold(const BackupHold&) = delete;
  BackupHold& operator=(const BackupHold&) = delete;

  /// `taken` is called once; the partitions stand still until release(), or `until`.
  void hold(std::uint64_t backup, SteadyTime until, Taken taken);
  /// Ok: they stood still since hold(), and were led here all the time.
  void release(std::uint64_t backup, Released released);
  /// Let go at once, whatever came of it.
  void drop(std::uint64_t backup);
  /// After each turn, and with every tick.
  void look();

 private:
  struct Held {
    Epoch epoch;
    bool opening = false;
    std::shared_ptr<SnapshotSource> source;
    std::uint64_t barrier = 0;  ///< asked for by release()
  };
  struct Current {
    std::uint64_t backup;
    std::uint64_t number;  ///< ours: what a view that comes late belongs to
    std::map<PartitionId, Held> held;
    Taken taken;        ///< until it was called
    Released released;  ///< once asked for
  };
  void open(PartitionId partition);
  void opened(std::uint64_t number, PartitionId partition, Result<std::shared_ptr<SnapshotSource>> source);
  bool stands(PartitionId partition, const Held& held);
  void hand_out();
  void finish_release();
  void fail(const std::string& why);
  void let_go();

  const BackupHoldHost host_;
  std::optional<Current> current_;
  std::uint64_t next_number_ = 1;
  std::string failure_;  ///< of the last one, for release()
};

}  // namespace holdfast

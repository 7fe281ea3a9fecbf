/// How far each partition's log was when last noted, in a file of its own beside the log.
///
/// RocksDB drops a damaged record at the very end of its write-ahead log, which it can't tell from a write that was cut
/// off. If that record had been acknowledged, the log that comes up ends below the floor, and the start is refused.
///
///   file := slot slot           two, each kSlotBytes, written in turn; the good one with the higher turn counts
///   slot := "HFfloor1" turn:8 count:4 (partition:2 seq:8)*count hash:32 zeros      hash: BLAKE2b of what is before it
///
/// Written in place, so that a sync of it costs the log's syncs next to nothing (no rename, no change of size).
/// Thread: note() from any and without waiting for the disk; the file is written by a thread of its own, at most every
/// `interval`. The floor may be behind, never ahead: note only what is durable.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "base/ids.h"
#include "base/result.h"
#include "storage/file_util.h"
#include "storage/log_store.h"

namespace holdfast {

class DurableFloor {
 public:
  using Seqs = std::map<PartitionId, Seq>;
  static constexpr std::size_t kSlotBytes = 16u << 10;  ///< room for 1,024 partitions and more
  struct Options {
    std::chrono::milliseconds interval{100};
    bool own_thread = true;  ///< false: somebody calls write_if_changed()
  };

  /// Reads the file, or makes it. Errc::corrupt if neither slot is good.
  static Result<std::unique_ptr<DurableFloor>> open(const std::filesystem::path& path, Options options);
  static Result<std::unique_ptr<DurableFloor>> open(const std::filesystem::path& path) { return open(path, Options()); }
  ~DurableFloor();  ///< writes what was noted

  /// As it was read when it was opened.
  const Seqs& at_start() const { return at_start_; }
  /// Errc::corrupt, naming the partition and both numbers, if a log ends below its floor. Before the node serves.
  Status check(const LogStore& log) const;

  void note(PartitionId partition, Seq seq);
  /// Entries after `seq` are about to be cut off: on return the file vouches for none of them.
  Status lower(PartitionId partition, Seq seq);
  Status write_if_changed();

 private:
  DurableFloor(std::filesystem::path path, FileDescriptor file, Options options)
      : path_(std::move(path)), file_(std::move(file)), options_(options) {}
  Status load();
  void run();

  const std::filesystem::path path_;
  const FileDescriptor file_;
  const Options options_;
  Seqs at_start_;

  std::mutex write_mutex_;  // one writer of the file; taken before mutex_
  std::uint64_t turn_ = 0;  // of the last slot written; under write_mutex_

  std::mutex mutex_;
  std::condition_variable wake_;
  Seqs seqs_;
  bool changed_ = false;
  bool stopping_ = false;

  std::thread thread_;  // last: starts when everything else is there
};

}  // namespace holdfast

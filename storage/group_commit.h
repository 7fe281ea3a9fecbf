/// The committer: a thread that puts whatever entries have come together, of all partitions, into the log with one
/// write and one sync.
///
/// Thread: submit() from any; `on_durable` runs on the committer. A write that fails ends the process (the database does
/// that), but for a full disk found before the write (DiskSpace), which the partitions learn from elsewhere and never
/// submit. Where the process lives on, in a test, nothing more is written or reported.
/// Bound: a primary has at most one entry in flight; of what a backup gets, the primary keeps one message under way.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "storage/log_write.h"

namespace holdfast {

class GroupCommit {
 public:
  struct Durable {
    PartitionId partition;
    std::uint64_t ticket;
    Seq last;  ///< the newest entry in it; 0: none
  };
  using OnDurable = std::function<void(const std::vector<Durable>&)>;
  /// Before entries from `first` on are cut off: whoever vouches for them must stop, durably.
  using BeforeCut = std::function<void(PartitionId, Seq first)>;

  GroupCommit(Database& log, OnDurable on_durable, BeforeCut before_cut = [](PartitionId, Seq) {});
  ~GroupCommit();  ///< commits what was submitted, then joins

  void submit(LogWrite write);

  struct Figures {
    std::uint64_t commits = 0;
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    std::uint64_t sync_ns_total = 0;                        ///< time spent in synced writes
    std::chrono::steady_clock::time_point syncing_since{};  ///< the one that goes on; zero: none does
  };
  Figures figures() const;

 private:
  void run();
  bool commit(const std::vector<LogWrite>& writes);

  Database& log_;
  const OnDurable on_durable_;
  const BeforeCut before_cut_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<LogWrite> waiting_;
  Figures figures_;
  bool stopping_ = false;

  std::thread thread_;  // last: starts when everything else is there
};

}  // namespace holdfast

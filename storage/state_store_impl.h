/// The threads behind StateStore: the applier, the flusher and the readers. Only state_store*.cc include this.
///
/// One mutex guards the queue of the applier, the applied sequences and the scans that wait for one. It is never held
/// over a read or write of the database, nor over a callback.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "storage/reader_pool.h"
#include "storage/state_batch.h"
#include "storage/state_store.h"

namespace holdfast {

class StateStore::Impl {
 public:
  using Seqs = std::vector<std::pair<PartitionId, Seq>>;

  Impl(Database& state, StateStoreOptions options, OnApplied on_applied, OnFlushed on_flushed);
  ~Impl();

  void apply(PartitionId partition, Seq seq, std::shared_ptr<const log::Entry> entry, std::size_t bytes);
  void replaced(PartitionId partition, Seq seq);
  std::size_t lag_bytes() const { return lag_bytes_.load(std::memory_order_relaxed); }
  const StateStoreOptions& options() const { return options_; }
  StateStoreFigures figures() const;

  const Database& state() const { return state_; }
  void get(PartitionId partition, std::string key, OnRow then);
  void scan(PartitionId partition, Seq seq, Range range, OnRows then);

 private:
  struct Item {
    PartitionId partition;
    Seq seq;
    std::shared_ptr<const log::Entry> entry;
    std::size_t bytes;
  };
  struct Scan {
    PartitionId partition;
    Range range;
    OnRows then;
  };

  // The applier.
  void run_applier();
  bool take_turn(std::vector<Item>& turn);
  bool apply_turn(std::vector<Item>& turn);
  bool write_slice(StateBatch& batch, std::size_t entries, std::size_t bytes);
  void check_order(const std::vector<Item>& turn);

  // The flusher.
  void run_flusher();
  bool flush_once(const Seqs& seqs);

  // The readers.
  enum class Wait : std::uint8_t { not_needed, begun, refused };
  Wait wait_for(Seq seq, const std::shared_ptr<Scan>& scan);
  void begin_scan(Seq seq, const std::shared_ptr<Scan>& scan);
  void run_scan(const Scan& scan) const;
  Result<Seq> applied_of(PartitionId partition);
  void release_scans(const Seqs& applied, std::vector<std::shared_ptr<Scan>>& ready);

  Database& state_;
  const StateStoreOptions options_;
  const OnApplied on_applied_;
  const OnFlushed on_flushed_;
  std::atomic<std::size_t> lag_bytes_{0};
  StateBatch batch_;  // the applier's

  mutable std::mutex mutex_;
  std::condition_variable applier_wake_;
  std::condition_variable flusher_wake_;
  std::vector<Item> queue_;
  std::size_t queued_bytes_ = 0;
  bool stopping_ = false;
  bool applier_done_ = false;
  std::unordered_map<PartitionId, Seq> applied_;
  std::map<PartitionId, Seq> unflushed_;  // applied since the last flush began
  std::size_t unflushed_bytes_ = 0;
  std::map<PartitionId, std::multimap<Seq, std::shared_ptr<Scan>>> waiting_scans_;
  std::size_t waiting_scan_count_ = 0;
  StateStoreFigures figures_;

  ReaderPool readers_;   // before the applier, which posts to it
  std::thread applier_;  // last: they start when everything else is there
  std::thread flusher_;
};

}  // namespace holdfast

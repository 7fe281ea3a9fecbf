// The applier and the flusher of StateStore.
#include "base/check.h"
#include "storage/state_store_impl.h"

namespace holdfast {
namespace {

constexpr std::size_t kSliceBytes = 4u << 20;  // of entries in one write to the database

}  // namespace

void StateStore::Impl::apply(PartitionId partition, Seq seq, std::shared_ptr<const log::Entry> entry,
                             std::size_t bytes) {
  lag_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    HF_CHECK(!stopping_, "nothing is applied to a store that is going");
    wake = queue_.empty() || queued_bytes_ + bytes >= options_.gather_bytes;
    queue_.push_back({partition, seq, std::move(entry), bytes});
    queued_bytes_ += bytes;
  }
  if (wake) applier_wake_.notify_one();
}

void StateStore::Impl::run_applier() {
  std::vector<Item> turn;
  bool alive = true;
  while (take_turn(turn)) {
    if (alive) alive = apply_turn(turn);
    turn.clear();
  }
}

/// Waits for entries, and then a little for more of them. False: there are none and there will be none.
bool StateStore::Impl::take_turn(std::vector<Item>& turn) {
  std::unique_lock lock(mutex_);
  applier_wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  applier_wake_.wait_for(lock, options_.gather_time, [this] {
    return stopping_ || waiting_scan_count_ > 0 || queued_bytes_ >= options_.gather_bytes;
  });
  turn.swap(queue_);
  queued_bytes_ = 0;
  return !turn.empty();
}

bool StateStore::Impl::apply_turn(std::vector<Item>& turn) {
  check_order(turn);
  StateBatch& batch = batch_;
  std::size_t entries = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < turn.size(); ++i) {
    batch.add(turn[i].partition, *turn[i].entry);
    ++entries;
    bytes += turn[i].bytes;
    if (bytes < kSliceBytes && i + 1 < turn.size()) continue;
    if (!write_slice(batch, entries, bytes)) return false;
    batch.clear();
    entries = bytes = 0;
  }
  const std::scoped_lock lock(mutex_);
  ++figures_.turns;
  return true;
}

void StateStore::Impl::check_order(const std::vector<Item>& turn) {
  std::unordered_map<PartitionId, Seq> expected;
  for (const Item& item : turn) {
    auto at = expected.find(item.partition);
    if (at == expected.end()) {
      const auto known = applied_of(item.partition);
      HF_CHECK(known, "the state says how far it is");
      at = expected.emplace(item.partition, *known).first;
    }
    at->second = at->second.next();
    HF_CHECK(item.seq == at->second && item.entry->seq() == item.seq.value, "entries are applied without gaps");
  }
}

bool StateStore::Impl::write_slice(StateBatch& batch, std::size_t entries, std::size_t bytes) {
  const Batch& rows = batch.finish();
  if (!state_.write(rows, Durability::written)) return false;
  std::vector<std::shared_ptr<Scan>> ready;
  bool flush = false;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [partition, seq] : batch.applied()) applied_[partition] = unflushed_[partition] = seq;
    unflushed_bytes_ += bytes;
    flush = unflushed_bytes_ >= options_.flush_bytes;
    figures_.entries += entries;
    figures_.bytes += bytes;
    figures_.writes += batch.writes();
    figures_.rows_written += rows.ops().size() - batch.applied().size();
    release_scans(batch.applied(), ready);
  }
  lag_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  if (flush) flusher_wake_.notify_one();
  on_applied_(batch.applied());
  for (auto& scan : ready) readers_.post_again([this, scan] { run_scan(*scan); });
  return true;
}

/// With the mutex.
void StateStore::Impl::release_scans(const Seqs& applied, std::vector<std::shared_ptr<Scan>>& ready) {
  if (waiting_scan_count_ == 0) return;
  for (const auto& [partition, seq] : applied) {
    const auto found = waiting_scans_.find(partition);
    if (found == waiting_scans_.end()) continue;
    auto& scans = found->second;
    const auto end = scans.upper_bound(seq);
    for (auto at = scans.begin(); at != end; ++at) ready.push_back(std::move(at->second));
    waiting_scan_count_ -= static_cast<std::size_t>(std::distance(scans.begin(), end));
    scans.erase(scans.begin(), end);
    if (scans.empty()) waiting_scans_.erase(found);
  }
}

void StateStore::Impl::run_flusher() {
  for (bool alive = true, more = true; more;) {
    Seqs seqs;
    {
      std::unique_lock lock(mutex_);
      flusher_wake_.wait(lock, [this] { return applier_done_ || unflushed_bytes_ >= options_.flush_bytes; });
      more = !applier_done_;
      seqs.assign(unflushed_.begin(), unflushed_.end());
      unflushed_.clear();
      unflushed_bytes_ = 0;
    }
    if (alive && !seqs.empty()) alive = flush_once(seqs);
  }
}

/// Everything in `seqs` was written before the flush begins, and so is durable after it.
bool StateStore::Impl::flush_once(const Seqs& seqs) {
  if (!state_.flush()) return false;
  {
    const std::scoped_lock lock(mutex_);
    ++figures_.flushes;
  }
  on_flushed_(seqs);
  return true;
}

}  // namespace holdfast

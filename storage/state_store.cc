#include "storage/state_store.h"

#include "base/check.h"
#include "storage/keys.h"
#include "storage/state_store_impl.h"

namespace holdfast {

StateStore::StateStore(Database& state, StateStoreOptions options, OnApplied on_applied, OnFlushed on_flushed)
    : impl_(std::make_unique<Impl>(state, options, std::move(on_applied), std::move(on_flushed))) {}

StateStore::~StateStore() = default;

void StateStore::apply(PartitionId partition, Seq seq, std::shared_ptr<const log::Entry> entry, std::size_t bytes) {
  impl_->apply(partition, seq, std::move(entry), bytes);
}

void StateStore::replaced(PartitionId partition, Seq seq) { impl_->replaced(partition, seq); }

bool StateStore::lagging() const { return impl_->lag_bytes() > impl_->options().lag_bytes_max; }
std::size_t StateStore::lag_bytes() const { return impl_->lag_bytes(); }
StateStoreFigures StateStore::figures() const { return impl_->figures(); }

Result<std::optional<std::string>> StateStore::get_in_memory(PartitionId partition, std::string_view key) const {
  return impl_->state().get_in_memory(keys::stored(partition, key));
}

void StateStore::get(PartitionId partition, std::string key, OnRow then) {
  impl_->get(partition, std::move(key), std::move(then));
}

void StateStore::scan(PartitionId partition, Seq seq, Range range, OnRows then) {
  impl_->scan(partition, seq, std::move(range), std::move(then));
}

StateStore::Impl::Impl(Database& state, StateStoreOptions options, OnApplied on_applied, OnFlushed on_flushed)
    : state_(state),
      options_(options),
      on_applied_(std::move(on_applied)),
      on_flushed_(std::move(on_flushed)),
      readers_(options.readers, options.reads_waiting_max),
      applier_([this] { run_applier(); }),
      flusher_([this] { run_flusher(); }) {}

StateStore::Impl::~Impl() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  applier_wake_.notify_one();
  applier_.join();
  {
    const std::scoped_lock lock(mutex_);
    applier_done_ = true;
  }
  flusher_wake_.notify_one();
  flusher_.join();

  std::vector<std::shared_ptr<Scan>> in_vain;
  {
    const std::scoped_lock lock(mutex_);
    for (auto& [partition, scans] : waiting_scans_)
      for (auto& [seq, scan] : scans) in_vain.push_back(std::move(scan));
    waiting_scans_.clear();
  }
  for (const auto& scan : in_vain) scan->then(Error{Errc::retry_later, "the node is stopping"});
}

void StateStore::Impl::replaced(PartitionId partition, Seq seq) {
  const std::scoped_lock lock(mutex_);
  for (const Item& item : queue_) HF_CHECK(item.partition != partition, "nothing waits for rows that are replaced");
  applied_[partition] = seq;
  unflushed_.erase(partition);
}

StateStoreFigures StateStore::Impl::figures() const {
  const std::scoped_lock lock(mutex_);
  StateStoreFigures figures = figures_;
  figures.lag_bytes = lag_bytes();
  return figures;
}

void StateStore::Impl::get(PartitionId partition, std::string key, OnRow then) {
  const auto shared = std::make_shared<OnRow>(std::move(then));
  const bool taken = readers_.post(
      [this, partition, key = std::move(key), shared] { (*shared)(state_.get(keys::stored(partition, key))); });
  if (!taken) (*shared)(Error{Errc::retry_later, "too many reads are waiting"});
}

void StateStore::Impl::scan(PartitionId partition, Seq seq, Range range, OnRows then) {
  const auto scan = std::make_shared<Scan>(Scan{partition, std::move(range), std::move(then)});
  if (!readers_.post([this, seq, scan] { begin_scan(seq, scan); }))
    scan->then(Error{Errc::retry_later, "too many reads are waiting"});
}

/// On a reader: reads at once, or leaves it to the applier to post the scan again.
void StateStore::Impl::begin_scan(Seq seq, const std::shared_ptr<Scan>& scan) {
  const auto known = applied_of(scan->partition);
  if (!known) return scan->then(known.error());
  switch (wait_for(seq, scan)) {
    case Wait::not_needed: return run_scan(*scan);
    case Wait::refused: return scan->then(Error{Errc::retry_later, "too many scans wait, or the node is stopping"});
    case Wait::begun: return;
  }
}

StateStore::Impl::Wait StateStore::Impl::wait_for(Seq seq, const std::shared_ptr<Scan>& scan) {
  {
    const std::scoped_lock lock(mutex_);
    if (applied_[scan->partition] >= seq) return Wait::not_needed;
    if (applier_done_ || waiting_scan_count_ >= options_.reads_waiting_max) return Wait::refused;
    waiting_scans_[scan->partition].emplace(seq, scan);
    ++waiting_scan_count_;
  }
  applier_wake_.notify_one();
  return Wait::begun;
}

void StateStore::Impl::run_scan(const Scan& scan) const {
  Range range = scan.range;
  range.from = keys::stored(scan.partition, scan.range.from);
  range.until = keys::stored_until(scan.partition, scan.range.until);
  auto rows = state_.scan(range);
  if (rows)
    for (Row& row : *rows) row.key.erase(0, keys::kPartitionBytes);
  scan.then(std::move(rows));
}

/// What is applied; asks the database the first time.
Result<Seq> StateStore::Impl::applied_of(PartitionId partition) {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = applied_.find(partition); known != applied_.end()) return known->second;
  }
  const auto stored = applied_seq(state_, partition);
  if (!stored) return stored.error();
  const std::scoped_lock lock(mutex_);
  return applied_.try_emplace(partition, *stored).first->second;  // the applier may have been faster
}

}  // namespace holdfast

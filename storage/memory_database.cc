#include "storage/memory_database.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace holdfast {
namespace {

std::optional<std::string> find(const std::map<std::string, std::string, std::less<>>& rows, std::string_view key) {
  const auto found = rows.find(key);
  if (found == rows.end()) return std::nullopt;
  return found->second;
}

Error bad_row() { return Error{Errc::corrupt, "simulated bad disk: a row can't be read"}; }
Error crashed() { return Error{Errc::io, "simulated crash: nothing is written any more"}; }

}  // namespace

void WriteLimit::set(std::uint64_t n, When when) {
  HF_CHECK(n > 0, "writes are counted from 1");
  const std::scoped_lock lock(mutex_);
  count_ = 0;
  limit_ = n;
  when_ = when;
}

bool WriteLimit::reached() const {
  const std::scoped_lock lock(mutex_);
  return count_ >= limit_;
}

std::uint64_t WriteLimit::count() const {
  const std::scoped_lock lock(mutex_);
  return count_;
}

void WriteLimit::on_reached(std::function<void()> callback) {
  const std::scoped_lock lock(mutex_);
  on_reached_ = std::move(callback);
}

WriteLimit::Verdict WriteLimit::next() {
  const std::scoped_lock lock(mutex_);
  if (count_ >= limit_) return Verdict::refuse;
  if (++count_ < limit_) return Verdict::go_on;
  return when_ == When::after ? Verdict::do_as_last : Verdict::skip_as_last;
}

void WriteLimit::announce() {
  std::function<void()> callback;
  {
    const std::scoped_lock lock(mutex_);
    callback = std::exchange(on_reached_, nullptr);
  }
  if (callback) callback();
}

MemoryDatabase::MemoryDatabase(std::shared_ptr<WriteLimit> limit) : limit_(std::move(limit)) {}

void MemoryDatabase::apply(Rows& rows, BatchOp::Kind kind, std::string_view key, std::string_view value) {
  switch (kind) {
    case BatchOp::Kind::put: rows.insert_or_assign(std::string(key), std::string(value)); return;
    case BatchOp::Kind::remove:
      if (const auto found = rows.find(key); found != rows.end()) rows.erase(found);
      return;
    case BatchOp::Kind::remove_range:
      HF_CHECK(!value.empty(), "a range that is removed has an end");
      if (key < value) rows.erase(rows.lower_bound(key), rows.lower_bound(value));
      return;
  }
}

MemoryDatabase::OwnedBatch MemoryDatabase::own(const Batch& batch) {
  OwnedBatch owned;
  owned.reserve(batch.ops().size());
  for (const BatchOp& op : batch.ops()) owned.push_back({op.kind, std::string(op.key), std::string(op.value)});
  return owned;
}

void MemoryDatabase::make_durable(std::size_t batches) {
  const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(std::min(batches, pending_.size()));
  for (auto batch = pending_.begin(); batch != end; ++batch)
    for (const OwnedOp& op : *batch) apply(durable_, op.kind, op.key, op.value);
  pending_.erase(pending_.begin(), end);
}

Status MemoryDatabase::guarded(const Batch* batch, Durability durability) {
  const WriteLimit::Verdict verdict = limit_->next();
  if (verdict == WriteLimit::Verdict::refuse) return crashed();
  if (verdict != WriteLimit::Verdict::skip_as_last) {
    std::unique_lock lock(mutex_);
    if (const auto callback = on_write_) {
      lock.unlock();  // it may look at the database
      callback(batch, durability);
      lock.lock();
    }
    if (batch) {
      for (const BatchOp& op : batch->ops()) apply(visible_, op.kind, op.key, op.value);
      if (!unreadable_.empty()) written_anew(*batch);
      pending_.push_back(own(*batch));
    }
    if (durability == Durability::synced) make_durable(pending_.size());
  }
  if (verdict == WriteLimit::Verdict::go_on) return Ok{};
  limit_->announce();
  return crashed();
}

Status MemoryDatabase::write(const Batch& batch, Durability durability) { return guarded(&batch, durability); }

Status MemoryDatabase::flush() { return guarded(nullptr, Durability::synced); }

Result<std::optional<std::string>> MemoryDatabase::get(std::string_view key) const {
  const std::scoped_lock lock(mutex_);
  if (unreadable_.contains(key)) return unreadable();
  return find(visible_, key);
}

Result<std::optional<std::string>> MemoryDatabase::get_in_memory(std::string_view key) const {
  const std::scoped_lock lock(mutex_);
  if (cold_) return Error{Errc::retry_later, "not in memory"};
  if (unreadable_.contains(key)) return unreadable();
  return find(visible_, key);
}

Result<std::optional<std::string>> MemoryDatabase::get_durable(std::string_view key) const {
  const std::scoped_lock lock(mutex_);
  return find(durable_, key);
}

class MemoryDatabase::View final : public DatabaseView {
 public:
  View(Rows rows, Keys unreadable) : rows_(std::move(rows)), unreadable_(std::move(unreadable)) {}
  Result<std::optional<std::string>> get(std::string_view key) const override {
    if (unreadable_.contains(key)) return bad_row();
    return find(rows_, key);
  }
  Result<std::vector<Row>> scan(const Range& range) const override {
    auto rows = scan_rows(rows_, range);
    if (any_of(unreadable_, rows)) return bad_row();
    return rows;
  }

 private:
  const Rows rows_;
  const Keys unreadable_;
};

std::unique_ptr<DatabaseView> MemoryDatabase::view() const {
  const std::scoped_lock lock(mutex_);
  return std::make_unique<View>(visible_, unreadable_);
}

Result<std::vector<Row>> MemoryDatabase::scan(const Range& range) const {
  const std::scoped_lock lock(mutex_);
  auto rows = scan_rows(visible_, range);
  if (any_of(unreadable_, rows)) return unreadable();
  return rows;
}

// ------------------------------------------------------------------------------------------------ a bad disk

bool MemoryDatabase::any_of(const Keys& keys, const std::vector<Row>& rows) {
  return !keys.empty() && std::ranges::any_of(rows, [&](const Row& row) { return keys.contains(row.key); });
}

Error MemoryDatabase::unreadable() const {
  found_unreadable_ = true;
  return bad_row();
}

void MemoryDatabase::written_anew(const Batch& batch) {
  for (const BatchOp& op : batch.ops()) {
    const auto from = unreadable_.lower_bound(op.key);
    const auto until =
        op.kind == BatchOp::Kind::remove_range ? unreadable_.lower_bound(op.value) : unreadable_.upper_bound(op.key);
    unreadable_.erase(from, until);
  }
}

void MemoryDatabase::make_unreadable(std::string_view key) {
  const std::scoped_lock lock(mutex_);
  unreadable_.emplace(key);
}

void MemoryDatabase::replace_silently(std::string_view key, std::optional<std::string> value) {
  const std::scoped_lock lock(mutex_);
  HF_CHECK(pending_.empty(), "a disk goes bad where it is durable");
  if (value)
    visible_.insert_or_assign(std::string(key), std::move(*value));
  else
    visible_.erase(std::string(key));
  durable_ = visible_;
}

bool MemoryDatabase::found_unreadable() const {
  const std::scoped_lock lock(mutex_);
  return found_unreadable_;
}

std::vector<Row> MemoryDatabase::scan_rows(const Rows& all, const Range& range) {
  std::vector<Row> rows;
  if (!range.until.empty() && range.from >= range.until) return rows;
  const auto begin = all.lower_bound(range.from);
  const auto end = range.until.empty() ? all.end() : all.lower_bound(range.until);
  std::size_t bytes = 0;
  const auto take = [&](const auto& row) {
    if (rows.size() == range.limit || (!rows.empty() && bytes >= range.bytes_max)) return false;
    bytes += row.first.size() + row.second.size();
    rows.push_back({row.first, row.second});
    return true;
  };
  if (range.backward) {
    for (auto at = end; at != begin && take(*std::prev(at)); --at) {
    }
  } else {
    for (auto at = begin; at != end && take(*at); ++at) {
    }
  }
  return rows;
}

void MemoryDatabase::crash(std::size_t survivors) {
  {
    const std::scoped_lock lock(mutex_);
    make_durable(survivors);
    pending_.clear();
    visible_ = durable_;
  }
  limit_->clear();
}

std::size_t MemoryDatabase::forgettable() const {
  const std::scoped_lock lock(mutex_);
  return pending_.size();
}

void MemoryDatabase::on_write(std::function<void(const Batch*, Durability)> callback) {
  const std::scoped_lock lock(mutex_);
  on_write_ = std::move(callback);
}

void MemoryDatabase::set_cold(bool cold) {
  const std::scoped_lock lock(mutex_);
  cold_ = cold;
}

std::size_t MemoryDatabase::rows() const {
  const std::scoped_lock lock(mutex_);
  return visible_.size();
}

}  // namespace holdfast

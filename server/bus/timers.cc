#include "server/bus/timers.h"

#include "base/check.h"
#include "storage/keys.h"

namespace holdfast::bus {
namespace {

/// When the row is due; the beginning of time for the key before all rows.
WallTime time_of(std::string_view key) {
  if (key.empty()) return WallTime{};
  if (key.back() == '\0') key.remove_suffix(1);  // "right behind this row"
  const auto decoded = keys::decode(key);
  HF_CHECK(decoded && decoded->family == keys::Family::due, "a timer's row has a timer's key");
  return from_ms(static_cast<std::int64_t>(decoded->number));
}

}  // namespace

bool Timers::passes_over(std::string_view key) const {
  if (is_mine_ == nullptr) return false;
  const auto decoded = keys::decode(key);
  HF_CHECK(decoded && decoded->family == keys::Family::due, "a timer's row has a timer's key");
  return !is_mine_(decoded->first);
}

void Timers::wrote(std::string_view key) {
  if (passes_over(key)) return;
  if (const auto at = removed_since_.find(key); at != removed_since_.end()) removed_since_.erase(at);
  if (running_.contains(key) || (unseen_from_ && key >= *unseen_from_)) return;
  waiting_.emplace(key);
  if (waiting_.size() > waiting_max()) forget_from(*waiting_.rbegin());
}

void Timers::removed(std::string_view key) {
  if (passes_over(key)) return;
  if (const auto at = waiting_.find(key); at != waiting_.end()) waiting_.erase(at);
  if (const auto at = running_.find(key); at != running_.end()) running_.erase(at);
  if (reading_) removed_since_.emplace(key);
}

void Timers::forget_from(std::string key) {
  waiting_.erase(waiting_.lower_bound(key), waiting_.end());
  if (!unseen_from_ || key < *unseen_from_) unseen_from_ = std::move(key);
}

std::optional<Range> Timers::take_read(WallTime now) {
  const bool room = waiting_.empty() && running_.size() < running_max_;
  if (reading_ || !room || !unseen_from_ || now < time_of(*unseen_from_)) return std::nullopt;
  reading_ = true;
  const std::string all = keys::prefix(keys::Family::due);
  Range range{.from = std::max(all, *unseen_from_), .until = keys::after_prefix(all), .limit = waiting_max()};
  unseen_from_.reset();  // what is written from now on says so by itself
  return range;
}

void Timers::read(const std::vector<Row>& rows) {
  HF_CHECK(reading_, "only what was asked for is read");
  reading_ = false;
  for (const Row& row : rows)
    if (!running_.contains(row.key) && !removed_since_.contains(row.key) && !passes_over(row.key))
      waiting_.insert(row.key);
  removed_since_.clear();
  if (rows.size() >= waiting_max()) forget_from(rows.back().key + '\0');
  // More may have been written meanwhile than is kept in mind: then what was read behind that is not known to be next.
  if (unseen_from_) waiting_.erase(waiting_.lower_bound(*unseen_from_), waiting_.end());
}

bool Timers::has_due(WallTime now) const {
  return !waiting_.empty() && running_.size() < running_max_ && time_of(*waiting_.begin()) <= now;
}

std::optional<std::string> Timers::take(WallTime now) {
  if (!has_due(now)) return std::nullopt;
  auto first = waiting_.extract(waiting_.begin());
  std::string key = std::move(first.value());
  running_.insert(key);
  return key;
}

bool Timers::busy(WallTime now) const {
  if (reading_ || (unseen_from_ && now >= time_of(*unseen_from_))) return true;
  return !waiting_.empty() && time_of(*waiting_.begin()) <= now;
}

}  // namespace holdfast::bus

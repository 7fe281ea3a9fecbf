#include "storage/range_cache.h"

#include <algorithm>

#include "base/check.h"
#include "storage/keys.h"

namespace holdfast {
namespace {

constexpr std::size_t kPrefixBytes = 1 + 16;   // family and conversation
constexpr std::size_t kRowOverheadBytes = 96;  // two strings, and the allocator, roughly

template <class Ranges>
auto range_around(Ranges& ranges, std::string_view key) {
  auto at = ranges.upper_bound(key);
  if (at == ranges.begin()) return ranges.end();
  --at;
  return key < at->second.until ? at : ranges.end();
}

bool overlap(std::string_view from, std::string_view until, std::string_view other_from, std::string_view other_until) {
  return (until.empty() || other_from < until) && from < other_until;
}

}  // namespace

bool RangeCache::keeps(const Range& range) {
  return range.from.size() == kPrefixBytes && static_cast<keys::Family>(range.from.front()) == keys::Family::member &&
         range.until == keys::after_prefix(range.from) && range.limit == SIZE_MAX && range.bytes_max == SIZE_MAX &&
         !range.backward;
}

const std::vector<Row>* RangeCache::find(const Range& range) {
  if (kept_.empty() || !keeps(range)) return nullptr;
  const auto at = kept_.find(range.from);
  if (at == kept_.end()) return nullptr;
  at->second.used = ++uses_;
  return &at->second.rows;
}

void RangeCache::reading(const Range& range) {
  HF_CHECK(keeps(range), "only what is kept is read for this");
  Reading& reading = reading_[range.from];
  reading.until = range.until;
  ++reading.open;
}

void RangeCache::read(const Range& range, const std::vector<Row>& rows) {
  const auto at = reading_.find(range.from);
  HF_CHECK(at != reading_.end(), "read() follows reading()");
  const bool written = at->second.written;
  if (--at->second.open == 0) reading_.erase(at);
  if (written || kept_.contains(range.from)) return;
  Kept kept{range.until, {}, 0, ++uses_};
  for (const Row& row : rows) kept.bytes += row.key.size() + row.value.size() + kRowOverheadBytes;
  if (kept.bytes > bytes_max_) return;
  kept.rows = rows;
  bytes_ += kept.bytes;
  kept_.emplace(range.from, std::move(kept));
  evict();
}

void RangeCache::wrote(std::string_view key) {
  if (const auto at = range_around(reading_, key); at != reading_.end()) at->second.written = true;
  if (const auto at = range_around(kept_, key); at != kept_.end()) erase(at);
}

void RangeCache::removed_range(std::string_view from, std::string_view until) {
  for (auto& [start, reading] : reading_) reading.written |= overlap(from, until, start, reading.until);
  for (auto at = kept_.begin(); at != kept_.end();) {
    const auto next = std::next(at);
    if (overlap(from, until, at->first, at->second.until)) erase(at);
    at = next;
  }
}

void RangeCache::erase(Ranges::iterator at) {
  bytes_ -= at->second.bytes;
  kept_.erase(at);
}

void RangeCache::evict() {
  const auto used = [](const auto& one) { return one.second.used; };
  while (bytes_ > bytes_max_) erase(std::ranges::min_element(kept_, {}, used));
}

}  // namespace holdfast

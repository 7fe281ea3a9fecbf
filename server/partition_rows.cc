/// Partition: rows that are not in memory are asked for, and whoever waits goes on when they are there.
#include "base/check.h"
#include "server/partition_internal.h"

namespace holdfast {

void Partition::want(Needs& needs) {
  auto rows = std::exchange(needs.missing_rows, {});
  auto ranges = std::exchange(needs.missing_ranges, {});
  std::ranges::sort(rows);
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  needs.open += rows.size() + ranges.size();
  for (std::string& key : rows) {
    auto& waiters = row_waiters_[key];
    waiters.push_back(&needs);
    if (waiters.size() > 1) continue;  // asked for already
    ++figures_.loads;
    ready_.rows.push_back(std::move(key));
  }
  for (const Range& range : ranges) {
    const bool keeps = RangeCache::keeps(range);
    if (keeps) ranges_.reading(range);
    want_range(range, [this, keeps, range, &needs](std::vector<Row> found) {
      if (keeps) ranges_.read(range, found);
      needs.ranges.emplace_back(range, std::move(found));
      if (--needs.open == 0) needs.ready();
    });
  }
}

void Partition::want_range(const Range& range, std::function<void(std::vector<Row>)> then) {
  ++figures_.loads;
  ready_.ranges.push_back({next_ticket_, replica_.committed(), range});
  range_waiters_.emplace(next_ticket_++, std::move(then));
}

void Partition::row_loaded(const std::string& key, std::optional<std::string_view> value) {
  rows_.loaded(key, value);
  const auto at = row_waiters_.find(key);
  HF_CHECK(at != row_waiters_.end(), "only what was asked for is loaded");
  const auto waiters = std::move(at->second);
  row_waiters_.erase(at);
  for (Needs* needs : waiters)
    if (rows_.hold(key)) needs->held.push_back(key);
  for (Needs* needs : waiters)
    if (--needs->open == 0) needs->ready();
}

/// What waited has run: the cache does as it likes again.
void Partition::let_go(Needs& needs) {
  for (const std::string& key : std::exchange(needs.held, {})) rows_.let_go(key);
}

void Partition::range_loaded(std::uint64_t ticket, std::vector<Row> rows) {
  const auto at = range_waiters_.find(ticket);
  HF_CHECK(at != range_waiters_.end(), "only what was asked for is loaded");
  const auto then = std::move(at->second);
  range_waiters_.erase(at);
  then(std::move(rows));
}

}  // namespace holdfast

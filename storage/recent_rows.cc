#include "storage/recent_rows.h"

#include "base/check.h"
#include "storage/keys.h"

namespace holdfast {

bool RecentRows::keeps(std::string_view key) {
  const auto family = static_cast<keys::Family>(key.front());
  return family == keys::Family::change || family == keys::Family::client_id;
}

void RecentRows::wrote(const log::Write& write, Seq seq) {
  HF_CHECK(write.what_case() != log::Write::kRemoveUntil, "changes and client ids are removed one by one");
  const bool put = write.what_case() == log::Write::kPut;
  // The old key may stand in an entry that goes earlier than this one.
  if (const auto old = rows_.find(write.key()); old != rows_.end()) rows_.erase(old);
  rows_.emplace(write.key(), Recent{put ? &write.put() : nullptr, seq});
}

void RecentRows::hold(std::shared_ptr<const log::Entry> entry) { entries_.push_back(std::move(entry)); }

RowCache::Found RecentRows::find(std::string_view key) const {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return {};
  return {.known = true, .value = found->second.value};
}

void RecentRows::applied(Seq seq) {
  while (!entries_.empty() && Seq(entries_.front()->seq()) <= seq) {
    const log::Entry& entry = *entries_.front();
    for (const log::Write& write : entry.writes()) {
      if (!keeps(write.key())) continue;
      const auto found = rows_.find(write.key());
      if (found != rows_.end() && found->second.seq == Seq(entry.seq())) rows_.erase(found);
    }
    entries_.pop_front();
  }
}

}  // namespace holdfast

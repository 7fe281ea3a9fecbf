#include "failover/in_sync_set.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::failover {

InSyncSet::InSyncSet(std::vector<Member> members, std::uint32_t min_in_sync) : min_in_sync_(min_in_sync) {
  HF_CHECK(min_in_sync > 0, "an entry needs at least one copy");
  for (const Member& member : members) progress_.push_back({member, Seq{}});
}

void InSyncSet::durable(const Member& member, Seq seq) {
  const auto progress = std::ranges::find(progress_, member, &Progress::member);
  HF_CHECK(progress != progress_.end(), "only members count (I12)");
  HF_CHECK(progress->durable <= seq, "durable does not go back");
  progress->durable = seq;
  if (!large_enough()) return;
  const Seq all_have = std::ranges::min_element(progress_, {}, &Progress::durable)->durable;
  commit_point_ = std::max(commit_point_, all_have);
}

}  // namespace holdfast::failover

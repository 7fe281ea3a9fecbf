#include "failover/in_sync_set.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace holdfast::failover {
namespace {

bool contains(const std::vector<Member>& members, const Member& member) {
  return std::ranges::find(members, member) != members.end();
}

}  // namespace

InSyncSet::InSyncSet(std::vector<Member> members, std::uint32_t min_in_sync)
    : stored_(std::move(members)), min_in_sync_(min_in_sync) {
  HF_CHECK(min_in_sync > 0, "an entry needs at least one copy");
}

void InSyncSet::propose(const std::vector<Member>& wanted) { proposed_ = wanted; }

void InSyncSet::settle(std::vector<Member> members, std::uint32_t min_in_sync) {
  HF_CHECK(min_in_sync > 0, "an entry needs at least one copy");
  stored_ = std::move(members);
  min_in_sync_ = min_in_sync;
  proposed_.clear();
  advance();
}

void InSyncSet::durable(const Member& member, Seq seq) {
  const auto known = std::ranges::find(progress_, member, &Progress::member);
  if (known == progress_.end())
    progress_.push_back({member, seq});
  else
    known->durable = std::max(known->durable, seq);
  advance();
}

bool InSyncSet::counts(const Member& member) const { return contains(stored_, member) || contains(proposed_, member); }

std::vector<Member> InSyncSet::all() const {
  std::vector<Member> all = stored_;
  for (const Member& member : proposed_)
    if (!contains(stored_, member)) all.push_back(member);
  return all;
}

void InSyncSet::advance() {
  if (!large_enough()) return;
  Seq all_have(std::numeric_limits<std::uint64_t>::max());
  for (const Member& member : all()) {
    const auto known = std::ranges::find(progress_, member, &Progress::member);
    all_have = std::min(all_have, known == progress_.end() ? Seq{} : known->durable);
  }
  commit_point_ = std::max(commit_point_, all_have);
}

}  // namespace holdfast::failover

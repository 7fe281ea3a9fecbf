#include <catch2/catch.hpp>

#include "tools/holdfastctl/recover.h"

using namespace holdfast;
using namespace holdfast::ctl;

namespace {

http::CopyFigures copy(std::uint32_t partition, std::uint64_t epoch, std::uint64_t last_seq, std::uint64_t promised) {
  http::CopyFigures figures;
  figures.partition = partition;
  figures.role = "backup";
  figures.epoch = epoch;
  figures.last_seq = last_seq;
  figures.promised = promised;
  return figures;
}

/// Three nodes, of which `live` answer; one partition, of which `in_sync` had everything.
Seen seen_of(std::vector<std::uint32_t> in_sync, std::vector<std::uint32_t> live) {
  Seen seen;
  for (std::uint32_t id = 1; id <= 3; ++id) {
    http::NodeFigures node;
    node.id = id;
    node.name = "n" + std::to_string(id);
    node.live = std::find(live.begin(), live.end(), id) != live.end();
    seen.cluster.nodes.push_back(node);
    if (node.live) seen.copies[id].self = id;
  }
  http::PartitionFigures partition;
  partition.id = 4;
  partition.epoch = 6;
  partition.min_isr = 2;
  partition.in_sync = in_sync;
  for (const std::uint32_t node : in_sync)
    if (std::find(live.begin(), live.end(), node) == live.end()) partition.missing.push_back(node);
  seen.cluster.partitions.push_back(partition);
  return seen;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Recovery: goes on with who was in sync, though another's copy looks longer, and says that nothing is lost") {
  Seen seen = seen_of({1, 2}, {1, 3});
  seen.copies[1].copies = {copy(4, 6, 100, 6)};
  seen.copies[3].copies = {copy(4, 6, 120, 8)};
  const RecoveryPlan plan = plan_recovery(seen, true, 0);
  REQUIRE(plan.recoveries.size() == 1);
  CHECK(plan.recoveries[0].to == 1);
  CHECK(plan.recoveries[0].was_in_sync);
  CHECK(plan.recoveries[0].epoch == 8);  // whoever promised the most must be outdone
  CHECK(contains(show_plan(seen.cluster, plan), "everything that was acknowledged"));
  CHECK(contains(show_plan(seen.cluster, plan), "gone: n2"));
}

TEST_CASE(
    "Recovery: of copies that were not in sync the one of the latest epoch, then the longest, and the loss is named") {
  Seen seen = seen_of({1}, {2, 3});
  seen.copies[2].copies = {copy(4, 5, 300, 6)};
  seen.copies[3].copies = {copy(4, 6, 120, 6)};
  RecoveryPlan plan = plan_recovery(seen, false, 4);
  REQUIRE(plan.recoveries.size() == 1);
  CHECK(plan.recoveries[0].to == 3);
  CHECK(contains(show_plan(seen.cluster, plan), "NOT in sync"));
  seen.copies[2].copies = {copy(4, 6, 121, 6)};
  CHECK(plan_recovery(seen, false, 4).recoveries[0].to == 2);
}

TEST_CASE("Recovery: a node that came back with another disk was not in sync, whatever its number") {
  Seen seen = seen_of({1, 2}, {1});
  seen.cluster.partitions[0].missing = {1, 2};
  seen.copies[1].copies = {copy(4, 6, 7, 6)};
  const RecoveryPlan plan = plan_recovery(seen, true, 0);
  REQUIRE(plan.recoveries.size() == 1);
  CHECK_FALSE(plan.recoveries[0].was_in_sync);
}

TEST_CASE("Recovery: refused where enough is in sync, where nobody has a copy, and for what is not there") {
  Seen well = seen_of({1, 2, 3}, {1, 2});
  CHECK(plan_recovery(well, true, 0).recoveries.empty());
  CHECK(plan_recovery(well, true, 0).refused.empty());
  CHECK(contains(plan_recovery(well, false, 4).refused.at(0), "there is nothing to recover"));
  CHECK(contains(plan_recovery(well, false, 5).refused.at(0), "there is no partition 5"));
  Seen empty = seen_of({1, 2}, {3});
  empty.copies[3].copies = {copy(4, 0, 0, 6)};
  CHECK(plan_recovery(empty, true, 0).recoveries.empty());
  CHECK(contains(plan_recovery(empty, true, 0).refused.at(0), "restore a backup"));
  empty.copies[3].copies = {copy(4, 6, 9, 6)};
  empty.copies[3].copies[0].role = "quarantined";
  CHECK(plan_recovery(empty, true, 0).recoveries.empty());
}

#include "failover/cluster_view.h"

#include <catch2/catch.hpp>

#include "failover/flap_limits.h"

namespace holdfast::failover {
namespace {

std::string partition(std::uint64_t epoch, std::uint32_t primary = 1) {
  log::PartitionConfig config;
  config.set_epoch(epoch);
  config.mutable_primary()->set_node(primary);
  config.mutable_primary()->set_store_id(std::string(16, 's'));
  *config.add_in_sync() = config.primary();
  config.set_min_isr(1);
  config.add_replicas(primary);
  return config.SerializeAsString();
}

ConfigRows rows(std::uint64_t revision, std::map<std::string, ConfigRow> all) { return {std::move(all), revision}; }

TEST_CASE("ClusterView: a row that can't be read is named, and what was known of it stays (I13)") {
  ClusterView view;
  CHECK(view.take(rows(5, {{"part/1", {partition(3), 4}}, {"part/2", {partition(7), 5}}})).partitions.size() == 2);
  const auto taken = view.take(rows(6, {{"part/1", {"\xff garbage", 6}}, {"part/2", {partition(7), 5}}}));
  CHECK(taken.partitions.empty());
  REQUIRE(taken.problems.size() == 1);
  CHECK(taken.problems[0] == "row part/1 can't be read: what was known of it stays");
  CHECK(view.partitions().at(PartitionId(1)).config.epoch() == 3);
  CHECK(view.take(rows(6, {{"part/1", {"\xff garbage", 6}}, {"part/2", {partition(7), 5}}}))
            .problems.empty());  // said once
}

TEST_CASE("ClusterView: rows of strange shape are refused") {
  log::PartitionConfig primary_not_in_sync;
  REQUIRE(primary_not_in_sync.ParseFromString(partition(1)));
  primary_not_in_sync.mutable_primary()->set_node(2);
  log::NodeRow short_store;
  short_store.set_store_id("short");
  ClusterView view;
  const auto taken = view.take(rows(9, {{"part/0", {partition(0), 1}},
                                        {"part/1", {primary_not_in_sync.SerializeAsString(), 2}},
                                        {"part/01", {partition(1), 3}},
                                        {"part/70000", {partition(1), 4}},
                                        {"node/3", {short_store.SerializeAsString(), 5}},
                                        {"coord", {"", 6}}}));
  CHECK(taken.problems.size() == 6);
  CHECK(view.partitions().empty());
  CHECK(view.nodes().empty());
  CHECK_FALSE(view.coordinator());
}

TEST_CASE("ClusterView: a missing row of a partition, and of a member it names, deletes nothing (I13)") {
  ClusterView view;
  view.take(rows(5, {{"part/1", {partition(3), 4}}, {"member/1", {"", 2}}, {"member/2", {"", 3}}}));
  const auto taken = view.take(rows(6, {}));
  CHECK(taken.problems.size() == 2);
  CHECK(view.partitions().contains(PartitionId(1)));
  CHECK(view.members().contains(NodeId(1)));
  CHECK_FALSE(view.members().contains(NodeId(2)));
}

TEST_CASE("ClusterView: a store that went back is not believed, as a whole or row by row (I2)") {
  ClusterView view;
  view.take(rows(50, {{"part/1", {partition(3), 40}}}));
  const auto older = view.take(rows(49, {{"part/1", {partition(9), 45}}}));
  CHECK(older.refused);
  CHECK(view.went_back());
  REQUIRE(older.problems.size() == 1);
  CHECK(view.partitions().at(PartitionId(1)).config.epoch() == 3);
  const auto lower_epoch = view.take(rows(60, {{"part/1", {partition(2), 55}}}));
  CHECK_FALSE(view.went_back());
  CHECK(lower_epoch.problems[0] == "row part/1 went back from epoch 3 to 2: refused");
  CHECK(view.take(rows(61, {{"part/1", {partition(4), 39}}})).partitions.empty());
  CHECK(view.partitions().at(PartitionId(1)).config.epoch() == 3);
}

TEST_CASE("FlapLimits: the second death within the window costs 30 s of health, the third 60 s") {
  FlapLimits flaps({});
  SteadyTime now{std::chrono::hours(1)};
  const NodeId node(2);
  using std::chrono::seconds;
  const auto dies_and_returns = [&] {
    flaps.died(node, now);
    now += seconds(1);
    flaps.well_again(node, now);
  };
  dies_and_returns();
  CHECK_FALSE(flaps.held_back(node, now));
  dies_and_returns();
  CHECK(flaps.held_back(node, now + seconds(29)));
  CHECK_FALSE(flaps.held_back(node, now + seconds(30)));
  dies_and_returns();
  CHECK(flaps.held_back(node, now + seconds(59)));
  CHECK_FALSE(flaps.held_back(node, now + seconds(60)));
  CHECK_FALSE(flaps.held_back(node, now + std::chrono::minutes(10)));
}

TEST_CASE("ClusterView: a store that is older than what an earlier life saw of it is refused, and what to do is said") {
  ClusterView before;
  before.take(rows(50, {{"part/1", {partition(9), 4}}, {"part/2", {partition(3), 5}}}));
  const auto floor = parse_store_floor(before.floor().text());
  REQUIRE(floor);
  CHECK(*floor == before.floor());

  ClusterView view(*floor);
  const auto older = view.take(rows(49, {{"part/1", {partition(9), 4}}, {"part/2", {partition(3), 5}}}));
  CHECK(older.refused);
  CHECK(view.went_back());
  CHECK(view.partitions().empty());
  REQUIRE(older.problems.size() == 1);
  CHECK(older.problems[0].find("from revision 50 to 49") != std::string::npos);
  CHECK(older.problems[0].find("cluster.accept_older_store") != std::string::npos);

  // An older copy that was written to until its revision passed ours is still older.
  const auto overtaken = view.take(rows(70, {{"part/1", {partition(8), 60}}, {"part/2", {partition(3), 5}}}));
  CHECK(overtaken.refused);
  CHECK(overtaken.problems[0].find("in partition 1 from epoch 9 to 8") != std::string::npos);
  CHECK(view.take(rows(71, {{"part/2", {partition(3), 5}}})).refused);  // a row that is gone is one that went back

  const auto right = view.take(rows(72, {{"part/1", {partition(9), 4}}, {"part/2", {partition(4), 72}}}));
  CHECK_FALSE(right.refused);
  CHECK(view.floor().revision == 72);
  CHECK(view.floor().epochs.at(PartitionId(2)) == 4);
}

TEST_CASE("ClusterView: a note of what was seen that is none is not taken for one") {
  CHECK_FALSE(parse_store_floor(""));
  CHECK_FALSE(parse_store_floor("12 3"));
  CHECK_FALSE(parse_store_floor("12 3:x"));
  CHECK_FALSE(parse_store_floor("12 70000:4"));
  CHECK(parse_store_floor("12")->epochs.empty());
}

}  // namespace
}  // namespace holdfast::failover

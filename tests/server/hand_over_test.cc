#include "server/hand_over.h"

#include <catch2/catch.hpp>
#include <set>

namespace holdfast {
namespace {

const NodeId kSelf{1}, kSecond{2}, kThird{3};

/// `count` partitions that node 1 leads, and all three have.
HandOver::Rows rows_of(std::uint16_t count) {
  HandOver::Rows rows;
  for (std::uint16_t p = 0; p < count; ++p) {
    auto& config = rows[PartitionId(p)].config;
    config.mutable_primary()->set_node(kSelf.value);
    for (const NodeId node : {kSelf, kSecond, kThird}) config.add_in_sync()->set_node(node.value);
  }
  return rows;
}

bool others(NodeId node, PartitionId) { return node != kSelf; }

TEST_CASE("HandOver: a few at a time, evenly to those who can take them, until nothing is left") {
  const auto rows = rows_of(20);
  HandOver giving(SteadyTime(std::chrono::seconds(30)));
  std::vector<Epoch> serves(20, Epoch(4));
  std::map<NodeId, int> taken;
  SteadyTime now{};
  for (int turn = 0; turn < 20; ++turn) {
    const auto offers = giving.next(serves, rows, others, now += std::chrono::milliseconds(20));
    CHECK(offers.size() <= 8);
    for (const auto& offer : offers) {
      CHECK(offer.epoch == Epoch(4));
      ++taken[offer.heir];
      serves[offer.partition.value] = Epoch{};
    }
    if (giving.is_over(now)) break;
  }
  CHECK(giving.left() == 0);
  CHECK(taken.size() == 2);
  CHECK(taken[kSecond] + taken[kThird] == 20);
  CHECK(std::abs(taken[kSecond] - taken[kThird]) <= 8);
}

TEST_CASE("HandOver: whoever does not take one within a second is not the only one who is asked") {
  const auto rows = rows_of(1);
  HandOver giving(SteadyTime(std::chrono::seconds(30)));
  const std::vector<Epoch> serves{Epoch(4)};
  SteadyTime now{};
  const auto first = giving.next(serves, rows, others, now);
  REQUIRE(first.size() == 1);
  CHECK(giving.next(serves, rows, others, now + std::chrono::milliseconds(500)).empty());
  const auto again = giving.next(serves, rows, others, now + std::chrono::milliseconds(1100));
  REQUIRE(again.size() == 1);
  CHECK(again[0].heir != first[0].heir);
}

TEST_CASE("HandOver: partitions that nobody takes keep no other from being offered") {
  const auto rows = rows_of(30);
  HandOver giving(SteadyTime(std::chrono::seconds(30)));
  std::vector<Epoch> serves(30, Epoch(4));
  std::set<PartitionId> offered;
  for (SteadyTime now{}; now < SteadyTime(std::chrono::seconds(5)); now += std::chrono::milliseconds(20))
    for (const auto& offer : giving.next(serves, rows, others, now)) {
      offered.insert(offer.partition);
      if (offer.partition.value >= 8) serves[offer.partition.value] = Epoch{};
    }
  CHECK(offered.size() == 30);
}

TEST_CASE("HandOver: with nobody to take it, it lasts its time and says what is left") {
  const auto rows = rows_of(2);
  HandOver giving(SteadyTime(std::chrono::seconds(1)));
  const std::vector<Epoch> serves{Epoch(4), Epoch{}};
  const auto nobody = [](NodeId, PartitionId) { return false; };
  CHECK(giving.next(serves, rows, nobody, SteadyTime{}).empty());
  CHECK_FALSE(giving.is_over(SteadyTime{}));
  CHECK(giving.is_over(SteadyTime(std::chrono::seconds(1))));
  CHECK(giving.left() == 1);
}

TEST_CASE("HandOver: a partition is offered to nobody whose copy of it is not sound, though he takes others") {
  const auto rows = rows_of(2);
  HandOver giving(SteadyTime(std::chrono::seconds(30)));
  const auto sound = [](NodeId node, PartitionId partition) {
    return node == kSecond || (node == kThird && partition != PartitionId(1));
  };
  const auto offers = giving.next({Epoch(4), Epoch(4)}, rows, sound, SteadyTime{});
  REQUIRE(offers.size() == 2);
  CHECK(offers[1].partition == PartitionId(1));
  CHECK(offers[1].heir == kSecond);
}

}  // namespace
}  // namespace holdfast

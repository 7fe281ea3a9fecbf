#include "server/bus/pace.h"

#include <catch2/catch.hpp>
#include <map>

namespace holdfast::bus {
namespace {

using std::chrono::milliseconds;

/// Partitions that have more to begin than they may, for so long; how much each has begun.
std::map<std::uint16_t, int> greedy(Pace& pace, std::uint16_t partitions, milliseconds time) {
  std::map<std::uint16_t, int> begun;
  SteadyTime now{};
  const auto take_all = [&](PartitionId partition) {
    while (pace.take(partition)) ++begun[partition.value];
  };
  for (const SteadyTime end = now + time; now < end; now += Pace::kInterval) {
    for (std::uint16_t p = 0; p < partitions; ++p) take_all(PartitionId(p));  // each is touched by something else too
    for (const PartitionId partition : pace.turns(now)) take_all(partition);
  }
  return begun;
}

}  // namespace

TEST_CASE("Pace: what is begun is not begun faster than so many a second, and not much slower") {
  Pace pace(200);
  int all = 0;
  for (const auto& [partition, begun] : greedy(pace, 8, milliseconds(10'000))) all += begun;
  CHECK(all <= 2'010);
  CHECK(all >= 1'900);
}

TEST_CASE("Pace: every partition that waits gets its turns, whoever was first") {
  Pace pace(200);
  const auto begun = greedy(pace, 50, milliseconds(10'000));
  REQUIRE(begun.size() == 50);
  for (const auto& [partition, count] : begun) {
    CHECK(count >= 35);
    CHECK(count <= 45);
  }
}

TEST_CASE("Pace: a lonely partition has it all, and one with nothing more to begin keeps nobody waiting") {
  Pace pace(100);
  CHECK(greedy(pace, 1, milliseconds(10'000))[0] >= 950);
  Pace other(1);
  CHECK(other.take(PartitionId(1)));
  CHECK_FALSE(other.take(PartitionId(1)));
  CHECK_FALSE(other.take(PartitionId(2)));
  SteadyTime now{};
  std::size_t turns = 0;
  for (int i = 0; i < 1'000; ++i) turns += other.turns(now += Pace::kInterval).size();  // nobody takes
  CHECK(turns == 2);
  CHECK_FALSE(other.anybody_waits());
}

TEST_CASE("Pace: a pause is not made up for") {
  Pace pace(100);
  SteadyTime now{};
  pace.turns(now);
  while (pace.take(PartitionId(1))) {
  }
  now += std::chrono::hours(1);
  int begun = 0;
  for (const PartitionId partition : pace.turns(now))
    while (pace.take(partition)) ++begun;
  CHECK(begun <= 3);
}

}  // namespace holdfast::bus

#include "server/last_nodes.h"

#include <catch2/catch.hpp>

#include "base/random.h"

using namespace holdfast;
using std::chrono::seconds;

namespace {

constexpr NodeId kSelf{1}, kOther{2};

struct World {
  LastNodes nodes{kSelf};
  SteadyTime now{std::chrono::hours(1)};
  SeededRandom random{5};
  std::uint64_t next = 0;

  chat::Attach device(NodeId node = {}) {
    return {random.id<UserId>(), random.id<SessionId>(), {0, ++next, node}, 0, 0};
  }
  /// Node numbers that are noted as the time passes, by session.
  std::map<std::string, std::uint32_t> noted_within(seconds time) {
    std::map<std::string, std::uint32_t> noted;
    for (const SteadyTime end = now + time; now < end; now += seconds(1))
      if (const auto note = nodes.take(now))
        for (const auto& one : note->all()) noted[one.session()] = one.node();
    return noted;
  }
};

}  // namespace

TEST_CASE("Last nodes: a session is noted once it has stayed, and once only") {
  World world;
  const auto here = world.device(), there = world.device(kOther);
  world.nodes.attached(here, world.now);
  world.nodes.attached(there, world.now);
  CHECK(world.noted_within(seconds(9)).empty());
  const auto noted = world.noted_within(seconds(20));
  CHECK(noted == std::map<std::string, std::uint32_t>{{here.session.str(), 1}, {there.session.str(), 2}});
  CHECK(world.noted_within(seconds(60)).empty());
}

TEST_CASE("Last nodes: who moves is noted where they are now, whichever connection ends first") {
  World world;
  auto device = world.device();
  world.nodes.attached(device, world.now);
  world.noted_within(seconds(30));
  const auto old = device.connection;
  device.connection = {0, ++world.next, kOther};
  world.nodes.attached(device, world.now);
  world.nodes.detached(old, world.now);
  CHECK(world.noted_within(seconds(30)).at(device.session.str()) == 2);
}

TEST_CASE("Last nodes: who leaves is noted as being nowhere, and forgotten; who was on a lost node stays noted there") {
  World world;
  const auto leaves = world.device(kOther), lost = world.device(kOther);
  world.nodes.attached(leaves, world.now);
  world.nodes.attached(lost, world.now);
  world.noted_within(seconds(30));
  world.nodes.detached(leaves.connection, world.now);
  const auto noted = world.noted_within(seconds(30));
  CHECK(noted == std::map<std::string, std::uint32_t>{{leaves.session.str(), 0}});
  CHECK(world.nodes.size() == 1);
  world.nodes.lost_node(kOther);
  CHECK(world.nodes.size() == 0);
  CHECK(world.noted_within(seconds(30)).empty());
}

TEST_CASE("Last nodes: a storm is noted a batch at a time, and none of it while it rages") {
  World world;
  for (std::size_t i = 0; i < 3 * LastNodes::kBatch; ++i) world.nodes.attached(world.device(), world.now);
  CHECK_FALSE(world.nodes.take(world.now));
  std::size_t noted = 0, batches = 0;
  for (int s = 0; s < 60; ++s) {
    world.now += seconds(1);
    if (const auto note = world.nodes.take(world.now)) {
      CHECK(note->all_size() <= static_cast<int>(LastNodes::kBatch));
      noted += static_cast<std::size_t>(note->all_size());
      ++batches;
    }
  }
  CHECK(noted == 3 * LastNodes::kBatch);
  CHECK(batches == 3);
}

#include "server/gateway/endpoints.h"

#include <catch2/catch.hpp>
#include <map>

#include "base/random.h"
#include "server/gateway/wave.h"

using namespace holdfast;
using namespace holdfast::gateway;
using namespace std::chrono_literals;

namespace {

std::vector<NodeEndpoint> nodes_up_to(std::uint32_t count) {
  std::vector<NodeEndpoint> nodes;
  for (std::uint32_t n = 1; n <= count; ++n) nodes.push_back({NodeId(n), "node" + std::to_string(n) + ":7400", 1});
  return nodes;
}

std::vector<SessionId> many_sessions() {
  SeededRandom random(11);
  std::vector<SessionId> sessions;
  for (int i = 0; i < 40'000; ++i) sessions.push_back(random.id<SessionId>());
  return sessions;
}

}  // namespace

TEST_CASE("Endpoints: first choices spread evenly over the nodes") {
  std::map<std::uint32_t, int> firsts;
  const auto nodes = nodes_up_to(5);
  for (const auto& session : many_sessions()) ++firsts[rank_endpoints(session, nodes)[0].id.value];
  REQUIRE(firsts.size() == 5);
  for (const auto& [node, count] : firsts) CHECK(std::abs(count - 8'000) < 8'000 * 4 / 100);
}

TEST_CASE("Endpoints: a dead node's sessions go evenly to the others, and nobody else moves") {
  const auto all = nodes_up_to(5);
  auto left = all;
  left.erase(left.begin() + 1);
  std::map<std::uint32_t, int> taken;
  int moved = 0;
  for (const auto& session : many_sessions()) {
    const auto before = rank_endpoints(session, all);
    const auto after = rank_endpoints(session, left);
    if (before[0].id != NodeId(2)) {
      REQUIRE(after[0] == before[0]);
      continue;
    }
    REQUIRE(after[0] == before[1]);  // what the client knows as its second choice is where it belongs
    ++taken[after[0].id.value];
    ++moved;
  }
  REQUIRE(taken.size() == 4);
  for (const auto& [node, count] : taken) CHECK(std::abs(count - moved / 4) < moved / 4 * 7 / 100);
}

TEST_CASE("Endpoints: the order does not depend on how the nodes are listed") {
  auto nodes = nodes_up_to(7);
  const std::vector<NodeEndpoint> backwards(nodes.rbegin(), nodes.rend());
  SeededRandom random(3);
  for (int i = 0; i < 100; ++i) {
    const auto session = random.id<SessionId>();
    CHECK(rank_endpoints(session, nodes) == rank_endpoints(session, backwards));
  }
}

TEST_CASE("Endpoints: a node's share goes by its weight, and without one nobody goes there") {
  auto nodes = nodes_up_to(3);
  nodes[0].weight = 2;
  nodes[2].weight = 0;
  int heavy = 0;
  const auto sessions = many_sessions();
  for (const auto& session : sessions) {
    const auto ranked = rank_endpoints(session, nodes);
    REQUIRE(ranked.size() == 2);
    heavy += ranked[0].id == NodeId(1);
  }
  const int expected = static_cast<int>(sessions.size()) * 2 / 3;
  CHECK(std::abs(heavy - expected) < expected * 4 / 100);
}

TEST_CASE("Endpoints: three are named at most, and none where there are none") {
  const SessionId session;
  CHECK(rank_endpoints(session, nodes_up_to(9)).size() == 3);
  CHECK(rank_endpoints(session, nodes_up_to(2)).size() == 2);
  CHECK(rank_endpoints(session, {}).empty());
}

TEST_CASE("Wave: so many a second, each once, until all were taken") {
  const SteadyTime start(100s);
  std::vector<std::uint64_t> all;
  for (std::uint64_t id = 1; id <= 100; ++id) all.push_back(id);
  Wave wave(all, 50, start);
  std::vector<std::uint64_t> taken;
  for (auto now = start; !wave.is_over(); now += 100ms) {
    const auto due = wave.take(now);
    CHECK(due.size() <= 6);
    taken.insert(taken.end(), due.begin(), due.end());
    REQUIRE(now < start + 3s);
    if (now < start + 1'900ms) CHECK_FALSE(wave.is_over());
  }
  CHECK(taken == all);
}

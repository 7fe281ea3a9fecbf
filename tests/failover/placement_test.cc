#include "failover/placement.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "base/random.h"

namespace holdfast::failover {
namespace {

PlacementInput empty_cluster(std::uint32_t nodes, std::uint16_t partitions, std::uint32_t zones = 0) {
  PlacementInput input;
  for (std::uint32_t n = 1; n <= nodes; ++n)
    input.nodes[NodeId(n)].zone = zones == 0 ? "" : "zone-" + std::to_string(n % zones);
  for (std::uint16_t p = 0; p < partitions; ++p) {
    input.partitions[PartitionId(p)] = {{NodeId(1)}, {NodeId(1)}, NodeId(1)};
  }
  return input;
}

/// Carries out what was placed, all of it in sync.
void carry_out(PlacementInput& input) {
  for (auto& [id, nodes] : place_copies(input)) input.partitions[id].replicas = input.partitions[id].in_sync = nodes;
  for (auto& [id, leader] : place_leaders(input)) input.partitions[id].primary = leader;
}

std::map<NodeId, int> copies_by_node(const PlacementInput& input) {
  std::map<NodeId, int> counts;
  for (const auto& [id, node] : input.nodes)
    if (node.may_hold) counts[id] = 0;
  for (const auto& [id, partition] : input.partitions)
    for (const NodeId node : partition.replicas) ++counts[node];
  return counts;
}

std::map<NodeId, int> primaries_by_node(const PlacementInput& input) {
  std::map<NodeId, int> counts;
  for (const auto& [id, node] : input.nodes)
    if (node.may_lead) counts[id] = 0;
  for (const auto& [id, partition] : input.partitions) ++counts[partition.primary];
  return counts;
}

int spread_of(const std::map<NodeId, int>& counts) {
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end(),
                                                 [](const auto& a, const auto& b) { return a.second < b.second; });
  return most->second - least->second;
}

int moved(const PlacementInput& before, const PlacementInput& after) {
  int count = 0;
  for (const auto& [id, partition] : after.partitions)
    for (const NodeId node : partition.replicas) {
      const auto& old = before.partitions.at(id).replicas;
      count += std::find(old.begin(), old.end(), node) == old.end();
    }
  return count;
}

TEST_CASE("Placement: every partition has min(3, nodes) copies on different nodes, as even as can be, and stays put") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    const auto nodes = static_cast<std::uint32_t>(1 + random.below(9));
    auto input = empty_cluster(nodes, static_cast<std::uint16_t>(1 + random.below(100)));
    for (auto& [id, partition] : input.partitions) {  // as some history left it
      const NodeId a(static_cast<std::uint32_t>(1 + random.below(nodes)));
      const NodeId b(static_cast<std::uint32_t>(1 + random.below(nodes)));
      partition = {{a}, {a}, a};
      if (a != b) partition.replicas.push_back(b);
    }
    carry_out(input);
    INFO("seed " << seed);
    for (const auto& [id, partition] : input.partitions) {
      CHECK(partition.replicas.size() == std::min(3u, nodes));
      CHECK(std::set<NodeId>(partition.replicas.begin(), partition.replicas.end()).size() == partition.replicas.size());
    }
    CHECK(spread_of(copies_by_node(input)) <= 1);
    CHECK(spread_of(primaries_by_node(input)) <= 1);
    PlacementInput again = input;
    carry_out(again);
    CHECK(moved(input, again) == 0);
    CHECK(primaries_by_node(input) == primaries_by_node(again));
  }
}

TEST_CASE("Placement: copies are in as many zones as there are") {
  for (const std::uint32_t zones : {2u, 3u, 5u}) {
    auto input = empty_cluster(zones * 2, 60, zones);
    carry_out(input);
    for (const auto& [id, partition] : input.partitions) {
      std::set<std::string> seen;
      for (const NodeId node : partition.replicas) seen.insert(input.nodes.at(node).zone);
      CHECK(seen.size() == std::min(3u, zones));
    }
    CHECK(spread_of(copies_by_node(input)) <= 1);
    CHECK(spread_of(primaries_by_node(input)) <= 1);
  }
}

TEST_CASE("Placement: a zone of one node holds a copy of everything rather than two copies share a zone") {
  auto input = empty_cluster(5, 40);
  input.nodes[NodeId(1)].zone = "a";
  input.nodes[NodeId(2)].zone = "b";
  for (const std::uint32_t n : {3u, 4u, 5u}) input.nodes[NodeId(n)].zone = "c";
  carry_out(input);
  for (const auto& [node, count] : copies_by_node(input)) CHECK((count == 40 || count == 13 || count == 14));
}

TEST_CASE("Placement: a fourth node takes its share and nothing else moves") {
  auto input = empty_cluster(3, 64);
  carry_out(input);
  PlacementInput grown = input;
  grown.nodes[NodeId(4)];
  carry_out(grown);
  CHECK(moved(input, grown) == 48);
  CHECK(spread_of(copies_by_node(grown)) <= 1);
}

TEST_CASE("Placement: a draining node gives up what others can take, and only that") {
  auto input = empty_cluster(4, 64);
  carry_out(input);
  PlacementInput draining = input;
  draining.nodes[NodeId(2)].may_hold = draining.nodes[NodeId(2)].may_lead = false;
  const int held = copies_by_node(input).at(NodeId(2));
  carry_out(draining);
  CHECK(moved(input, draining) == held);
  for (const auto& [id, partition] : draining.partitions) {
    CHECK(std::find(partition.replicas.begin(), partition.replicas.end(), NodeId(2)) == partition.replicas.end());
    CHECK(partition.primary != NodeId(2));
  }
  auto three = empty_cluster(3, 64);
  carry_out(three);
  PlacementInput keeps = three;
  keeps.nodes[NodeId(2)].may_hold = keeps.nodes[NodeId(2)].may_lead = false;
  carry_out(keeps);
  CHECK(moved(three, keeps) == 0);
  for (const auto& [id, partition] : keeps.partitions) CHECK(partition.replicas.size() == 3);
  for (const auto& [id, partition] : keeps.partitions) CHECK(partition.primary != NodeId(2));
}

TEST_CASE("Placement: leaders even out along chains, where no single exchange would do") {
  PlacementInput input;
  for (std::uint32_t n = 1; n <= 3; ++n) input.nodes[NodeId(n)];
  for (std::uint16_t p = 0; p < 4; ++p) input.partitions[PartitionId(p)] = {{}, {NodeId(1), NodeId(2)}, NodeId(1)};
  for (std::uint16_t p = 4; p < 6; ++p) input.partitions[PartitionId(p)] = {{}, {NodeId(2), NodeId(3)}, NodeId(2)};
  for (auto& [id, leader] : place_leaders(input)) input.partitions[id].primary = leader;
  for (const auto& [node, count] : primaries_by_node(input)) CHECK(count == 2);
}

TEST_CASE("Placement: a copy that is unfit leads nothing, and evenness brings it no lead by any chain") {
  auto input = empty_cluster(3, 9);
  carry_out(input);
  for (std::uint16_t p = 0; p < 9; ++p)
    if (p != 4) input.partitions[PartitionId(p)].unfit = {NodeId(2)};
  const auto leaders = place_leaders(input);
  for (const auto& [id, leader] : leaders) CHECK((leader != NodeId(2)) == (id != PartitionId(4)));
}

}  // namespace
}  // namespace holdfast::failover

#include "server/gateway/endpoints.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace holdfast::gateway {
namespace {

/// splitmix64's finisher: every bit of the input moves half of the output's.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// In (0, 1), for this pair of session and node. Part of what all nodes agree on: not to be changed.
double draw(const SessionId& session, NodeId node) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::memcpy(&low, session.bytes().data(), sizeof low);
  std::memcpy(&high, session.bytes().data() + sizeof low, sizeof high);
  const std::uint64_t hash =
      mix(mix(low) ^ mix(high + 0x9e3779b97f4a7c15ULL) ^ mix(node.value * 0xd1342543de82ef95ULL));
  constexpr double kSteps = 1ULL << 53;
  return (static_cast<double>(hash >> 11) + 0.5) / kSteps;
}

}  // namespace

std::vector<NodeEndpoint> rank_endpoints(const SessionId& session, const std::vector<NodeEndpoint>& nodes,
                                         std::size_t most) {
  struct Scored {
    double score;
    const NodeEndpoint* node;
  };
  std::vector<Scored> scored;
  scored.reserve(nodes.size());
  for (const auto& node : nodes) {
    if (node.weight == 0 || node.address.empty()) continue;
    // The smallest of exponential draws falls on each node by its weight.
    scored.push_back({-std::log(draw(session, node.id)) / node.weight, &node});
  }
  const std::size_t count = std::min(most, scored.size());
  std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(count), scored.end(),
                    [](const Scored& a, const Scored& b) {
                      return a.score != b.score ? a.score < b.score : a.node->id < b.node->id;
                    });
  std::vector<NodeEndpoint> ranked;
  ranked.reserve(count);
  for (std::size_t i = 0; i < count; ++i) ranked.push_back(*scored[i].node);
  return ranked;
}

}  // namespace holdfast::gateway

#include "tools/holdfastctl/drain_progress.h"

#include "tools/holdfastctl/show.h"

namespace holdfast::ctl {
namespace {

/// The draining itself is no news.
std::string what_holds(const http::ClusterFigures& cluster, std::uint32_t draining) {
  http::ClusterFigures others = cluster;
  for (auto& node : others.nodes)
    if (node.id == draining) node.draining = false;
  std::string out;
  for (const auto& one : worries(others)) out += "! " + one + "\n";
  return out.empty() ? "  Nothing that this node knows of; holdfastctl events may tell more.\n" : out;
}

}  // namespace

std::string DrainProgress::look(const http::ClusterFigures& cluster, const http::NodeFigures& node, SteadyTime now) {
  const std::string line = show_drain(cluster, node);
  if (line != last_) {
    last_ = line;
    since_ = now;
    return line + "\n";
  }
  if (now - since_ < kDrainStuck) return {};
  since_ = now;
  return "No progress for " + std::to_string(kDrainStuck.count()) + " s. What may hold it up:\n" +
         what_holds(cluster, node.id) +
         "Only the waiting ends with Ctrl-C, the drain goes on (--no-wait does not wait at all); holdfastctl undrain " +
         name_of(cluster, node.id) + " calls it off.\n";
}

}  // namespace holdfast::ctl

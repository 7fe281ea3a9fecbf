/// `holdfastctl status`, `watch`, `drain`, `undrain`, `move`, `rebalance`, `partition`, `events`, `remove`, `verify`: what
/// is asked of a cluster over its nodes' operators' ports.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/holdfastctl/command.h"
#include "tools/holdfastctl/show.h"

namespace CLI {
class App;
}

namespace holdfast::ctl {

/// What was written on the command line.
struct ClusterCommand {
  std::vector<CLI::App*> all;
  std::string node;
  std::uint32_t partition = 0;
  bool json = false;
  bool follow = false;
  bool no_wait = false;
};

/// Adds the commands to `app`; both outlive the parse.
void add_cluster(CLI::App& app, ClusterCommand& command);

/// Carries it out, if one of them was asked for, and says how to exit.
std::optional<int> run_cluster(const ClusterCommand& command, const Asked& asked);

/// The cluster as one node tells it, with what each node that can be reached says of its copies. `told`: what that node
/// answered, as it came.
Result<Seen> look_at_cluster(Admin& admin, std::string* told = nullptr);

}  // namespace holdfast::ctl

#include "tools/holdfast-chaos/network.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "tools/holdfast-chaos/child.h"

namespace holdfast::chaos {
namespace {

constexpr const char* kBridge = "hub0";
constexpr const char* kDevice = "eth0";

Status run_all(const std::vector<std::vector<std::string>>& commands, const std::string& network) {
  for (const auto& command : commands)
    if (auto done = run(command, network); !done) return done;
  return Ok{};
}

}  // namespace

Network::~Network() { remove(); }

std::string Network::address(std::size_t node) const {
  return isolated() ? "10.77.0." + std::to_string(10 + node) : "127.0.0.1";
}

Status Network::make(std::size_t nodes) {
  if (::geteuid() != 0) return Error{Errc::permission_denied, "network namespaces need root"};
  hub_ = run_ + "-hub";
  if (auto made = run({"ip", "netns", "add", hub_}); !made) {
    hub_.clear();
    return made;
  }
  Status made = run_all({{"ip", "link", "set", "lo", "up"},
                         {"ip", "link", "add", kBridge, "type", "bridge"},
                         {"ip", "addr", "add", "10.77.0.1/24", "dev", kBridge},
                         {"ip", "link", "set", kBridge, "up"}},
                        hub_);
  for (std::size_t i = 0; i < nodes && made; ++i) made = add_node(i);
  if (made && nodes > 0) {
    netem_ = static_cast<bool>(run({"tc", "qdisc", "add", "dev", kDevice, "root", "netem", "delay", "1ms"}, nodes_[0]));
    if (netem_) made = run({"tc", "qdisc", "del", "dev", kDevice, "root"}, nodes_[0]);
  }
  if (made) {
    home_ = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    const int hub = ::open(("/run/netns/" + hub_).c_str(), O_RDONLY | O_CLOEXEC);
    if (home_ < 0 || hub < 0 || ::setns(hub, CLONE_NEWNET) != 0)
      made = Error{Errc::permission_denied, "can't enter the network namespace " + hub_};
    if (hub >= 0) ::close(hub);
  }
  if (!made) remove();
  return made;
}

Status Network::add_node(std::size_t node) {
  const std::string name = run_ + "-n" + std::to_string(node + 1);
  const std::string port = "port" + std::to_string(node + 1);
  if (auto made = run({"ip", "netns", "add", name}); !made) return made;
  nodes_.push_back(name);
  if (auto made = run_all({{"ip", "link", "add", port, "type", "veth", "peer", "name", kDevice, "netns", name},
                           {"ip", "link", "set", port, "master", kBridge},
                           {"ip", "link", "set", port, "up"}},
                          hub_);
      !made)
    return made;
  return run_all({{"ip", "link", "set", "lo", "up"},
                  {"ip", "addr", "add", "10.77.0." + std::to_string(10 + node) + "/24", "dev", kDevice},
                  {"ip", "link", "set", kDevice, "up"}},
                 name);
}

void Network::remove() {
  relay_.stop();
  if (home_ >= 0) {
    ::setns(home_, CLONE_NEWNET);
    ::close(home_);
    home_ = -1;
  }
  // A namespace takes its devices with it, and both ends of a pair go together.
  for (const std::string& name : nodes_) (void)run({"ip", "netns", "delete", name});
  nodes_.clear();
  if (!hub_.empty()) (void)run({"ip", "netns", "delete", hub_});
  hub_.clear();
}

/// In the node's namespace; `rules` are lines of a table's body.
Status Network::rules(std::size_t node, const std::string& rules) {
  return run({"nft", "add table inet chaos; delete table inet chaos\ntable inet chaos {\n" + rules + "}\n"},
             nodes_[node]);
}

Status Network::cut(std::size_t node, Direction direction) {
  const std::string drop = std::string(" oifname ") + kDevice + " drop; ";
  std::string lines;
  if (direction != Direction::out)
    lines += std::string("chain in { type filter hook input priority 0; iifname ") + kDevice + " drop; }\n";
  if (direction != Direction::in) lines += "chain out { type filter hook output priority 0;" + drop + "}\n";
  return rules(node, lines);
}

Status Network::part(std::size_t node, std::size_t other) {
  const std::string peer = address(other);
  return rules(node, "chain in { type filter hook input priority 0; ip saddr " + peer +
                         " drop; }\nchain out { type filter hook output priority 0; ip daddr " + peer + " drop; }\n");
}

Status Network::slow(std::size_t node, std::uint32_t delay_ms, std::uint32_t loss_percent) {
  if (!netem_)
    return relay_.start({hub_, nodes_[node], kBridge, kDevice, address(node) + "/24", delay_ms, loss_percent});
  return run({"tc", "qdisc", "replace", "dev", kDevice, "root", "netem", "delay", std::to_string(delay_ms) + "ms",
              std::to_string(delay_ms / 4) + "ms", "loss", std::to_string(loss_percent) + "%"},
             nodes_[node]);
}

Status Network::mend(std::size_t node) {
  relay_.stop();
  if (netem_) (void)run({"tc", "qdisc", "del", "dev", kDevice, "root"}, nodes_[node]);  // fails if it was not slow
  return run({"nft", "add table inet chaos; delete table inet chaos"}, nodes_[node]);
}

}  // namespace holdfast::chaos

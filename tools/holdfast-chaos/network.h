/// The network of a run: every node in a network namespace of its own, tied to a bridge in which etcd and the clients
/// are. Without namespaces everything is on loopback, and nothing can be cut.
///
///     10.77.0.1       the hub: etcd and clients
///     10.77.0.10+i    node i
///
/// All names carry the run's id; what was made is removed by the destructor. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "tools/holdfast-chaos/relay.h"

namespace holdfast::chaos {

enum class Direction : std::uint8_t { both, in, out };

class Network {
 public:
  /// Nothing made yet: loopback.
  explicit Network(std::string run) : run_(std::move(run)) {}
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Makes the namespaces and moves the calling thread into the hub: threads and children started from then on are
  /// there. Fails with permission_denied or io, what was made being removed.
  Status make(std::size_t nodes);
  bool isolated() const { return !hub_.empty(); }

  std::string hub_address() const { return isolated() ? "10.77.0.1" : "127.0.0.1"; }
  std::string address(std::size_t node) const;
  /// Of /run/netns; empty: ours.
  std::string name(std::size_t node) const { return isolated() ? nodes_[node] : std::string(); }

  // Cuts a node off from everybody, or two from each other; until mend().
  Status cut(std::size_t node, Direction direction);
  Status part(std::size_t node, std::size_t other);
  /// Everything that comes to the node's interface is late by so much, and some of it is lost: by netem where
  /// the kernel has it, otherwise by a relay of our own (relay.h).
  Status slow(std::size_t node, std::uint32_t delay_ms, std::uint32_t loss_percent);
  Status mend(std::size_t node);
  bool has_netem() const { return netem_; }

 private:
  Status rules(std::size_t node, const std::string& rules);
  Status add_node(std::size_t node);
  void remove();

  const std::string run_;
  std::string hub_;
  std::vector<std::string> nodes_;
  bool netem_ = false;
  Relay relay_;
  int home_ = -1;  ///< the namespace that we came from
};

}  // namespace holdfast::chaos

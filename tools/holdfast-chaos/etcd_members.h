/// The configuration store of a run: three etcd members as processes.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tools/holdfast-chaos/child.h"

namespace holdfast::chaos {

struct EtcdSettings {
  std::string folder;   ///< data and logs
  std::string address;  ///< where they listen
  std::size_t members = 3;
};

/// Owned by main; one thread. Blocking.
class EtcdMembers {
 public:
  explicit EtcdMembers(EtcdSettings settings);

  /// All of them, until they answer. Fails with io: etcd is missing, or does not come up.
  Status start();
  Status start(std::size_t member);
  void kill(std::size_t member) { members_[member].child.kill(); }
  std::size_t size() const { return members_.size(); }
  /// etcd://…/prefix
  std::string url() const;
  /// Those that do not run.
  void start_dead();

 private:
  struct Member {
    std::uint16_t client_port = 0, peer_port = 0;
    Child child;
  };
  Command command(std::size_t member) const;

  const EtcdSettings settings_;
  std::vector<Member> members_;
};

/// A port below those that the kernel hands out, free at this moment on `address`.
std::uint16_t free_port(const std::string& address);

}  // namespace holdfast::chaos

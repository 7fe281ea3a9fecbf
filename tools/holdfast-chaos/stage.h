/// What a run is played on: network, configuration store, a relay for mails, and nodes, started and waited for.
///
/// Owned by main, whose thread starts all children. Blocking. Whoever waits here also looks after the nodes: one that
/// ended by itself is noted and started again, as a supervisor would.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "base/time.h"
#include "tools/holdfast-chaos/etcd_members.h"
#include "tools/holdfast-chaos/health.h"
#include "tools/holdfast-chaos/mail_sink.h"
#include "tools/holdfast-chaos/network.h"
#include "tools/holdfast-chaos/nodes.h"

namespace holdfast::chaos {

struct StageOptions {
  std::string run;  ///< in all names outside of the folder
  bool isolate = true;
  NodeSettings nodes;  ///< `store` and `relay` are filled in
  bool mails = true;   ///< whether there is a relay
  std::uint64_t seed = 1;
  SteadyTime began;  ///< moment 0 of the history
};

class Stage {
 public:
  /// `interrupted` ends all waits early; set by a signal.
  Stage(StageOptions options, const std::atomic<bool>& interrupted);

  /// Everything up and in sync. Fails with what did not come up.
  Status raise();

  // To wait. Each returns early when interrupted.
  void rest(std::chrono::milliseconds time);
  /// Until all nodes answer and all partitions are led and in sync, and have been for a second. The moment since which
  /// they were; nothing: not within the time.
  std::optional<SteadyTime> wait_until_whole(std::chrono::seconds max);

  /// Undoes whatever was done, and starts every node again.
  void start_again();

  /// Whether a node is meant to run: what is not is left alone.
  void expect_up(std::size_t node, bool up) { expected_up_[node] = up; }
  /// Nodes that end with exit code 70 now (a failed sync) are no crash.
  void allow_disk_death(bool allowed) { disk_death_ = allowed; }
  bool interrupted() const { return interrupted_.load(); }

  Network& network() { return *network_; }
  EtcdMembers& etcd() { return *etcd_; }
  MailSink* mail_sink() { return mail_sink_.get(); }  ///< null: there is none
  Nodes& nodes() { return *nodes_; }
  Health& health() { return *health_; }
  std::vector<std::string>& crashes() { return crashes_; }
  const std::string& last_trouble() const { return last_trouble_; }

 private:
  void look_after_nodes();
  bool all_whole();

  StageOptions options_;
  const std::atomic<bool>& interrupted_;
  std::unique_ptr<Network> network_;  // first: the others are in it
  std::unique_ptr<EtcdMembers> etcd_;
  std::unique_ptr<MailSink> mail_sink_;
  std::unique_ptr<Nodes> nodes_;
  std::unique_ptr<Health> health_;
  std::vector<bool> expected_up_;
  bool disk_death_ = false;
  std::vector<std::string> crashes_;
  std::string last_trouble_;
};

}  // namespace holdfast::chaos

/// A whole cluster under one seed: nodes, their network, etcd, clients that go to another node when theirs is lost; and
/// what must hold of all of it.
///
/// Time passes in turns of at most a millisecond, in which every node does a few things. What breaks a rule for ever is
/// said by wrong() as soon as it happens (I1 to I5, I7, quarantine); verdict() judges what clients saw.
/// Owned by a test. One thread; the same seed does the same.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/app.h"
#include "tests/sim/sim_node.h"
#include "tests/support/log_history.h"
#include "tests/support/sim_client.h"

namespace holdfast::sim {

struct ClusterOptions {
  std::uint64_t seed = 1;
  unsigned steps_max = 60;       ///< of a node in a millisecond
  SimNodeOptions node;           ///< its name is filled in
  bool apps_forget_ids = false;  ///< mutant
};

/// Where nothing is trimmed, and partitions move soon: for tests of one case.
inline ClusterOptions calm_cluster(std::uint64_t seed, std::uint16_t partitions, std::uint16_t doors) {
  ClusterOptions options;
  options.seed = seed;
  options.node.node.partitions = partitions;
  options.node.node.doors = doors;
  options.node.node.log_keep_entries = 1'000'000;
  options.node.controller.balancer.cool_down = Millis(500);
  return options;
}

class ClusterWorld {
 public:
  explicit ClusterWorld(ClusterOptions options);
  ~ClusterWorld();

  // ---- nodes, by index from 0
  std::size_t add_node();  ///< and starts it
  /// One that is without a cluster: only live_alone() lets it do anything, until end_alone() kills it. What its log has
  /// then is what a cluster that it founds has to have.
  std::size_t add_lone_node();
  void live_alone(std::size_t index, const std::function<bool()>& until);
  void end_alone(std::size_t index);
  std::size_t nodes() const { return nodes_.size(); }
  SimNode& node(std::size_t index) { return *nodes_[index]; }
  void kill(std::size_t index);
  /// Tries until it starts.
  void start(std::size_t index);
  std::optional<std::size_t> index_of(NodeId node) const;
  /// The controller of whoever coordinates; null: nobody does.
  failover::Controller* coordinator();

  SimClient& add_client(SimClient::Options options);
  /// It loses its connection, and comes back there, if that node is up.
  void send_client(std::size_t client, std::size_t node);
  SimClient& client(std::size_t index) { return *people_[index].client; }
  std::size_t clients() const { return people_.size(); }
  /// With the client library in it: which goes to another node by itself.
  App& add_app(std::string username);
  App& app(std::size_t index) { return *apps_[index]; }
  std::size_t apps() const { return apps_.size(); }

  Agenda& agenda() { return agenda_; }
  SimStore& store() { return store_; }
  SimNetwork& network() { return network_; }
  std::uint16_t partitions() const { return options_.node.node.partitions; }
  std::optional<log::PartitionConfig> config(PartitionId partition) const;
  /// Somebody suspects wrongly: the partition gets another primary of its in-sync set, as the rules allow.
  bool promote_falsely(PartitionId partition);
  /// A disk may be lost without losing what was acknowledged: all in-sync sets are whole.
  bool may_lose_disk() const;

  void run_for(Millis time);
  /// False: not within that time, or something is wrong.
  bool run_until(const std::function<bool()>& done, Millis within);

  /// Every partition is served, by as many copies as there can be.
  bool is_whole() const;
  bool clients_idle() const;
  /// All copies have the same log, and all of it is committed (H10).
  bool is_quiet() const;
  std::string describe() const;

  const std::vector<std::string>& wrong() const { return wrong_; }
  /// When everything is whole and quiet: what is wrong with what clients saw, and with the nodes' states.
  std::vector<std::string> verdict();
  History& history() { return history_; }
  std::size_t commits() const;

 private:
  struct Person {
    std::unique_ptr<SimClient> client;
    std::uint64_t heard = 0;
    SteadyTime since{};
  };
  SimNode& make_node();
  SimNode* node_at(const client::Endpoint& endpoint);
  void complain(std::string what) {
    if (wrong_.size() < 20) wrong_.push_back(std::move(what));
  }
  void turn();
  void pump();
  void pump(Person& person);
  void go_elsewhere(SimClient& client);
  void on_committed(SimNode& by, PartitionId partition, const failover::Appended& entry);
  void on_reattach(SimNode& node, std::uint16_t door, PartitionId partition);
  void on_put(const std::string& key, const std::string& value);
  void go_on_without(PartitionId partition, const log::PartitionConfig& config);
  bool is_intact(const log::PartitionConfig::Store& store) const;
  void take_history(const Database& log);
  void check_complete(PartitionId partition, const log::PartitionConfig& config, const char* when);
  const Copy* copy_of(std::uint32_t node, PartitionId partition) const;

  const ClusterOptions options_;
  Agenda agenda_;
  SimStore store_;
  SimNetwork network_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  History history_;
  std::vector<Person> people_;
  AppConnection::Front front_;
  std::vector<std::unique_ptr<App>> apps_;
  Archive archive_;                          ///< what was committed anywhere
  std::vector<std::vector<Hash32>> chains_;  ///< of it
  std::vector<std::string> wrong_;
};

}  // namespace holdfast::sim

/// Several Controllers over one store and links between them, in one thread and virtual time of 1 ms steps.
///
/// The store answers after 5 ms, keeps leases for 2 s after their node stopped, and can fail or forget to say what became
/// of a write. Links take 1 ms; each direction can be cut. Beside each Controller runs the least of a replica: it grows
/// by live learners after 50 ms, shrinks by who is gone, and hands off when asked; one that is quarantined does nothing.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "failover/controller.h"

namespace holdfast::failover::testing {

using std::chrono::milliseconds;

class World {
 public:
  explicit World(std::uint16_t partitions = 64) : partitions_(partitions) {}

  std::function<void(ControllerOptions&)> adjust;  ///< before each start
  /// What becomes of a transaction that would be applied: (applied in truth, what its sender is told).
  std::function<std::pair<bool, Outcome>(const Transaction&)> meddle;
  bool store_fails = false;
  bool replicas_shrink = true;

  void start(std::uint32_t node, bool founder = false, const std::string& zone = "");
  void kill(std::uint32_t node);  ///< -9: links end, connections are refused, the lease stays for 2 s
  void pause(std::uint32_t node, bool paused) { nodes_.at(node).paused = paused; }
  void cut(std::uint32_t from, std::uint32_t to, bool cut = true);  ///< one direction
  void cut_from_store(std::uint32_t node) { nodes_.at(node).cut_from_store = true; }
  void set_clock(std::uint32_t node, milliseconds offset) { clocks_[node] = offset; }
  void wipe(std::uint32_t node) { stores_[node] = 100 + node; }  ///< its next start has another store id

  void run(milliseconds time);
  /// True as soon as `condition` holds; false if it does not within `time`.
  bool run_until(const std::function<bool()>& condition, milliseconds time);
  void step();

  Controller& controller(std::uint32_t node) { return *nodes_.at(node).controller; }
  SteadyTime now() const { return now_; }
  std::map<PartitionId, log::PartitionConfig> configs() const;
  std::map<std::uint32_t, int> primaries() const;
  /// All partitions have `copies` in sync, of live nodes, and lead on a live one.
  bool healthy(int copies) const;
  std::uint32_t coordinator() const;
  int count(std::uint32_t node, Happening::Kind kind);
  const ConfigRows& store() const { return store_; }
  std::uint64_t put(const std::string& key, const std::string& value);
  void erase(const std::string& key);
  std::size_t largest_transaction() const { return largest_; }
  bool alive(std::uint32_t node) const { return nodes_.contains(node) && !nodes_.at(node).dead; }
  const std::vector<std::string>& broken() const { return broken_; }  ///< rules of the store's rows that were broken

 private:
  struct Node {
    std::unique_ptr<Controller> controller;
    Self self;
    bool dead = false, paused = false, cut_from_store = false;
    std::set<NodeId> gone;
    std::map<PartitionId, PartitionRow> rows;
    std::map<PartitionId, SteadyTime> learner_since;
    std::map<PartitionId, bool> asked;
    std::map<PartitionId, Handoff> handoffs;
  };
  using Event = std::function<void()>;

  void at(milliseconds after, Event event) { events_.emplace(now_ + after, std::move(event)); }
  void carry_out(std::uint32_t id);
  void replicas(std::uint32_t id, Node& node);
  void links();
  bool connected(std::uint32_t a, std::uint32_t b) const;
  std::pair<bool, Outcome> transact(std::uint32_t id, const Transaction& transaction);
  void check_row(const std::string& key, const std::string& value);

  const std::uint16_t partitions_;
  SteadyTime now_{std::chrono::hours(1)};
  std::multimap<SteadyTime, Event> events_;
  ConfigRows store_;
  std::map<std::string, std::uint32_t> leases_;
  std::map<std::uint32_t, Node> nodes_;
  std::map<std::uint32_t, std::uint32_t> stores_;
  std::map<std::uint32_t, SteadyTime> lease_ends_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> cuts_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> up_;
  std::vector<std::string> broken_;
  std::map<std::uint32_t, milliseconds> clocks_;
  std::uint32_t lives_ = 0;
  std::size_t largest_ = 0;
};

}  // namespace holdfast::failover::testing

/// One node of a simulated cluster: a OneThreadNode, and around it what server/cluster.cc and server/engine.cc are to a
/// real one: the real Controller and joining, over a simulated store, network and clock.
///
/// Owned by ClusterWorld. One thread. A frozen node does nothing; what comes in meanwhile is there when it goes on.
#pragma once

#include <algorithm>
#include <deque>

#include "failover/controller.h"
#include "server/confirmations.h"
#include "server/disk_watch.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_store.h"
#include "tests/sim/start_stores.h"
#include "tests/support/one_thread_node.h"

namespace holdfast::sim {

struct SimNodeOptions {
  std::string name;
  OneThreadOptions node;
  failover::ControllerOptions controller;  ///< who we are is filled in
  failover::Replica::Options replica;
  NodeMutant node_mutant = NodeMutant::none;
  Millis operator_after{};        ///< who has a quarantined copy is stopped, and gets another disk
  bool never_reattaches = false;  ///< mutant: connections stay attached where their primary was
};

class SimNode final : public Surroundings, public SimNetwork::End {
 public:
  /// What is heard of a node; never from within a call into it.
  struct Listener {
    std::function<void(SimNode&, PartitionId, const failover::Appended&)> committed;
    std::function<void(SimNode&, std::uint16_t door, PartitionId)> reattach;
    std::function<void(std::string)> wrong;
  };
  SimNode(Agenda& agenda, SimStore& store, SimNetwork& network, SimNodeOptions options, Listener listener);

  /// False: not now, for instance since its name is still in use, or since its disk failed in it.
  bool start();
  void crash();
  /// Without a cluster: node() is to be stepped by itself until crash_alone(); then start() founds one with its data.
  void start_alone();
  void crash_alone();
  void wipe();  ///< its disk is new and empty; while it is down
  /// What a bad disk does to the log, or to what is in the state.
  enum class Damage : std::uint8_t {
    torn_tail,   ///< the newest entry of a partition is gone
    lost_tail,   ///< the same, and the floor has not come to it yet: nothing tells the node
    flipped,     ///< a bit of an entry, which no checksum of the disk's notices
    unreadable,  ///< any row, as checksums find it
  };
  /// While it is down. Once that is found it is run with a new, empty disk, as an operator would. False: nothing is there.
  bool damage(Damage how);
  bool is_damaged() const { return damaged_; }
  void freeze();
  void thaw();
  /// The `n`-th transaction of ours from now on is the last that we send, or the last before which we end.
  void limit_store_writes(std::uint64_t n, WriteLimit::When when);
  void jump_clock(Millis by) { wall_offset_ += by; }
  Millis wall_offset() const { return wall_offset_; }

  /// One thing; false: nothing to do.
  bool step();
  bool has_work() const { return is_up() && !frozen_ && node_->has_work(); }

  OneThreadNode& node() { return *node_; }
  const OneThreadNode& node() const { return *node_; }
  failover::Controller& controller() { return *controller_; }
  /// On the cluster's thread, in this life: then, or when it is thawed. Followed by carry_out().
  void after(Micros delay, std::function<void()> what);
  void carry_out();
  SteadyTime steady() const;
  bool refused_post(const std::string& client_message_id) const {
    return node_->refused_posts().contains(client_message_id) || std::ranges::any_of(past_, [&](const auto& past) {
             return past->refused_posts().contains(client_message_id);
           });
  }
  std::uint64_t copies_installed() const {
    std::uint64_t sum = node_->copies_installed();
    for (const auto& past : past_) sum += past->copies_installed();
    return sum;
  }
  std::uint64_t damage_found() const { return damage_found_; }
  std::uint64_t quarantines() const { return quarantines_; }
  std::uint64_t deaths() const { return deaths_; }  ///< of writes that failed, or were the last
  std::uint64_t copies_discarded() const {
    std::uint64_t sum = node_->copies_discarded();
    for (const auto& past : past_) sum += past->copies_discarded();
    return sum;
  }
  const std::string& name() const { return options_.name; }
  /// Counts its crashes.
  std::uint64_t life() const { return life_; }
  NodeId id() const { return id_; }  ///< 0: it has never joined
  const StoreId& store_id() const { return store_id_; }
  /// A write failed: it is to be crash()ed.
  bool is_dead() const { return controller_ != nullptr && node_->is_dead(); }
  bool is_up() const override { return controller_ != nullptr && node_->is_running(); }
  bool is_frozen() const override { return frozen_; }

 private:
  // Surroundings
  void send(NodeId to, peer::Frame frame) override;
  void reconfigure(const failover::Reconfiguration& wanted) override;
  void opened() override;
  void committed(PartitionId partition, const failover::Appended& entry) override {
    listener_.committed(*this, partition, entry);
  }
  void reattach(std::uint16_t door, PartitionId partition) override { listener_.reattach(*this, door, partition); }
  void quarantined(PartitionId partition, const std::string& why) override;

  // SimNetwork::End
  bool refuses(const End& other) const override;
  void on_up(NodeId other) override;
  void on_down(NodeId other, failover::LinkDown how) override;
  void on_frame(const failover::Member& from, SimNetwork::Frame frame) override;
  failover::Member self() const override { return {id_, store_id_}; }

  bool try_start();
  MortalStore::Fate next_store_write();
  void make_disk();
  bool is_found_damaged() const;
  bool name_is_registered() const;
  void run_controller(bool founder, Epoch founder_epoch);
  /// On the cluster's thread, in this life: now, or when it is thawed.
  void post(std::function<void()> what);
  void tick();
  void keep_lease();
  void confirm();
  void take_confirmations();
  WallTime wall() const;

  Agenda& agenda_;
  SimStore& store_;
  SimNetwork& network_;
  const SimNodeOptions options_;
  const Listener listener_;
  const double pace_;  ///< of its clock

  std::unique_ptr<OneThreadNode> node_;
  std::vector<std::unique_ptr<OneThreadNode>> past_;  ///< wiped; clients may still name them
  StoreId store_id_;
  NodeId id_;
  BootId boot_;
  std::uint64_t life_ = 0;
  std::unique_ptr<failover::Controller> controller_;
  bool damaged_ = false;       ///< and nobody may know
  bool told_damaged_ = false;  ///< by itself, or by others
  std::uint64_t damage_found_ = 0, quarantines_ = 0, deaths_ = 0;
  std::uint64_t store_writes_left_ = UINT64_MAX;
  WriteLimit::When store_writes_end_ = WriteLimit::When::before;
  bool frozen_ = false;
  std::deque<std::function<void()>> backlog_;
  Millis wall_offset_{};

  Confirmations confirmations_;
  DiskWatch disk_;
  SteadyTime next_confirm_{}, next_tick_{};
};

}  // namespace holdfast::sim

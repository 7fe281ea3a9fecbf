/// Three to five replicas of one partition with their disks, links and configuration store, all under one seed.
///
/// Each step() is one doing, drawn at random: a message arrives, a disk syncs, a node crashes, somebody is promoted. Then
/// the invariants (docs/failover.md, I1 to I12) are checked; wrong() names the first that did not hold. heal() ends all
/// faults and wants everything in order again within bounded simulated time.
/// Owned by the test; one thread; the same seed and faults do the same.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "failover/replica.h"
#include "storage/memory_database.h"

namespace holdfast::failover {

/// How often which doing is drawn, relative to the others; 0: never.
struct Faults {
  unsigned nodes = 3;
  std::uint32_t min_in_sync = 2;
  unsigned loss = 0, duplication = 0, reordering = 0;  ///< per cent of the messages
  unsigned cut = 0, crash = 0, store_loss = 0, promote = 0, hand_off = 0, placement = 0, gone = 0, lease = 0;
  unsigned unknown = 0, lost_cas = 0;  ///< per cent of the changes asked for
  unsigned no_log = 0;                 ///< per cent of the reads of the log that find it trimmed
  unsigned disk = 140, outcome = 60, config = 60, append = 120, restart = 30;
  std::size_t append_bytes_max = 1u << 20, kept_bytes = 256u << 10;
};
/// A random subset of all faults.
Faults draw_faults(std::uint64_t seed);

class ReplicaWorld {
 public:
  ReplicaWorld(std::uint64_t seed, const Faults& faults, Mutant mutant = Mutant::none);

  void step();
  void heal();
  const std::string& wrong() const { return wrong_; }

  std::size_t commits() const { return ghost_.size(); }
  struct Counts {
    std::uint64_t promotions = 0, crashes = 0, losses = 0, changes = 0, snapshots = 0, barriers = 0, refused = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Node {
    Member self;
    std::shared_ptr<MemoryDatabase> db;
    std::unique_ptr<Replica> replica;  ///< none: it is down
    std::uint64_t boot = 0;
    bool registered = true;  ///< its row in the configuration store, with ...
    StoreId registered_store;
    std::deque<std::uint64_t> written;  ///< tickets, not synced
    std::uint64_t synced = 0;           ///< the last, not told
    Seq handed, applied;                ///< committed as far as was told; what the state has flushed
    Epoch promised;
    std::uint64_t barrier = 0;  ///< wanted; then ghost_ had so many
    std::size_t barrier_ghost = 0;
    Epoch barrier_epoch;
  };
  struct Parcel {
    Member from;
    peer::Replication message;
  };
  struct Link {
    bool up = false, cut = false;
    std::uint64_t boot = 0;
    std::deque<Parcel> parcels;
  };
  struct Change {
    NodeId by;  ///< 0: the coordinator
    std::uint64_t boot;
    Reconfiguration wanted;
    bool was_unknown = false;
  };
  struct Settled {
    NodeId by;
    std::uint64_t boot;
    std::uint64_t compared;
    Outcome outcome;
  };
  struct Page {
    std::uint64_t boot;
    NodeId of;
    Replica::LogPage page;
  };
  struct Snapshot {
    std::uint64_t boot;
    NodeId from, to;
  };

  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool chance(unsigned per_cent) { return below(100) < per_cent; }
  Node& any_node() { return nodes_[below(nodes_.size())]; }
  Node& any_that(bool (*fits)(const Node&));
  Node& node(NodeId id) { return nodes_[id.value - 1]; }
  Node* life(NodeId id, std::uint64_t boot);
  WallTime wall() const {
    return from_ms(1'000'000) + std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
  }

  // Doings.
  void deliver_any();
  void deliver(NodeId from, NodeId to, bool reorder);
  void sync(Node& node, bool tell);
  void tell_synced(Node& node);
  void append(Node& node);
  void tick(std::chrono::milliseconds by);
  void read_config(Node& node, bool lagging);
  void update_link(Node& from, Node& to);
  void crash(Node& node);
  void restart(Node& node);
  void lose_store(Node& node);
  void carry_out(std::size_t change);
  void tell_outcome(std::size_t settled, bool with_row);
  void promote();
  void hand_off(Node& node);
  void change_placement();
  void read_log(Node& node, const Replica::LogWanted& wanted);
  void give_page(std::size_t page);
  void give_snapshot(std::size_t snapshot);
  void install(Node& from, Node& to, Seq seq);
  void want_barrier(Node& node);
  void pump(Node& node);
  void submit(Node& node, const LogWrite& write);
  void heal_round(int round);
  bool in_order() const;

  // The configuration store.
  bool put(const Change& change, bool force);
  bool survivable(const Node& lost) const;
  Recovered recover(Node& node) const;

  // Checks.
  void fail(const std::string& what);
  void check();
  void check_roles(Node& node);
  void check_leader(Node& node);
  void check_in_sync();
  void check_committed(Node& node, const Appended& entry);
  void check_durable(Node& node, Seq seq, const Hash32& chain);
  void check_sent(Node& node, const peer::Replication& message);
  void check_write(Node& node, const LogWrite& write);
  static bool holds(const MemoryDatabase& db, Seq seq, const Hash32& chain);

  std::uint64_t random_;
  Faults faults_;
  Replica::Options options_;
  SteadyTime now_{std::chrono::seconds(10)};
  std::vector<Node> nodes_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Link> links_;
  std::vector<PartitionRow> rows_;  ///< part/<p>, all that ever was
  std::vector<Change> changes_;
  std::vector<Settled> settled_;
  std::vector<Page> pages_;
  std::vector<Snapshot> snapshots_;
  std::uint64_t next_boot_ = 1, next_store_ = 100;
  bool healing_ = false;
  int leaderless_ = 0;

  std::string wrong_;
  Counts counts_;
  std::vector<Hash32> ghost_;  ///< everything that anybody called committed
  std::map<StoreId, std::shared_ptr<MemoryDatabase>> stores_;
  std::map<Epoch, std::pair<NodeId, std::uint64_t>> leaders_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Hash32> contents_;  ///< by (epoch, seq)
};

}  // namespace holdfast::failover

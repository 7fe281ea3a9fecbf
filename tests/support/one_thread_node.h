/// A whole node in one thread, the same for the same seed: all partitions with the real rules, flows, delivery and
/// recovery, over two memory databases.
///
/// It carries out Copy::Ready as Worker, GroupCommit and StateStore do, but everything that completes later
/// (a sync, an applied batch, a loaded row, mail between partitions and doors) stands in queues, and the seed picks which
/// comes next. Kept are the orders that the real node keeps: mail between two workers is first in first out, entries
/// become durable and are applied in the order of their partition; row loads and scans come in any order.
///
/// Started alone it is a whole server; with join() it is one of several, and its Surroundings are what server/cluster.cc
/// is to a Worker: what that sends to workers comes in by the calls below, and each place (a partition, a door) stands for
/// a worker, with a Router of its own. Mail from the surroundings to one place is first in first out.
///
/// Time stands still but for advance() and ticks that the seed throws in. A database write that fails stands for kill -9
/// at that moment: nothing more happens until crash() and start().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "server/chat/attachment.h"
#include "server/chat/backend.h"
#include "server/chat/tokens.h"
#include "server/copy.h"
#include "server/disk_watch.h"
#include "server/recovery.h"
#include "server/services/outside.h"
#include "server/snapshots.h"
#include "storage/memory_database.h"
#include "storage/state_batch.h"
#include "tests/support/surroundings.h"

namespace holdfast {

struct OneThreadOptions {
  std::uint64_t seed = 1;
  std::uint16_t partitions = 4;
  std::uint16_t doors = 2;        ///< workers with connections, as far as order goes
  std::uint64_t state_lag = 4;    ///< one step in so many, when there is other work, is the applier's
  std::uint64_t flush_every = 0;  ///< the state is flushed, and the log trimmed, about every so many steps; 0: never
  std::uint64_t log_keep_entries = 0;
  std::uint64_t fill_bytes_per_s = 50u << 20;  ///< of copies that the log can't fill
  std::size_t piece_bytes = 256u << 10;        ///< of those
  PartitionOptions partition{};                ///< id and number are the node's
  chat::Limits limits{};
  services::Outside* outside = nullptr;  ///< null: intents wait
};

class OneThreadNode {
 public:
  explicit OneThreadNode(OneThreadOptions options);
  ~OneThreadNode();

  /// As server/engine does. An error also when the write limit is reached in it: then is_dead().
  Status start();
  /// One of several, with what its disk was found to hold. Time is set_time() and tick()'s from here on.
  void join(const std::vector<RecoveredPartition>& recovered, OneThreadJoined joined);
  /// Power cut: what is volatile is gone, the databases keep what was durable, and as much more as the seed says.
  void crash();
  bool is_running() const { return running_ != nullptr && !is_dead(); }
  /// A write failed: whatever becomes of the limit, it stays dead until crash().
  bool is_dead() const { return dead_; }

  /// Does one thing; false if there is nothing to do (time may bring more).
  bool step();
  /// Time passes: every partition is ticked.
  void advance(std::chrono::milliseconds by);
  /// Everything that was handed over is applied to the state.
  void apply_all();

  bool has_work() const;

  // In a cluster: the calls of its surroundings.
  void set_time(SteadyTime steady, WallTime wall) {
    steady_ = steady;
    wall_ = wall;
  }
  void tick();
  void tick_routers();
  void link(failover::Member peer, bool up);
  void from_peer(failover::Member from, std::shared_ptr<const peer::Frame> frame);
  void gone(NodeId node, bool is_gone);
  void held_back(const std::set<NodeId>& nodes);
  void configured(PartitionId partition, const failover::PartitionRow& row);
  void reconfigured(PartitionId partition, std::uint64_t compared, failover::Outcome outcome);
  void hand_off(PartitionId partition, Epoch epoch, NodeId to);
  void reattach(PartitionId partition, bool ask_again);
  /// The epoch in which it is served here; 0: it is not.
  std::uint64_t serves(PartitionId partition) const;
  std::set<PartitionId> quarantined() const;
  SteadyTime confirmed_at(PartitionId partition) const;
  void confirm(PartitionId partition, SteadyTime at);

  // What a front door sees. Callbacks come from within step().
  chat::Backend& backend(std::uint16_t door);
  chat::Attachments& attachments(std::uint16_t door);
  /// What comes for any registration of the connection (server/gateway/session.h) is its.
  chat::ConnectionRef connect(std::uint16_t door, std::function<void(chat::Delivery)> on_delivery);
  void disconnect(chat::ConnectionRef connection);

  Copy& copy(std::uint16_t index);
  const Copy& copy(std::uint16_t index) const { return const_cast<OneThreadNode*>(this)->copy(index); }
  WriteLimit& limit() { return *limit_; }
  MemoryDatabase& log_database() { return log_database_; }
  MemoryDatabase& state_database() { return state_database_; }
  const OneThreadOptions& options() const { return options_; }
  void set_pressure(Partition::Pressure pressure) { pressure_ = pressure; }
  /// Every sync of the log takes so long.
  void set_slow(std::chrono::milliseconds sync) { sync_ = sync; }
  /// The sync of what is written from now on does not return until it is told to.
  void hang_disk(bool hangs) { disk_hangs_ = hangs; }
  /// As the committer's figures say it; of how long syncs take only the one that hangs.
  DiskWatch::Syncs syncs();
  /// The process ends by itself; it is to be crash()ed.
  void die() { dead_ = true; }
  /// Errc::corrupt: a log ends before what was acknowledged of it (storage/durable_floor.h, which is never behind here).
  Status check_floor();
  void lower_floor(PartitionId id, Seq seq) { floor_[id.value] = std::min(floor_[id.value], seq); }
  /// Of the posts' client message ids: refused here at least once, whether or not anybody heard of it.
  const std::set<std::string>& refused_posts() const { return refused_posts_; }
  /// In all lives: copies that came as a whole, and those that were thrown away in pieces.
  std::uint64_t copies_installed() const { return copies_installed_; }
  std::uint64_t copies_discarded() const { return copies_discarded_; }
  WallTime now() const { return wall_; }
  SeededRandom& random() { return random_; }

  /// Every entry that was ever durable, by partition, though trimmed since. CHECKs that none is ever written twice with
  /// other content (I3, I4).
  const std::vector<std::vector<log::Entry>>& archive() const { return archive_; }

 private:
  class Door;
  struct Running;
  friend class Door;
  using Call = std::function<void()>;

  std::size_t committer() const { return std::size_t{options_.partitions} + options_.doors; }
  std::size_t applier() const { return committer() + 1; }
  std::size_t surroundings() const { return applier() + 1; }
  std::size_t filler() const { return surroundings() + 1; }
  std::size_t places() const { return filler() + 1; }
  std::size_t door_place(std::uint16_t door) const { return std::size_t{options_.partitions} + door; }

  void die_at_limit();
  void send(std::size_t from, std::size_t to, Call call);
  void later(Call call);
  Copy& touch(PartitionId partition);
  void turn(PartitionId partition);
  void carry_out(PartitionId id, Copy::Ready ready);
  void ask(std::size_t from, PartitionId partition, command::Command command, Answered then);
  void begin(PartitionId id, chat::BeginIntent intent);
  void load_row(PartitionId id, std::uint64_t life, std::string key);
  void load_range(PartitionId id, std::uint64_t life, Partition::RangeWanted wanted);
  void read_log(PartitionId id, std::uint64_t life, Partition::LogWanted wanted);
  void tell(std::size_t from, const chat::TellUsers& all);
  void deliver(std::size_t from, chat::Delivery delivery);
  void commit_some();
  void apply_some(std::size_t entries);
  Status write_state(const Batch& batch);
  void flush_and_trim();
  void trim(PartitionId id, Seq flushed);
  bool may_commit() const;
  /// A disk that can't be read ends the process.
  template <typename Read>
  bool is_read(const Read& read) {
    if (!read && read.error().code == Errc::corrupt) die();
    return static_cast<bool>(read);
  }
  void keep(const Batch& batch);
  void add_copies(const std::vector<RecoveredPartition>& recovered, failover::Member self,
                  failover::Replica::Options replica);

  // In a cluster (one_thread_peers.cc).
  void wake_router(std::size_t place);
  void route_one(std::size_t pick);
  void submit_ask(NodeId from, std::uint32_t worker, Router::Ask ask);
  void answer_ask(NodeId to, std::uint32_t worker, PartitionId by, std::uint64_t id, std::uint64_t route,
                  command::Answer answer);
  void receive(const failover::Member& from, std::size_t place, const peer::Frame& frame);
  void replicate(PartitionId id, Copy::Ready& ready);
  void read_copies_log(PartitionId id, failover::Replica::LogWanted wanted);
  std::unique_ptr<Snapshots> make_snapshots(std::uint16_t place);
  void publish_serving(Copy& copy);
  /// True: its primary is on another node, and what `fill` says is on its way there.
  bool to_other_node(std::size_t from, PartitionId partition, const std::function<void(peer::Frame&)>& fill);

  const OneThreadOptions options_;
  SeededRandom random_;
  WallTime wall_ = from_ms(1'700'000'000'000);
  SteadyTime steady_{};
  Partition::Pressure pressure_ = Partition::Pressure::none;
  std::chrono::milliseconds sync_{};
  SteadyTime next_sync_{};
  bool disk_hangs_ = false;
  SteadyTime hangs_since_{};  ///< zero: nothing waits for it
  std::uint64_t syncs_ = 0;
  std::vector<Seq> floor_;  ///< outlives crashes
  bool dead_ = false;
  std::set<std::string> refused_posts_;
  std::uint64_t copies_installed_ = 0, copies_discarded_ = 0;
  std::shared_ptr<WriteLimit> limit_;
  MemoryDatabase log_database_;
  MemoryDatabase state_database_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::uint64_t next_connection_ = 1;
  std::map<std::uint64_t, std::function<void(chat::Delivery)>> connections_;
  std::vector<std::vector<log::Entry>> archive_;
  StateBatch state_batch_;  ///< kept: it is big
  std::unique_ptr<Running> running_;
};

}  // namespace holdfast

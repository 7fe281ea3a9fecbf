/// Copies that are filled from here, and into here, because the log does not reach back far enough (FAILOVER 2.9).
///
/// Owned by a worker, for its partitions. Thread: the worker's; what blocks runs elsewhere and comes back as a call. At
/// most kActiveMax are sent at a time, the others wait their turn; what is sent is bounded by SnapshotSend and FillRate.
///
/// A copy that is sent ends early when its link, its epoch or the store at the other end is another one; then, and when
/// the other node refuses, the replica is told and may ask again. A copy that comes is taken only where the replica lacks
/// it (Replica::begin_install), and once something was touched it is finished or thrown away as a whole. Until that is
/// over, no entries reach the replica.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "server/copy.h"
#include "server/fill_rate.h"
#include "server/snapshot_receive.h"
#include "server/snapshot_send.h"
#include "storage/snapshot_target.h"

namespace holdfast {

/// What it is given to work with.
struct SnapshotsHost {
  std::function<Copy&(PartitionId)> copy;                ///< whose turn is to come
  std::function<void(NodeId, const peer::Frame&)> send;  ///< may be lost
  std::function<void(std::function<void()>)> blocking;   ///< runs it on another thread
  std::function<void(std::function<void()>)> call;       ///< from there: runs it on the owner's
  std::function<void(PartitionId, Seq)> replaced;        ///< StateStore::replaced()
  std::function<Status(PartitionId, Seq)> lower_floor;   ///< DurableFloor::lower(); blocks
  std::function<SteadyTime()> now;
  Database* log = nullptr;
  Database* state = nullptr;
  FillRate* rate = nullptr;
  std::uint64_t first_id = 1;  ///< above those of every earlier life
  std::size_t piece_bytes = 256u << 10;
};

class Snapshots {
 public:
  static constexpr std::size_t kActiveMax = 4;

  explicit Snapshots(SnapshotsHost host) : host_(std::move(host)), next_id_(host_.first_id) {}
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  /// The replica says that the log is not enough for this node.
  void wanted(PartitionId partition, NodeId to);
  /// True: it was for us, or must not reach the replica.
  bool received(const failover::Member& from, peer::Replication& message);
  void link(const failover::Member& peer, bool up);
  void tick();

  std::size_t sending() const { return sends_.size(); }
  std::size_t receiving() const { return receives_.size(); }

 private:
  struct Sending {
    SnapshotSend send;
    std::shared_ptr<SnapshotSource> source;  ///< while it is read
    SteadyTime began{};
    std::uint64_t bytes = 0;
  };
  struct Receiving {
    SnapshotReceive receive;
    SnapshotHead head;
    std::shared_ptr<SnapshotTarget> target;  ///< the jobs'
    SteadyTime began{};
    std::uint64_t bytes = 0;
  };
  using Key = std::pair<PartitionId, NodeId>;
  using Parts = std::vector<peer::SnapshotPart>;

  // Sending (snapshots_send.cc).
  bool stands(const Key& key, const Sending& sending);
  void start_queued();
  void open(const Key& key, Sending& sending);
  void opened(Key key, std::uint64_t id, Result<std::shared_ptr<SnapshotSource>> source);
  void pump(const Key& key);
  void piece_read(Key key, std::uint64_t id, Result<SnapshotPiece> piece);
  void on_taken(const failover::Member& from, PartitionId partition, const peer::SnapshotTaken& taken);
  void fail(const Key& key, Sending& sending, const std::string& why);
  void forget_ended();
  void ask_again(const Key& key, const SnapshotSend& send);
  void hold_log(PartitionId partition);
  Sending* find(const Key& key, std::uint64_t id);

  // Receiving (snapshots_receive.cc).
  void on_part(const failover::Member& from, Epoch epoch, PartitionId partition, peer::SnapshotPart part);
  void work(PartitionId partition);
  void store(PartitionId partition, Receiving& receiving);
  void stored(PartitionId partition, std::uint64_t id, Status done, std::vector<Seq> cursors);
  void install(PartitionId partition, Receiving& receiving, const std::vector<Seq>& cursors);
  void discard(PartitionId partition, Receiving& receiving);
  void end(PartitionId partition, Receiving& receiving, const std::string& why);
  void forget(PartitionId partition);
  void answer(const failover::Member& to, Epoch epoch, PartitionId partition, peer::SnapshotTaken taken);

  const SnapshotsHost host_;
  std::uint64_t next_id_;
  std::map<NodeId, failover::Member> links_;
  std::map<Key, Sending> sends_;
  std::map<PartitionId, Receiving> receives_;
};

}  // namespace holdfast

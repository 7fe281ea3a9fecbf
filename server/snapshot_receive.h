/// One copy that comes from its primary: which parts are here, and what is to be done with them.
///
/// Sans-IO value; owned by Snapshots. Thread: the partition's worker. Storing is the owner's: one job at a time, and
/// finished() for each. Nothing of what was here before is touched until the first job; whoever ends after that has thrown
/// it away. Bound: what the sender may have under way (SnapshotSend::kUnderWayMax parts).
#pragma once

#include <optional>
#include <vector>

#include "base/time.h"
#include "failover/in_sync_set.h"
#include "proto/peer.pb.h"

namespace holdfast {

class SnapshotReceive {
 public:
  static constexpr std::chrono::seconds kPatience{10};  ///< without a part
  static constexpr std::size_t kWaitingMax = 8;

  SnapshotReceive(failover::Member from, Epoch epoch, std::uint64_t id, SteadyTime now)
      : from_(from), epoch_(epoch), id_(id), since_(now) {}

  const failover::Member& from() const { return from_; }
  Epoch epoch() const { return epoch_; }
  std::uint64_t id() const { return id_; }
  bool is(const failover::Member& from, Epoch epoch, std::uint64_t id) const {
    return from == from_ && epoch == epoch_ && id == id_;
  }

  /// False: one is missing before it, or there are too many. It is to be ended.
  bool add(peer::SnapshotPart part, SteadyTime now);
  /// From here on it is only to be undone.
  void end() { ending_ = true; }
  bool is_ending() const { return ending_; }
  /// Nothing more comes.
  bool is_stuck(SteadyTime now) const {
    return !ending_ && !working_ && !complete_ && waiting_.empty() && now > since_ + kPatience;
  }

  enum class Job : std::uint8_t {
    none,
    store,    ///< take_parts(), then finished()
    forget,   ///< it is over, and nothing was touched
    discard,  ///< what is here is in pieces: it goes; then it is over
  };
  /// `drained`: nothing of what was here before is still to be written.
  Job next_job(bool drained) const;
  std::vector<peer::SnapshotPart> take_parts();  ///< of a store job, which begins
  void discarding() { working_ = true; }         ///< a discard job begins
  /// The store job is done.
  void finished(SteadyTime now);
  std::uint32_t stored() const { return stored_; }  ///< so many parts
  bool is_complete() const { return complete_ && waiting_.empty() && !working_; }

 private:
  const failover::Member from_;
  const Epoch epoch_;
  const std::uint64_t id_;
  std::vector<peer::SnapshotPart> waiting_;
  std::uint32_t next_ = 0;    ///< to come
  std::uint32_t stored_ = 0;  ///< once finished()
  bool complete_ = false;     ///< the last one has come
  bool touched_ = false;
  bool working_ = false;
  bool ending_ = false;
  SteadyTime since_;  ///< of the last progress
};

}  // namespace holdfast

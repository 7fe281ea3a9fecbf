/// One partition's copy on this node: its role, its epoch and the end of its log.
///
/// Sans-IO; owned by Partition. Thread: the partition's worker. It decides which entry comes next and when it is committed;
/// its owner writes entries to the log and reports what is durable. Entries are handed out in order, one at a time: the
/// next may be appended only when the one before is committed (W1).
///
/// Life of a leader: lead() -> candidate; the inherited tail is durable everywhere (F6) -> it appends EPOCH_START;
/// that is committed -> primary, open for reads and writes. A restarted primary leads a new epoch, never the old (F7).
///
/// Invariants: I1, I2 (epoch and sequence only rise), I4 (commit never goes back); log time never goes back.
#pragma once

#include <memory>
#include <optional>

#include "base/hash.h"
#include "base/time.h"
#include "failover/in_sync_set.h"
#include "proto/log.pb.h"
#include "storage/log_store.h"

namespace holdfast::failover {

/// What the log says at a start.
struct Recovered {
  Seq last_seq;  ///< 0: empty
  Epoch last_epoch;
  Hash32 last_chain{};
  WallTime last_time{};
};

enum class Role : std::uint8_t { idle, candidate, primary };

/// An entry to be written: as a value for the state and the bus, and as the bytes of the log.
struct Appended {
  std::shared_ptr<const log::Entry> entry;
  std::shared_ptr<const EncodedEntry> encoded;
};

class Replica {
 public:
  Replica(PartitionId partition, Member self, const Recovered& recovered);

  /// The configuration says that we lead `epoch` with these members. The promise is already durable (I2).
  void lead(Epoch epoch, InSyncSet members);

  /// F6: the entry that opens the epoch, once it may be appended; nothing before, and after.
  std::optional<Appended> take_epoch_start(WallTime now);

  /// True if an entry may be appended now: primary, and nothing in flight.
  bool may_append() const { return role_ == Role::primary && !in_flight_; }
  /// Log time for an entry appended now: never before the last one's.
  WallTime log_time(WallTime now) const { return std::max(now, last_time_); }
  /// Gives `body` its epoch, sequence and place in the chain. may_append() must be true; `time` from log_time().
  Appended append(log::Entry body, WallTime time);

  /// Our own log has everything up to `seq` synced (W3). True if the entry in flight is now committed.
  bool durable(Seq seq);

  Role role() const { return role_; }
  Epoch epoch() const { return epoch_; }
  Seq last_seq() const { return last_seq_; }
  Seq committed() const { return committed_; }

 private:
  Appended append_any(log::Entry body, WallTime time);

  const PartitionId partition_;
  const Member self_;

  Role role_ = Role::idle;
  Epoch epoch_;
  std::optional<InSyncSet> members_;  ///< while leading

  Seq last_seq_;
  Hash32 last_chain_;
  WallTime last_time_;
  Seq committed_;
  bool in_flight_ = false;      ///< last_seq_ is appended and not committed
  bool epoch_started_ = false;  ///< EPOCH_START is appended
};

}  // namespace holdfast::failover

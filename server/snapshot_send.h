/// One copy that is sent to another node: how much of it may be under way, and when it is given up.
///
/// Sans-IO value; owned by Snapshots. Thread: the partition's worker. Reading the pieces is the owner's: one at a time,
/// when wants_piece() says so. At most kUnderWayMax pieces are sent and not known to be stored.
#pragma once

#include <optional>

#include "base/time.h"
#include "failover/in_sync_set.h"

namespace holdfast {

class SnapshotSend {
 public:
  static constexpr std::uint32_t kUnderWayMax = 4;
  static constexpr std::chrono::seconds kPatience{30};  ///< without an answer; the last one waits for a flush there
  static constexpr std::chrono::seconds kPause{1};      ///< after a failure
  static constexpr std::chrono::seconds kHeld{2};       ///< the log, afterwards: until it goes on from there

  SnapshotSend(std::uint64_t id, failover::Member to, Epoch epoch) : id_(id), to_(to), epoch_(epoch) {}

  enum class Phase : std::uint8_t { queued, opening, sending, sent, taken, failed };
  Phase phase() const { return phase_; }
  std::uint64_t id() const { return id_; }
  const failover::Member& to() const { return to_; }
  Epoch epoch() const { return epoch_; }
  Seq applied() const { return applied_; }  ///< once opened

  void opening(SteadyTime now);
  void opened(Seq applied, SteadyTime now);
  bool wants_piece() const;
  void reading() { reading_ = true; }
  /// Returns the number that the piece is sent under.
  std::uint32_t read(bool last, SteadyTime now);
  /// The other node has stored all before `next`. True: that was the last.
  bool stored(std::uint32_t next, SteadyTime now);
  void fail(SteadyTime now);

  /// True if the log must stay: all of it until it is opened, then what is after applied().
  bool holds_log(SteadyTime now) const;
  bool is_active() const { return phase_ == Phase::opening || phase_ == Phase::sending || phase_ == Phase::sent; }
  /// Nobody answers any more.
  bool is_stuck(SteadyTime now) const { return is_active() && now > since_ + kPatience; }
  /// Taken or failed long enough ago: it can be forgotten.
  bool is_over(SteadyTime now) const;

 private:
  const std::uint64_t id_;
  const failover::Member to_;
  const Epoch epoch_;
  Phase phase_ = Phase::queued;
  Seq applied_;
  bool reading_ = false;
  std::uint32_t next_ = 0;    ///< to be sent
  std::uint32_t stored_ = 0;  ///< all before this
  SteadyTime since_{};        ///< of the last progress
};

}  // namespace holdfast

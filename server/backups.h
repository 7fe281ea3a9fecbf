/// A node's side of backups: what an operator's tool asks for, of this node's workers (proto/backup.proto).
///
///   HOLD    every partition that is served here stands still and is read as it is     (server/backup_hold.h)
///   RELEASE they go on; the tool sends it when every node of the cluster has answered HOLD
///   PIECE   the next piece of one of them; at most FillRate's bytes a second, beyond that Errc::retry_later
///   END     what was kept for it goes
///
/// One backup at a time. One that nobody asks for anything for kPatience is given up: what it keeps costs room on the
/// disk. Owned by Engine, outlived by the databases and the workers. Any thread; answers come on any thread, once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/time.h"
#include "proto/peer.pb.h"
#include "server/backup_hold.h"

namespace holdfast {

struct Shared;

class Backups {
 public:
  static constexpr std::chrono::seconds kHeldMax{2};  ///< partitions wait for no longer
  static constexpr std::chrono::seconds kPatience{60};
  static constexpr std::size_t kPieceBytes = 256u << 10;

  using Answer = std::function<void(Result<std::string>)>;

  explicit Backups(Shared& shared) : shared_(shared) {}
  Backups(const Backups&) = delete;
  Backups& operator=(const Backups&) = delete;

  /// HOLD: a serialized backup.Parts. PIECE: a serialized peer.SnapshotPart, the first with the head. The others: empty.
  /// Errc::in_use: another backup is under way; not_found: this one is not known here; retry_later; corrupt.
  void carry_out(const peer::BackupAsk& ask, Answer answer);
  void tick(SteadyTime now);
  /// Before the databases go.
  void end_all();

 private:
  struct Reading {
    std::shared_ptr<SnapshotSource> source;
    std::uint32_t next = 0;
    bool busy = false;
  };
  struct Current {
    std::uint64_t backup = 0;
    SteadyTime used{};
    std::map<PartitionId, Reading> parts;
  };
  struct Gathering;

  void hold(std::uint64_t backup, const Answer& answer);
  void held(Gathering& gathering);
  void release(std::uint64_t backup, const Answer& answer);
  void next_piece(std::uint64_t backup, PartitionId partition, const Answer& answer);
  void piece_read(std::uint64_t backup, PartitionId partition, const Reading& reading, Result<SnapshotPiece> piece,
                  const Answer& answer);
  void end(std::uint64_t backup);
  void drop_holds(std::uint64_t backup);

  Shared& shared_;
  std::mutex mutex_;
  std::optional<Current> current_;  ///< under mutex_
};

}  // namespace holdfast

#include "server/backups.h"

#include <spdlog/spdlog.h>

#include "proto/backup.pb.h"
#include "server/shared.h"
#include "server/worker.h"
#include "storage/snapshot_parts.h"

namespace holdfast {
namespace {

Error unknown_backup() {
  return {Errc::not_found, "this backup is not known here: the node was started again, or it took too long"};
}

}  // namespace

/// Of all workers; the last one to answer ends it.
struct Backups::Gathering {
  std::mutex mutex;
  std::vector<BackupHold::Part> parts;  ///< under mutex
  std::optional<Error> error;           ///< under mutex
  std::size_t left = 0;                 ///< under mutex
  std::uint64_t backup = 0;
  Answer answer;
};

void Backups::carry_out(const peer::BackupAsk& ask, Answer answer) {
  switch (ask.what()) {
    case peer::BackupAsk::HOLD: return hold(ask.backup(), answer);
    case peer::BackupAsk::RELEASE: return release(ask.backup(), answer);
    case peer::BackupAsk::PIECE:
      return next_piece(ask.backup(), PartitionId(static_cast<std::uint16_t>(ask.partition())), answer);
    case peer::BackupAsk::END: end(ask.backup()); return answer(std::string());
    default: return answer(Error{Errc::unsupported, "this node's version does not know what is asked for"});
  }
}

void Backups::hold(std::uint64_t backup, const Answer& answer) {
  const SteadyTime now = steady_now();
  {
    const std::lock_guard lock(mutex_);
    if (current_ && current_->backup != backup)
      return answer(Error{Errc::in_use, "another backup is under way: wait until it has ended"});
    current_ = Current{backup, now, {}};
  }
  const auto gathering = std::make_shared<Gathering>();
  gathering->left = shared_.workers.size();
  gathering->backup = backup;
  gathering->answer = answer;
  for (Worker* worker : shared_.workers) {
    worker->call([this, worker, gathering, backup, until = now + kHeldMax] {
      worker->backup_hold().hold(backup, until, [this, gathering](Result<std::vector<BackupHold::Part>> parts) {
        {
          const std::lock_guard lock(gathering->mutex);
          if (!parts) gathering->error = parts.error();
          if (parts) gathering->parts.insert(gathering->parts.end(), parts->begin(), parts->end());
          if (--gathering->left > 0) return;
        }
        held(*gathering);
      });
    });
  }
}

void Backups::held(Gathering& gathering) {
  if (gathering.error) {
    end(gathering.backup);
    return gathering.answer(*gathering.error);
  }
  backup::Parts told;
  {
    const std::lock_guard lock(mutex_);
    if (!current_ || current_->backup != gathering.backup) return gathering.answer(unknown_backup());
    for (const BackupHold::Part& part : gathering.parts) {
      auto& out = *told.add_parts();
      out.set_partition(part.partition.value);
      out.set_epoch(part.epoch.value);
      out.set_seq(part.source->head().applied.value);
      out.set_chain(std::string(as_bytes(part.source->head().chain)));
      current_->parts[part.partition].source = part.source;
    }
  }
  spdlog::info("backup_held partitions={}", told.parts_size());
  gathering.answer(told.SerializeAsString());
}

void Backups::release(std::uint64_t backup, const Answer& answer) {
  const auto gathering = std::make_shared<Gathering>();
  gathering->left = shared_.workers.size();
  gathering->answer = answer;
  for (Worker* worker : shared_.workers) {
    worker->call([worker, gathering, backup] {
      worker->backup_hold().release(backup, [gathering](const Status& released) {
        {
          const std::lock_guard lock(gathering->mutex);
          if (!released) gathering->error = released.error();
          if (--gathering->left > 0) return;
        }
        gathering->error ? gathering->answer(*gathering->error) : gathering->answer(std::string());
      });
    });
  }
}

void Backups::next_piece(std::uint64_t backup, PartitionId partition, const Answer& answer) {
  Reading reading;
  {
    const std::lock_guard lock(mutex_);
    if (!current_ || current_->backup != backup) return answer(unknown_backup());
    current_->used = steady_now();
    const auto part = current_->parts.find(partition);
    if (part == current_->parts.end()) return answer(Error{Errc::not_found, "this node has no such part, or gave it"});
    if (part->second.busy || !shared_.fill_rate->may_send(current_->used))
      return answer(Error{Errc::retry_later, "not yet: reading is throttled (cluster.fill_bytes_per_s)"});
    part->second.busy = true;
    reading = part->second;
  }
  shared_.filling([this, backup, partition, reading, answer] {
    auto piece = reading.source->next(kPieceBytes);
    piece_read(backup, partition, reading, std::move(piece), answer);
  });
}

void Backups::piece_read(std::uint64_t backup, PartitionId partition, const Reading& reading,
                         Result<SnapshotPiece> piece, const Answer& answer) {
  if (!piece) return answer(piece.error());
  shared_.fill_rate->sent(piece->bytes(), steady_now());
  {
    const std::lock_guard lock(mutex_);
    if (!current_ || current_->backup != backup) return answer(unknown_backup());
    Reading& part = current_->parts.at(partition);
    part.busy = false;
    ++part.next;
    if (piece->last) current_->parts.erase(partition);
  }
  answer(peers::snapshot_part(backup, reading.next, reading.source->head(), std::move(*piece)).SerializeAsString());
}

void Backups::end(std::uint64_t backup) {
  {
    const std::lock_guard lock(mutex_);
    if (!current_ || current_->backup != backup) return;
    current_.reset();
  }
  drop_holds(backup);
}

void Backups::drop_holds(std::uint64_t backup) {
  for (Worker* worker : shared_.workers) worker->call([worker, backup] { worker->backup_hold().drop(backup); });
}

void Backups::tick(SteadyTime now) {
  std::uint64_t forgotten = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!current_ || now < current_->used + kPatience) return;
    forgotten = current_->backup;
    current_.reset();
  }
  spdlog::warn("backup_given_up why='nobody asked for more of it'");
  drop_holds(forgotten);
}

void Backups::end_all() {
  const std::lock_guard lock(mutex_);
  current_.reset();
}

}  // namespace holdfast

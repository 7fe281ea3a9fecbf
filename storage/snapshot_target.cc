#include "storage/snapshot_target.h"

#include <algorithm>

#include "base/check.h"
#include "storage/keys.h"
#include "storage/state_store.h"

namespace holdfast {
namespace {

Status put_marker(Database& log, PartitionId partition) {
  const std::string key = LogReader::install_key(partition);
  Batch batch;
  batch.put(key, "1");
  return log.write(batch, Durability::synced);
}

/// With the marker there. Only the promise stays.
Status remove_everything(Database& log, Database& state, PartitionId partition) {
  const std::string first_row = keys::stored(partition, {}), after_rows = keys::after_partition(partition);
  Batch rows;
  rows.remove_range(first_row, after_rows);
  if (const Status removed = state.write(rows, Durability::written); !removed) return removed;
  const std::string first_entry = keys::stored(partition, "e"), after_entries = LogReader::after_entries(partition);
  const std::string meta = LogReader::meta_key(partition);
  Batch entries;
  entries.remove_range(first_entry, after_entries);
  entries.remove(meta);
  return log.write(entries, Durability::written);
}

/// The last write: what the log says of itself, and no marker any more.
Status write_meta(Database& log, PartitionId partition, const log::PartitionMeta& promise,
                  const log::PartitionMeta* meta) {
  const std::string marker = LogReader::install_key(partition), promise_key = LogReader::promise_key(partition);
  const std::string meta_key = LogReader::meta_key(partition), promise_value = promise.SerializeAsString();
  const std::string meta_value = meta ? meta->SerializeAsString() : std::string();
  Batch batch;
  if (promise.promised_epoch() > 0) batch.put(promise_key, promise_value);
  if (meta) batch.put(meta_key, meta_value);
  batch.remove(marker);
  return log.write(batch, Durability::synced);
}

Error not_as_sent(const char* what) {
  return {Errc::corrupt, std::string("a snapshot is not as it was sent: ") + what};
}

}  // namespace

SnapshotTarget::SnapshotTarget(Database& log, Database& state, PartitionId partition, SnapshotHead head, Epoch promised)
    : log_(log),
      state_(state),
      partition_(partition),
      head_(std::move(head)),
      promised_(promised),
      next_entry_(head_.first_entry),
      chain_(head_.chain_before) {}

Status SnapshotTarget::begin() {
  if (const Status marked = put_marker(log_, partition_); !marked) return marked;
  return remove_everything(log_, state_, partition_);
}

Status SnapshotTarget::take(const SnapshotPiece& piece) {
  if (complete_) return not_as_sent("it goes on after its end");
  checksum_ = snapshot_checksum(checksum_, piece);
  if (checksum_ != piece.checksum) return not_as_sent("its checksum differs");
  if (!piece.rows.empty() && next_entry_ != head_.first_entry) return not_as_sent("a row comes after an entry");
  if (const Status taken = take_rows(piece); !taken) return taken;
  if (const Status taken = take_entries(piece); !taken) return taken;
  complete_ = piece.last;
  return Ok{};
}

Status SnapshotTarget::take_rows(const SnapshotPiece& piece) {
  if (piece.rows.empty()) return Ok{};
  std::vector<std::string> stored;
  stored.reserve(piece.rows.size());
  Batch batch;
  for (const Row& row : piece.rows) batch.put(stored.emplace_back(keys::stored(partition_, row.key)), row.value);
  return state_.write(batch, Durability::written);
}

Status SnapshotTarget::take_entries(const SnapshotPiece& piece) {
  if (piece.entries.empty()) return Ok{};
  std::vector<EncodedEntry> encoded;
  encoded.reserve(piece.entries.size());
  Batch batch;
  for (const std::string& bytes : piece.entries) {
    if (next_entry_ > head_.applied) return not_as_sent("its log is too long");
    const EncodedEntry& entry = encoded.emplace_back(encode_entry(partition_, next_entry_, bytes, chain_));
    if (!last_entry_.ParseFromString(bytes) || last_entry_.seq() != next_entry_.value)
      return not_as_sent("an entry is out of its place");
    chain_ = entry.chain;
    next_entry_ = next_entry_.next();
    batch.put(entry.key, entry.value);
  }
  return log_.write(batch, Durability::written);
}

Status SnapshotTarget::finish() {
  if (!complete_) return not_as_sent("it has no end");
  if (next_entry_ != head_.applied.next() || chain_ != head_.chain) return not_as_sent("its log ends elsewhere");
  const auto applied = applied_seq(state_, partition_);
  if (!applied) return applied.error();
  if (*applied != head_.applied) return not_as_sent("its state is of another entry");
  if (const Status flushed = state_.flush(); !flushed) return flushed;
  log::PartitionMeta promise = head_.log;
  promise.set_promised_epoch(promised_.value);
  log::PartitionMeta meta;
  meta.set_first_seq(head_.first_entry.value);
  meta.set_chain_before_first(std::string(as_bytes(head_.chain_before)));
  return write_meta(log_, partition_, promise, &meta);
}

Status discard_copy(Database& log, Database& state, PartitionId partition) {
  const auto known = LogReader(log).meta(partition);
  if (!known) return known.error();
  if (const Status marked = put_marker(log, partition); !marked) return marked;
  if (const Status removed = remove_everything(log, state, partition); !removed) return removed;
  if (const Status flushed = state.flush(); !flushed) return flushed;
  log::PartitionMeta promise;
  promise.set_promised_epoch(known->promised_epoch());
  return write_meta(log, partition, promise, nullptr);
}

Result<std::vector<PartitionId>> discard_interrupted(Database& log, Database& state, std::uint16_t partitions) {
  std::vector<PartitionId> discarded;
  for (std::uint16_t p = 0; p < partitions; ++p) {
    const PartitionId partition(p);
    const auto marker = log.get(LogReader::install_key(partition));
    if (!marker) return marker.error();
    if (!*marker) continue;
    if (const Status done = discard_copy(log, state, partition); !done) return done.error();
    discarded.push_back(partition);
  }
  return discarded;
}

}  // namespace holdfast

#include "storage/snapshot_source.h"

#include <algorithm>

#include "base/check.h"
#include "proto/state.pb.h"
#include "storage/big_endian.h"
#include "storage/keys.h"
#include "storage/state_store.h"

namespace holdfast {

std::size_t SnapshotPiece::bytes() const {
  std::size_t sum = 0;
  for (const Row& row : rows) sum += row.key.size() + row.value.size();
  for (const std::string& entry : entries) sum += entry.size();
  return sum;
}

Hash32 snapshot_checksum(const Hash32& before, const SnapshotPiece& piece) {
  std::string all;
  all.reserve(piece.bytes() + 16 * (piece.rows.size() + piece.entries.size() + 1));
  const auto add = [&](std::string_view bytes) {
    append_u64(all, bytes.size());
    all.append(bytes);
  };
  append_u64(all, piece.rows.size());
  for (const Row& row : piece.rows) {
    add(row.key);
    add(row.value);
  }
  for (const std::string& entry : piece.entries) add(entry);
  all.push_back(piece.last ? 1 : 0);
  return blake2b_256({as_bytes(before), all});
}

SnapshotSource::SnapshotSource(std::unique_ptr<DatabaseView> state, std::unique_ptr<DatabaseView> log,
                               PartitionId partition)
    : state_(std::move(state)), log_(std::move(log)), partition_(partition) {}

Result<std::shared_ptr<SnapshotSource>> SnapshotSource::open(const Database& state, const Database& log,
                                                             PartitionId partition,
                                                             const std::vector<std::string>& subscribers) {
  // The state first: whatever it has applied is in the log by then.
  auto state_view = state.view();
  auto log_view = log.view();
  std::shared_ptr<SnapshotSource> made(new SnapshotSource(std::move(state_view), std::move(log_view), partition));
  if (const Status read = made->read_head(subscribers); !read) return read.error();
  return made;
}

Status SnapshotSource::read_head(const std::vector<std::string>& subscribers) {
  const auto applied = applied_seq(*state_, partition_);
  if (!applied) return applied.error();
  if (*applied == Seq{}) return Error{Errc::not_found, "there is no state yet"};
  head_.applied = *applied;
  const auto cursor = slowest_cursor(subscribers);
  if (!cursor) return cursor.error();

  const LogReader log(*log_);
  auto meta = log.meta(partition_);
  if (!meta) return meta.error();
  head_.first_entry = std::min(cursor->next(), *applied);
  if (head_.first_entry < Seq(std::max<std::uint64_t>(meta->first_seq(), 1)))
    return Error{Errc::not_found, "entry " + std::to_string(head_.first_entry.value) + " was trimmed"};
  const auto before = log.chain_at(partition_, Seq(head_.first_entry.value - 1));
  if (!before) return before.error();
  const auto chain = log.chain_at(partition_, *applied);
  if (!chain) return chain.error();
  head_.chain_before = *before;
  head_.chain = *chain;
  for (const auto& start : meta->epoch_starts())
    if (start.first_seq() <= applied->value) *head_.log.add_epoch_starts() = start;
  next_row_ = keys::stored(partition_, {});
  next_entry_ = head_.first_entry;
  return Ok{};
}

/// A subscriber that never wrote its cursor has seen nothing.
Result<Seq> SnapshotSource::slowest_cursor(const std::vector<std::string>& subscribers) const {
  Seq slowest = head_.applied;
  for (const std::string& name : subscribers) {
    const auto row = state_->get(keys::stored(partition_, keys::cursor(name)));
    if (!row) return row.error();
    state::Cursor cursor;
    if (*row && !cursor.ParseFromString(**row))
      return Error{Errc::corrupt, "the cursor of " + name + " does not parse"};
    slowest = std::min(slowest, Seq(cursor.seq()));
  }
  return slowest;
}

Result<SnapshotPiece> SnapshotSource::next(std::size_t bytes_max) {
  HF_CHECK(next_entry_ <= head_.applied, "the last piece was not taken yet");
  SnapshotPiece piece;
  const Status read = rows_done_ ? read_entries(piece, bytes_max) : read_rows(piece, bytes_max);
  if (!read) return read.error();
  piece.last = next_entry_ > head_.applied;
  piece.checksum = checksum_ = snapshot_checksum(checksum_, piece);
  return piece;
}

Status SnapshotSource::read_rows(SnapshotPiece& piece, std::size_t bytes_max) {
  auto rows = state_->scan(
      {.from = next_row_, .until = keys::after_partition(partition_), .limit = bytes_max, .bytes_max = bytes_max});
  if (!rows) return rows.error();
  if (rows->empty()) {
    rows_done_ = true;
    return read_entries(piece, bytes_max);
  }
  next_row_ = rows->back().key + '\0';
  for (Row& row : *rows) {
    row.key.erase(0, keys::kPartitionBytes);
    piece.rows.push_back(std::move(row));
  }
  return Ok{};
}

Status SnapshotSource::read_entries(SnapshotPiece& piece, std::size_t bytes_max) {
  auto page = LogReader(*log_).read_raw(partition_, next_entry_, bytes_max);
  if (!page) return page.error();
  if (page->entries.empty())
    return Error{Errc::corrupt, "the state of partition " + std::to_string(partition_.value) + " has entry " +
                                    std::to_string(head_.applied.value) + ", and its log ends before"};
  for (std::string& entry : page->entries) {
    if (next_entry_ > head_.applied) break;
    piece.entries.push_back(std::move(entry));
    next_entry_ = next_entry_.next();
  }
  return Ok{};
}

}  // namespace holdfast

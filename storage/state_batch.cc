#include "storage/state_batch.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "storage/big_endian.h"
#include "storage/keys.h"

namespace holdfast {
namespace {

constexpr std::size_t kArenaBytes = 1u << 20;

keys::Family family_of(std::string_view stored_key) {
  return static_cast<keys::Family>(static_cast<std::uint8_t>(stored_key[keys::kPartitionBytes]));
}

bool is_append_only(std::string_view stored_key) {
  return stored_key.size() > keys::kPartitionBytes && keys::is_append_only(family_of(stored_key));
}

/// Whether [from, until) can hold rows of one append-only family only, none of which wait in pending_.
bool is_append_only_range(std::string_view from, std::string_view until) {
  constexpr std::size_t kHead = keys::kPartitionBytes + 1;
  return is_append_only(from) && until.starts_with(from.substr(0, kHead));
}

}  // namespace

std::string encode_applied(Seq seq) {
  std::string value;
  append_u64(value, seq.value);
  return value;
}

StateBatch::StateBatch() : first_block_(kArenaBytes), arena_(first_block_.data(), first_block_.size()) {
  latest_.emplace(&arena_);
}

void StateBatch::add(PartitionId partition, const log::Entry& entry) {
  Seq& last = last_seq(partition);
  HF_CHECK(entry.seq() > last.value, "entries of a partition come in order");
  last = Seq(entry.seq());
  for (const log::Write& write : entry.writes()) add_write(partition, write);
  writes_ += static_cast<std::size_t>(entry.writes_size());
}

Seq& StateBatch::last_seq(PartitionId partition) {
  if (partition.value >= place_in_applied_.size()) place_in_applied_.resize(partition.value + 1u);
  std::size_t& place = place_in_applied_[partition.value];
  if (place == 0) {
    applied_.emplace_back(partition, Seq(0));
    place = applied_.size();
  }
  return applied_[place - 1].second;
}

void StateBatch::add_write(PartitionId partition, const log::Write& write) {
  const std::string_view key = keep(partition, write.key());
  switch (write.what_case()) {
    case log::Write::kPut: return add_row(key, BatchOp::Kind::put, write.put());
    case log::Write::kRemove: return add_row(key, BatchOp::Kind::remove, {});
    case log::Write::kRemoveUntil: return add_range(key, keep(keys::stored_until(partition, write.remove_until())));
    case log::Write::WHAT_NOT_SET: break;
  }
  HF_CHECK(false, "a write in the log says what it does");
}

void StateBatch::add_row(std::string_view key, BatchOp::Kind kind, std::string_view value) {
  const BatchOp op{kind, key, value};
  if (is_append_only(key)) return emit(op);
  const auto [at, is_new] = latest_->try_emplace(key, pending_.size());
  if (is_new) {
    pending_.push_back(op);
  } else {
    pending_[at->second] = op;
  }
}

void StateBatch::add_range(std::string_view from, std::string_view until) {
  if (!is_append_only_range(from, until)) emit_pending();
  emit({BatchOp::Kind::remove_range, from, until});
}

void StateBatch::emit(const BatchOp& op) {
  switch (op.kind) {
    case BatchOp::Kind::put: return batch_.put(op.key, op.value);
    case BatchOp::Kind::remove: return batch_.remove(op.key);
    case BatchOp::Kind::remove_range: return batch_.remove_range(op.key, op.value);
  }
}

/// In the order of their keys, which the memtable takes faster: each is looked for from where the last one went.
void StateBatch::emit_pending() {
  std::sort(pending_.begin(), pending_.end(), [](const BatchOp& a, const BatchOp& b) { return a.key < b.key; });
  for (const BatchOp& op : pending_) emit(op);
  pending_.clear();
  latest_->clear();
}

const Batch& StateBatch::finish() {
  emit_pending();
  for (const auto& [partition, seq] : applied_)
    batch_.put(keep(keys::stored(partition, keys::applied())), keep(encode_applied(seq)));
  return batch_;
}

void StateBatch::clear() {
  for (const auto& [partition, seq] : applied_) place_in_applied_[partition.value] = 0;
  applied_.clear();
  pending_.clear();
  batch_.clear();
  writes_ = 0;
  latest_.reset();
  arena_.release();
  latest_.emplace(&arena_);
}

std::string_view StateBatch::keep(PartitionId partition, std::string_view key) {
  char* const kept = static_cast<char*>(arena_.allocate(keys::kPartitionBytes + key.size(), 1));
  kept[0] = static_cast<char>(partition.value >> 8);
  kept[1] = static_cast<char>(partition.value);
  std::memcpy(kept + keys::kPartitionBytes, key.data(), key.size());
  return {kept, keys::kPartitionBytes + key.size()};
}

std::string_view StateBatch::keep(std::string_view bytes) {
  char* const kept = static_cast<char*>(arena_.allocate(bytes.size(), 1));
  std::memcpy(kept, bytes.data(), bytes.size());
  return {kept, bytes.size()};
}

}  // namespace holdfast

#include "storage/log_store.h"

#include <algorithm>
#include <limits>

#include "storage/big_endian.h"
#include "storage/keys.h"

namespace holdfast {
namespace {

constexpr std::size_t kHashBytes = std::tuple_size_v<Hash32>;
constexpr std::string_view kConfigPrefix = "\xff\xff";

std::string config_key(std::string_view key) { return std::string(kConfigPrefix).append(key); }

Hash32 hash_from(std::string_view bytes) {
  Hash32 hash{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), hash.size()), hash.begin());
  return hash;
}

Error damaged(PartitionId partition, Seq seq, std::string_view what) {
  return Error{Errc::corrupt, "the log of partition " + std::to_string(partition.value) + " is damaged at entry " +
                                  std::to_string(seq.value) + ": " + std::string(what)};
}

Result<StoredEntry> parse(PartitionId partition, Seq seq, std::string_view value) {
  if (value.size() < kHashBytes) return damaged(partition, seq, "too short for its chain value");
  StoredEntry stored{.entry = {}, .chain = hash_from(value.substr(0, kHashBytes))};
  value.remove_prefix(kHashBytes);
  if (!stored.entry.ParseFromArray(value.data(), static_cast<int>(value.size())))
    return damaged(partition, seq, "it does not parse");
  if (stored.entry.seq() != seq.value) return damaged(partition, seq, "it carries another number");
  return stored;
}

Seq seq_of_key(std::string_view key) { return Seq(read_number(key.substr(key.size() - sizeof(std::uint64_t)))); }

Seq first_of(const log::PartitionMeta& meta) { return Seq(std::max<std::uint64_t>(meta.first_seq(), 1)); }

}  // namespace

EncodedEntry encode_entry(PartitionId partition, const log::Entry& entry, const Hash32& previous_chain) {
  return encode_entry(partition, Seq(entry.seq()), entry.SerializeAsString(), previous_chain);
}

EncodedEntry encode_entry(PartitionId partition, Seq seq, std::string_view bytes, const Hash32& previous_chain) {
  EncodedEntry encoded{
      .partition = partition, .seq = seq, .chain = {}, .key = LogReader::entry_key(partition, seq), .value = {}};
  encoded.chain = blake2b_256({as_bytes(previous_chain), bytes});
  encoded.value.reserve(kHashBytes + bytes.size());
  encoded.value.append(as_bytes(encoded.chain)).append(bytes);
  return encoded;
}

std::string_view entry_bytes(const EncodedEntry& encoded) { return std::string_view(encoded.value).substr(kHashBytes); }

std::string LogReader::entry_key(PartitionId partition, Seq seq) {
  std::string key = keys::stored(partition, "e");
  append_u64(key, seq.value);
  return key;
}

std::string LogReader::after_entries(PartitionId partition) { return keys::stored(partition, "f"); }
std::string LogReader::meta_key(PartitionId partition) { return keys::stored(partition, "m"); }
std::string LogReader::promise_key(PartitionId partition) { return keys::stored(partition, "p"); }
std::string LogReader::install_key(PartitionId partition) { return keys::stored(partition, "i"); }

Result<log::PartitionMeta> LogReader::meta(PartitionId partition) const {
  log::PartitionMeta meta, promise;
  for (auto [key, parsed] : {std::pair{meta_key(partition), &meta}, std::pair{promise_key(partition), &promise}}) {
    auto row = rows_.get(key);
    if (!row) return row.error();
    if (*row && !parsed->ParseFromString(**row))
      return Error{Errc::corrupt, "the meta row of partition " + std::to_string(partition.value) + " does not parse"};
  }
  if (promise.promised_epoch() > 0) {
    meta.set_promised_epoch(promise.promised_epoch());
    *meta.mutable_epoch_starts() = promise.epoch_starts();
  }
  return meta;
}

Result<Hash32> LogReader::chain_at(PartitionId partition, Seq seq) const {
  if (seq == Seq(0)) return Hash32{};
  const auto row = rows_.get(entry_key(partition, seq));
  if (!row) return row.error();
  if (*row) {
    if ((*row)->size() < kHashBytes) return damaged(partition, seq, "too short for its chain value");
    return hash_from(std::string_view(**row).substr(0, kHashBytes));
  }
  const auto known = meta(partition);
  if (!known) return known.error();
  if (first_of(*known) == seq.next()) return hash_from(known->chain_before_first());
  return Error{Errc::not_found,
               "partition " + std::to_string(partition.value) + " has no entry " + std::to_string(seq.value)};
}

Result<std::vector<StoredEntry>> LogReader::read(PartitionId partition, Seq from, std::size_t bytes_max) const {
  HF_CHECK(from.value > 0, "the first entry is 1");
  const auto known = meta(partition);
  if (!known) return known.error();
  if (from < first_of(*known))
    return Error{Errc::not_found, "entry " + std::to_string(from.value) + " of partition " +
                                      std::to_string(partition.value) + " was trimmed"};
  const auto rows = rows_from(partition, from, bytes_max);
  if (!rows) return rows.error();
  return check_rows(partition, from, *rows);
}

Result<std::vector<Row>> LogReader::rows_from(PartitionId partition, Seq from, std::size_t bytes_max) const {
  return rows_.scan({.from = entry_key(partition, from),
                     .until = after_entries(partition),
                     .limit = std::numeric_limits<std::size_t>::max(),
                     .bytes_max = bytes_max});
}

/// An entry that should be there: trimmed meanwhile, or damaged.
Error LogReader::missing(PartitionId partition, Seq seq) const {
  const auto known = meta(partition);
  if (!known) return known.error();
  if (seq < first_of(*known))
    return Error{Errc::not_found, "entry " + std::to_string(seq.value) + " of partition " +
                                      std::to_string(partition.value) + " was trimmed"};
  return damaged(partition, seq, "it is missing");
}

Result<LogReader::RawPage> LogReader::read_raw(PartitionId partition, Seq from, std::size_t bytes_max) const {
  HF_CHECK(from.value > 0, "the first entry is 1");
  const Seq before(from.value - 1);
  auto chain = chain_at(partition, before);
  if (!chain) return chain.error();
  RawPage page{.previous_epoch = {}, .previous_chain = *chain, .entries = {}};
  const auto row = rows_.get(entry_key(partition, before));
  if (!row) return row.error();
  if (*row) {
    const auto stored = parse(partition, before, **row);
    if (!stored) return stored.error();
    page.previous_epoch = Epoch(stored->entry.epoch());
  }
  auto rows = rows_from(partition, from, bytes_max);
  if (!rows) return rows.error();
  Seq expected = from;
  for (Row& each : *rows) {
    if (seq_of_key(each.key) != expected) return missing(partition, expected);
    if (each.value.size() < kHashBytes) return damaged(partition, expected, "too short for its chain value");
    const Hash32 stored = hash_from(each.value);
    each.value.erase(0, kHashBytes);
    *chain = blake2b_256({as_bytes(*chain), each.value});
    if (*chain != stored) return damaged(partition, expected, "it breaks the chain of hashes");
    page.entries.push_back(std::move(each.value));
    expected = expected.next();
  }
  return page;
}

Result<std::vector<StoredEntry>> LogReader::check_rows(PartitionId partition, Seq from,
                                                       const std::vector<Row>& rows) const {
  std::vector<StoredEntry> entries;
  if (rows.empty()) return entries;
  const auto before = chain_at(partition, Seq(from.value - 1));
  if (!before && before.error().code == Errc::not_found)
    return damaged(partition, Seq(from.value - 1), "it is missing");
  if (!before) return before.error();

  entries.reserve(rows.size());
  Hash32 chain = *before;
  Seq expected = from;
  for (const Row& row : rows) {
    if (seq_of_key(row.key) != expected) return damaged(partition, expected, "it is missing");
    auto stored = parse(partition, expected, row.value);
    if (!stored) return stored.error();
    chain = blake2b_256({as_bytes(chain), std::string_view(row.value).substr(kHashBytes)});
    if (chain != stored->chain) return damaged(partition, expected, "it breaks the chain of hashes");
    entries.push_back(std::move(*stored));
    expected = expected.next();
  }
  return entries;
}

Result<std::optional<StoredEntry>> LogReader::last(PartitionId partition) const {
  const Range range{
      .from = entry_key(partition, Seq(0)), .until = after_entries(partition), .limit = 1, .backward = true};
  const auto rows = rows_.scan(range);
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<StoredEntry>();
  auto stored = parse(partition, seq_of_key(rows->front().key), rows->front().value);
  if (!stored) return stored.error();
  return std::optional<StoredEntry>(std::move(*stored));
}

Result<std::pair<Seq, Seq>> LogReader::bounds(PartitionId partition) const {
  const auto known = meta(partition);
  if (!known) return known.error();
  const auto newest = last(partition);
  if (!newest) return newest.error();
  const Seq first = first_of(*known);
  return std::pair(first, *newest ? Seq((*newest)->entry.seq()) : Seq(first.value - 1));
}

Status LogStore::trim(PartitionId partition, Seq first) {
  const std::scoped_lock lock(meta_mutex_);
  auto known = meta(partition);
  if (!known) return known.error();
  const auto there = bounds(partition);
  if (!there) return there.error();
  const auto [oldest, newest] = *there;
  first = std::min(first, newest);
  if (first <= oldest) return Ok{};
  const auto chain = chain_at(partition, Seq(first.value - 1));
  if (!chain) return chain.error();

  known->set_first_seq(first.value);
  known->set_chain_before_first(std::string(as_bytes(*chain)));
  const std::string key = meta_key(partition);
  const std::string value = known->SerializeAsString();
  const std::string from = entry_key(partition, oldest);
  const std::string until = entry_key(partition, first);
  Batch batch;
  batch.remove_range(from, until);
  batch.put(key, value);
  return database_.write(batch, Durability::written);
}

Result<std::optional<std::string>> LogStore::config(std::string_view key) const {
  return database_.get(config_key(key));
}

Result<std::map<std::string, std::string>> LogStore::config_with_prefix(std::string_view prefix) const {
  std::map<std::string, std::string> found;
  Range range{.from = config_key(prefix), .until = keys::after_prefix(config_key(prefix))};
  for (;;) {
    auto rows = database_.scan(range);
    if (!rows) return rows.error();
    if (rows->empty()) return found;
    range.from = rows->back().key + '\0';
    for (Row& row : *rows) found.emplace(row.key.substr(kConfigPrefix.size()), std::move(row.value));
  }
}

Status LogStore::write_config(const std::map<std::string, std::string>& rows) {
  std::vector<std::pair<std::string, std::string_view>> stored;
  stored.reserve(rows.size());
  for (const auto& [key, value] : rows) stored.emplace_back(config_key(key), value);
  Batch batch;
  for (const auto& [key, value] : stored) batch.put(key, value);
  return database_.write(batch, Durability::synced);
}

}  // namespace holdfast

// replay() and applied_seq() of storage/state_store.h: what happens before the threads of a StateStore start.
#include <algorithm>

#include "storage/big_endian.h"
#include "storage/keys.h"
#include "storage/state_batch.h"
#include "storage/state_store.h"

namespace holdfast {
namespace {

constexpr std::size_t kReplayBytes = 4u << 20;

std::string numbered(PartitionId partition, const char* what, Seq seq) {
  return "partition " + std::to_string(partition.value) + ": " + what + " " + std::to_string(seq.value);
}

Status check_bounds(const LogStore& log, PartitionId partition, Seq applied) {
  const auto bounds = log.bounds(partition);
  if (!bounds) return bounds.error();
  const auto [first, last] = *bounds;
  if (first > applied.next())
    return Error{Errc::corrupt, numbered(partition, "the log begins at entry", first) +
                                    ", but the state has only what is up to " + std::to_string(applied.value)};
  if (last < applied)
    return Error{Errc::corrupt, numbered(partition, "the log ends at entry", last) +
                                    ", but the state has what is up to " + std::to_string(applied.value)};
  return Ok{};
}

}  // namespace

namespace {

Result<Seq> parse_applied(const Result<std::optional<std::string>>& row, PartitionId partition) {
  if (!row) return row.error();
  if (!*row) return Seq(0);
  if ((*row)->size() != sizeof(std::uint64_t))
    return Error{Errc::corrupt, "partition " + std::to_string(partition.value) + ": the applied row has " +
                                    std::to_string((*row)->size()) + " bytes"};
  return Seq(read_number(**row));
}

}  // namespace

Result<Seq> applied_seq(const Database& state, PartitionId partition, bool durable) {
  const std::string key = keys::stored(partition, keys::applied());
  return parse_applied(durable ? state.get_durable(key) : state.get(key), partition);
}

Result<Seq> applied_seq(const DatabaseView& state, PartitionId partition) {
  return parse_applied(state.get(keys::stored(partition, keys::applied())), partition);
}

Result<std::uint64_t> replay(LogStore& log, Database& state, PartitionId partition) {
  const auto start = applied_seq(state, partition);
  if (!start) return start.error();
  if (const auto good = check_bounds(log, partition, *start); !good) return good.error();

  Seq applied = *start;
  StateBatch batch;
  for (;;) {
    const auto entries = log.read(partition, applied.next(), kReplayBytes);
    if (!entries) return entries.error();
    if (entries->empty()) return applied.value - start->value;
    for (const StoredEntry& stored : *entries) batch.add(partition, stored.entry);
    if (const auto good = state.write(batch.finish(), Durability::written); !good) return good.error();
    batch.clear();
    applied = Seq(entries->back().entry.seq());
  }
}

}  // namespace holdfast

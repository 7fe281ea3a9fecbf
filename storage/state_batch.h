/// The writes of several entries as one batch for the state database, coalesced.
///
/// Rows that are overwritten keep only their last write; append-only rows go in as they come; a range that is removed
/// keeps its place in the order. Each partition's applied sequence goes in with its rows.
/// Value of one thread. It points into the entries: they must outlive clear().
#pragma once

#include <memory_resource>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "proto/log.pb.h"
#include "storage/database.h"

namespace holdfast {

class StateBatch {
 public:
  StateBatch();
  StateBatch(const StateBatch&) = delete;
  StateBatch& operator=(const StateBatch&) = delete;

  /// Entries of a partition come in order.
  void add(PartitionId partition, const log::Entry& entry);
  /// Good until the next add() or clear().
  const Batch& finish();
  /// The partitions in it, each with its last sequence.
  const std::vector<std::pair<PartitionId, Seq>>& applied() const { return applied_; }
  std::size_t writes() const { return writes_; }  ///< added, before coalescing
  void clear();

 private:
  using Latest = std::pmr::unordered_map<std::string_view, std::size_t>;

  void add_write(PartitionId partition, const log::Write& write);
  void add_row(std::string_view key, BatchOp::Kind kind, std::string_view value);
  void add_range(std::string_view from, std::string_view until);
  void emit(const BatchOp& op);
  void emit_pending();
  std::string_view keep(PartitionId partition, std::string_view key);
  std::string_view keep(std::string_view bytes);
  Seq& last_seq(PartitionId partition);

  std::vector<char> first_block_;
  std::pmr::monotonic_buffer_resource arena_;  // keys with their partition in front, and latest_
  std::optional<Latest> latest_;               // stored key -> its place in pending_
  std::vector<BatchOp> pending_;
  Batch batch_;
  std::vector<std::pair<PartitionId, Seq>> applied_;
  std::vector<std::size_t> place_in_applied_;  // by partition; 0: none, else place + 1
  std::size_t writes_ = 0;
};

/// The value of an applied row.
std::string encode_applied(Seq seq);

}  // namespace holdfast

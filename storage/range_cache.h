/// Whole ranges of a partition's rows in memory: who belongs to a group is asked for with each of its messages, and
/// changes rarely.
///
/// A range is kept from when it was read until one of its rows is written. What it gives is therefore what is committed
/// now. A range that was written while it was being read is not kept: nobody knows which of the two came first.
/// Owned by Partition; thread: its worker. Never fails.
/// Bound: `bytes_max`; beyond it the range that was not asked for the longest goes. A larger one is not kept at all.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/database.h"

namespace holdfast {

class RangeCache {
 public:
  explicit RangeCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Whether ranges like this one are kept: all members of a conversation, however many.
  static bool keeps(const Range& range);

  /// Null: not here. Good until the next call that is not find().
  const std::vector<Row>* find(const Range& range);

  /// It is going to be read, of what is committed by now or later; read() follows once for each.
  void reading(const Range& range);
  void read(const Range& range, const std::vector<Row>& rows);

  /// A committed entry wrote, or removed, this row; or all of [from, until), an empty `until`: to the end.
  void wrote(std::string_view key);
  void removed_range(std::string_view from, std::string_view until);

  std::size_t bytes() const { return bytes_; }

 private:
  struct Kept {
    std::string until;
    std::vector<Row> rows;
    std::size_t bytes = 0;
    std::uint64_t used = 0;  ///< the higher, the later
  };
  struct Reading {
    std::string until;
    std::size_t open = 0;
    bool written = false;  ///< since the first of the open ones was asked for
  };
  using Ranges = std::map<std::string, Kept, std::less<>>;

  void erase(Ranges::iterator at);
  void evict();

  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::uint64_t uses_ = 0;
  Ranges kept_;  ///< by `from`; they don't overlap, since each is one conversation's
  std::map<std::string, Reading, std::less<>> reading_;
};

}  // namespace holdfast

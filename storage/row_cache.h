/// A partition's rows in memory: those not yet in the state database, which must be here, and the hot ones.
///
/// Rules read rows here only. A row that a committed entry wrote is pinned until the state database has it; after that,
/// and if it was loaded, it may go when `bytes_max` is exceeded, the longest unused first. Absence is remembered as well.
/// Owned by Partition; thread: its worker.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/ids.h"

namespace holdfast {

class RowCache {
 public:
  explicit RowCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  struct Found {
    bool known = false;                   ///< false: it must be loaded
    const std::string* value = nullptr;   ///< known and null: there is no such row
  };
  /// The pointer is good until the next call that is not find().
  Found find(std::string_view key);

  /// A committed entry `seq` wrote this (nothing: removed it).
  void wrote(std::string_view key, std::optional<std::string_view> value, Seq seq);
  /// A committed entry removed [from, until).
  void removed_range(std::string_view from, std::string_view until, Seq seq);
  /// The state database had this when asked. Ignored if something newer is here.
  void loaded(std::string_view key, std::optional<std::string_view> value);
  /// The state database has everything up to `seq`.
  void applied(Seq seq);

  std::size_t bytes() const { return bytes_; }
  std::size_t pinned() const { return pinned_; }

 private:
  struct Entry {
    std::optional<std::string> value;
    Seq pinned_until;  ///< 0: not pinned
    std::list<const std::string*>::iterator place;  ///< in unpinned_, if not pinned
  };
  using Map = std::unordered_map<std::string, Entry>;

  void evict();

  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::size_t pinned_ = 0;
  Map rows_;
  std::list<const std::string*> unpinned_;  ///< least recently used first
};

}  // namespace holdfast

/// A partition's rows in memory: those not yet in the state database, which must be here, and the hot ones.
///
/// Rules read rows here only. A row that a committed entry wrote is pinned until the state database has it; after that,
/// and if it was loaded, it may go when `bytes_max` is exceeded, the longest unused first. Absence is remembered as
/// well. A row that find() did not know stays from its next write until loaded() has answered, so that an old value
/// can't come in late. Owned by Partition; thread: its worker. Invariant: bytes() > bytes_max only by what must stay.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/ids.h"

namespace holdfast {

class RowCache {
 public:
  static constexpr std::size_t kRowsKept = 512;

  explicit RowCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  RowCache(const RowCache&) = delete;
  RowCache& operator=(const RowCache&) = delete;

  struct Found {
    bool known = false;                  ///< false: it must be loaded
    const std::string* value = nullptr;  ///< known and null: there is no such row
  };
  /// The pointer is good until the next call that is not find() or peek().
  Found find(std::string_view key);
  /// True if a write of this key must be told: the row is here, or is being loaded.
  bool concerns(std::string_view key) const { return rows_.contains(key) || loading_.contains(key); }
  /// As find(), for a look that no load follows: notes nothing.
  Found peek(std::string_view key) const;

  /// A committed entry `seq` wrote this (nothing: removed it). Sequences never go back.
  void wrote(std::string_view key, std::optional<std::string_view> value, Seq seq);
  /// A committed entry removed [from, until); an empty `until`: to the end. Cheap within one family and id.
  void removed_range(std::string_view from, std::string_view until, Seq seq);
  /// The state database had this when asked. Ignored if something newer is here.
  void loaded(std::string_view key, std::optional<std::string_view> value);
  /// The state database has everything up to `seq`.
  void applied(Seq seq);
  /// Keeps a row that is here until as many let_go(): whoever waits for more rows than the cache keeps would otherwise
  /// load them for ever. False, and nothing to let go of, if it is not here.
  bool hold(std::string_view key);
  void let_go(std::string_view key);

  std::size_t bytes() const { return bytes_; }
  std::size_t pinned() const { return pinned_; }
  std::size_t rows() const { return rows_.size(); }

 private:
  struct Node;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };
  /// Rows whose keys begin with the same family and id, for removed_range().
  struct Group {
    Node* first = nullptr;
    std::size_t ranges = 0;  ///< in ranges_
  };
  using Rows = std::unordered_map<std::string, Node, Hash, std::equal_to<>>;
  using Groups = std::unordered_map<std::uint64_t, Group>;

  struct Node {
    std::optional<std::string> value;
    const std::string* key = nullptr;  // the map's
    Seq pinned_until;                  // 0: not pinned
    std::uint32_t held = 0;            // neither pinned nor held: in the list of the unused
    Node* older = nullptr;
    Node* newer = nullptr;
    Groups::value_type* group = nullptr;
    Node* group_before = nullptr;
    Node* group_after = nullptr;
  };
  struct RemovedRange {
    std::string from;
    std::string until;
    Seq seq;
    std::optional<std::uint64_t> group;  // nothing: it spans several
    bool covers(std::string_view key) const { return key >= from && (until.empty() || key < until); }
  };

  static std::size_t weight(const Node& node);
  Node& node_for(std::string_view key);
  void set(Node& node, std::optional<std::string_view> value);
  void pin(Node& node, Seq seq);
  void append_unused(Node& node);
  void unlink_unused(Node& node);
  void link_group(Node& node);
  void unlink_group(Node& node);
  void erase(Node& node);
  void drop_group_if_empty(std::uint64_t group);
  bool in_removed_range(std::string_view key) const;
  void evict();

  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::size_t pinned_ = 0;
  Rows rows_;
  Groups groups_;
  Node* oldest_ = nullptr;  // of the rows that are not pinned, by last use
  Node* newest_ = nullptr;
  std::size_t unused_rows_ = 0;
  std::size_t unused_bytes_ = 0;
  std::deque<std::pair<Seq, Node*>> pins_;  // in order; a row is unpinned by the last of its own
  std::deque<RemovedRange> ranges_;         // not yet applied, in order
  std::size_t wide_ranges_ = 0;
  std::unordered_set<std::string, Hash, std::equal_to<>> loading_;  // find() did not know them, loaded() is to come
};

}  // namespace holdfast

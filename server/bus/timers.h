/// A partition's durable timers: rows due/<time>/<what>, run when the log's time has come to them.
///
/// Sans-IO; owned by Partition, for one epoch. Rows come from range reads and from what entries write; nothing is read
/// while nothing is due. A row that was handed out is not handed out again while it stands: whoever runs it removes it, or
/// leaves it until something that it began has ended. A new epoch begins with all of them.
///
/// Some rows stand for long, since what they began takes as long as somebody outside does. They have Timers of their own
/// (`is_mine`), or a relay that is slow would hold up every other timer of the partition.
///
/// Bounds: `running_max` rows are handed out and stand; a few times as many wait in memory, the earliest; the others stay
/// in the state until their turn.
/// Invariant: every row of its own below `unseen_from_` is known: it waits or runs.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "storage/database.h"

namespace holdfast::bus {

class Timers {
 public:
  /// `is_mine`: of what a row is about, the part of its key behind the time; others are passed over. Null: all are.
  using IsMine = bool (*)(std::string_view what);
  explicit Timers(std::size_t running_max, IsMine is_mine = nullptr) : running_max_(running_max), is_mine_(is_mine) {}

  /// An entry that is committed put the row, or removed it.
  void wrote(std::string_view key);
  void removed(std::string_view key);

  /// What must be read now, if anything; then read() with what was found. One read at a time.
  std::optional<Range> take_read(WallTime now);
  void read(const std::vector<Row>& rows);

  /// take() would give one.
  bool has_due(WallTime now) const;
  /// The next row to be run at this time.
  std::optional<std::string> take(WallTime now);
  /// Rows are due and not handed out, or are being read.
  bool busy(WallTime now) const;
  std::size_t running() const { return running_.size(); }

 private:
  using Keys = std::set<std::string, std::less<>>;
  std::size_t waiting_max() const { return running_max_ * 4; }
  bool passes_over(std::string_view key) const;
  void forget_from(std::string key);

  const std::size_t running_max_;
  const IsMine is_mine_;
  std::optional<std::string> unseen_from_ = std::string();  ///< a key; nothing: all rows are known
  bool reading_ = false;
  Keys removed_since_;  ///< while a read is under way
  Keys waiting_;        ///< in order of time
  Keys running_;
};

}  // namespace holdfast::bus

/// Rows that are written once and in order (changes, client ids), from their commit until the state database has them.
///
/// They are seldom read and never grow hot, so nothing is copied: keys and values stay in the committed entries, which
/// are kept until applied. The rest of a partition's rows is RowCache's. Rows of inboxes are not even here: they are
/// read in ranges only, and a range waits for the state.
/// Owned by Partition; thread: its worker.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/ids.h"
#include "proto/log.pb.h"
#include "storage/row_cache.h"

namespace holdfast {

class RecentRows {
 public:
  /// Whether a row of this key is kept here.
  static bool keeps(std::string_view key);

  /// A write of `entry` whose key this keeps; it is not looked up again in RowCache.
  void wrote(const log::Write& write, Seq seq);
  /// Keeps `entry` for the writes given to wrote(), until it is applied. Once for each entry that had any, in order.
  void hold(std::shared_ptr<const log::Entry> entry);
  RowCache::Found find(std::string_view key) const;
  /// The state database has everything up to `seq`.
  void applied(Seq seq);

  std::size_t rows() const { return rows_.size(); }

 private:
  struct Recent {
    const std::string* value;  ///< null: removed
    Seq seq;                   ///< of the entry that has it
  };
  boost::unordered_flat_map<std::string_view, Recent> rows_;
  std::deque<std::shared_ptr<const log::Entry>> entries_;
};

}  // namespace holdfast

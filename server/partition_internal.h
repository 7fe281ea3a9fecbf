/// What the files of Partition share and nobody else needs.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <ranges>

#include "server/partition.h"
#include "storage/keys.h"

namespace holdfast {

/// Rows that something waits for before it runs (again).
struct Partition::Needs {
  std::vector<std::string> missing_rows;
  std::vector<Range> missing_ranges;
  std::vector<std::pair<Range, std::vector<Row>>> ranges;  ///< loaded, for this one only
  std::vector<std::string> held;                           ///< loaded rows that must stay until it has run
  std::size_t open = 0;                                    ///< asked for and not there yet
  std::function<void()> ready;                             ///< when nothing is open any more

  bool missing() const { return !missing_rows.empty() || !missing_ranges.empty(); }
};

/// A command on its way to being decided.
struct Partition::Pending {
  command::Command command;
  Answered then;
  std::string order;  ///< commands of the same order keep theirs; known once it matters; empty: any
  bool read_only = false;
  bool client = false;  ///< counts against the bound, and may be refused
  bool page = false;    ///< has a bound of its own
  bool solo = false;    ///< asked for an exact range
  Needs needs;
};

/// An entry under construction, and then in flight: what is released when it is committed.
struct Partition::Flight {
  struct Decided {
    Answered then;
    command::Answer answer;
    std::vector<chat::Effect> effects;
    std::string session;  ///< whose command it was
  };
  log::Entry body;
  std::size_t bytes = 0;
  std::vector<Decided> decided;
  failover::Appended appended;  ///< once launched
};

/// Committed rows.
class Partition::RowView : public chat::View {
 public:
  RowView(Partition& partition, Needs& needs) : partition_(partition), needs_(&needs) {}

  const std::string* row(std::string_view key) override {
    if (RecentRows::keeps(key))
      if (const auto recent = partition_.recent_.find(key); recent.known) return recent.value;
    const RowCache::Found found = partition_.rows_.find(key);
    if (!found.known) needs_->missing_rows.emplace_back(key);
    return found.value;
  }
  const std::vector<Row>* range(const Range& range) override {
    if (const auto* kept = partition_.ranges_.find(range)) return kept;
    return loaded_range(range);
  }
  const std::vector<Row>* exact_range(const Range& range) override { return loaded_range(range); }
  bool missing() const override { return needs_->missing(); }

 protected:
  const std::vector<Row>* loaded_range(const Range& range) {
    for (const auto& [had, rows] : needs_->ranges)
      if (had.from == range.from && had.until == range.until && had.limit == range.limit &&
          had.backward == range.backward)
        return &rows;
    needs_->missing_ranges.push_back(range);
    return nullptr;
  }

  Partition& partition_;
  Needs* needs_;
};

/// Committed rows under the writes of the entry under construction.
class Partition::EntryView final : public Partition::RowView {
 public:
  EntryView(Partition& partition, Needs& none) : RowView(partition, none) {}

  void look_for(Pending& pending) {
    pending_ = &pending;
    needs_ = &pending.needs;
  }
  const std::string* row(std::string_view key) override {
    if (const auto at = writes_.find(key); at != writes_.end())
      return at->second->what_case() == log::Write::kPut ? &at->second->put() : nullptr;
    for (const auto& [from, until] : removed_)
      if (key >= from && (until.empty() || key < until)) return nullptr;
    return RowView::row(key);
  }
  const std::vector<Row>* exact_range(const Range& range) override {
    pending_->solo = true;  // and not what is kept: the entry under construction may have written of it
    return loaded_range(range);
  }
  /// A row that this entry has put already takes the new value where it stands, so that an entry has each row once: a
  /// busy conversation's rows would be logged again with each of its messages. False: the write is to be added. Rows that
  /// are written once keep each of their writes, for events name them by their place; so do heads, for devices are shown
  /// each of their positions; and behind a removed range the order counts.
  bool put_again(log::Write& write) {
    const auto family = static_cast<keys::Family>(write.key().front());
    if (write.what_case() != log::Write::kPut || !removed_.empty()) return false;
    if (keys::is_append_only(family) || family == keys::Family::head) return false;
    const auto at = writes_.find(write.key());
    if (at == writes_.end() || at->second->what_case() != log::Write::kPut) return false;
    at->second->mutable_put()->swap(*write.mutable_put());
    return true;
  }
  /// `write` stays where it is for as long as this view.
  void wrote(log::Write& write) {
    if (write.what_case() == log::Write::kRemoveUntil) {
      const std::string_view from = write.key(), until = write.remove_until();
      erase_if(writes_, [&](const auto& w) { return w.first >= from && (until.empty() || w.first < until); });
      removed_.emplace_back(from, until);
    } else {
      writes_[write.key()] = &write;
    }
  }

 private:
  Pending* pending_ = nullptr;
  boost::unordered_flat_map<std::string_view, log::Write*> writes_;  ///< the last of each row
  std::vector<std::pair<std::string_view, std::string_view>> removed_;
};

/// A connection whose user's rows are being loaded.
struct Partition::Attaching {
  chat::Attach attach;
  bool gone = false;  ///< detached meanwhile
  Needs needs;
};

/// A subscriber at this partition.
struct Partition::Follower {
  const bus::Subscriber* subscriber;
  bus::Feed feed;
  Seq cursor_written;    ///< in the newest entry that was built
  Seq cursor_committed;  ///< in the state, or on its way there
  Needs needs;
};

}  // namespace holdfast

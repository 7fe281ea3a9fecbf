/// One subscriber's way through one partition's events: what comes next, what is under way, what is done.
///
/// Sans-IO; owned by Partition. Entries come from the commit while the feed keeps up, and from the log when it does not
/// (after a start, or when more than `entries_max` wait). Several events are under way at once; the cursor is the last
/// sequence below which everything is done.
///
/// Invariant: events are handed out in log order, each once for a life of the feed; cursor() never goes back.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "proto/log.pb.h"

namespace holdfast::bus {

class Feed {
 public:
  struct Bounds {
    std::size_t entries_max = 256;  ///< waiting in memory
    std::size_t events_under_way = 1024;
  };
  /// `cursor`: everything up to here was done in an earlier life. `committed`: the log's committed end.
  Feed(Seq cursor, Seq committed, Bounds bounds)
      : bounds_(bounds), cursor_(cursor), next_(cursor.next()), committed_(committed) {}

  void committed(std::shared_ptr<const log::Entry> entry);

  /// Where the log must be read on, if it must; asked once until read() answers.
  std::optional<Seq> take_read();
  void read(std::vector<std::shared_ptr<const log::Entry>> entries);

  struct Next {
    std::shared_ptr<const log::Entry> entry;
    std::uint32_t event;
  };
  /// The next event to be worked on, if there is one and the bound allows. It stays next until taken().
  std::optional<Next> next();
  /// The event given by next() has been worked out and led to `commands` commands (0: it is done).
  void taken(std::uint32_t commands);
  /// One command of the event (seq, event) was taken by its target.
  void done(Seq seq, std::uint32_t event);

  Seq cursor() const { return cursor_; }
  std::size_t under_way() const { return under_way_.size(); }

 private:
  struct UnderWay {
    Seq seq;
    std::uint32_t event;
    std::uint32_t open;
  };
  void skip_eventless();
  void move_cursor();

  const Bounds bounds_;
  Seq cursor_;
  Seq next_;                 ///< the entry that next() works on
  std::uint32_t event_ = 0;  ///< its event
  Seq committed_;
  bool reading_ = false;
  std::deque<std::shared_ptr<const log::Entry>> waiting_;  ///< from next_ on, without a gap
  std::deque<UnderWay> under_way_;                         ///< in order
};

}  // namespace holdfast::bus

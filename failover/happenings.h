/// The failover history of this node: what was suspected, on which evidence, what was done about it.
///
/// Values and a ring. Owned by Controller. Thread: the cluster thread. The oldest give way to the newest.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace holdfast::failover {

struct Happening {
  enum class Kind : std::uint8_t {
    suspected,
    dead,
    returned,
    restarted,
    promoted,
    coordinator_changed,
    joined,
    left,
    registered,
    in_use,
    draining,
    drained,
    undrained,
    shrunk,
    grown,
    min_in_sync_raised,
    handed_off,
    held_back,
    safe_mode,
    removed,
    refused,
    problem,
    unsafe_recovered,
    quarantined,
  };
  WallTime time{};
  Kind kind = Kind::problem;
  NodeId node;                       ///< about whom; 0: nobody
  NodeId by;                         ///< who decided or saw it
  std::uint32_t partitions = 0;      ///< how many, or 0
  std::chrono::milliseconds took{};  ///< since the node was last heard, or since it was found dead; 0: not known
  std::string text;                  ///< evidence or reason, for people
};
const char* name_of(Happening::Kind kind);

class Happenings {
 public:
  explicit Happenings(std::size_t size_max) : size_max_(size_max) {}
  void add(Happening happening);
  const std::deque<Happening>& all() const { return all_; }
  /// How many there ever were: the last of all() has this number, counted from 1.
  std::uint64_t count() const { return count_; }

 private:
  const std::size_t size_max_;
  std::deque<Happening> all_;
  std::uint64_t count_ = 0;
};

}  // namespace holdfast::failover

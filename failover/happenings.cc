#include "failover/happenings.h"

#include <utility>

namespace holdfast::failover {

const char* name_of(Happening::Kind kind) {
  using Kind = Happening::Kind;
  switch (kind) {
    case Kind::suspected: return "suspected";
    case Kind::dead: return "dead";
    case Kind::returned: return "returned";
    case Kind::restarted: return "restarted";
    case Kind::promoted: return "promoted";
    case Kind::coordinator_changed: return "coordinator_changed";
    case Kind::joined: return "joined";
    case Kind::left: return "left";
    case Kind::registered: return "registered";
    case Kind::in_use: return "in_use";
    case Kind::draining: return "draining";
    case Kind::drained: return "drained";
    case Kind::undrained: return "undrained";
    case Kind::shrunk: return "shrunk";
    case Kind::grown: return "grown";
    case Kind::min_in_sync_raised: return "min_in_sync_raised";
    case Kind::handed_off: return "handed_off";
    case Kind::held_back: return "held_back";
    case Kind::safe_mode: return "safe_mode";
    case Kind::removed: return "removed";
    case Kind::refused: return "refused";
    case Kind::problem: return "problem";
    case Kind::unsafe_recovered: return "unsafe_recovered";
    case Kind::quarantined: return "quarantined";
  }
  return "problem";
}

void Happenings::add(Happening happening) {
  if (all_.size() == size_max_) all_.pop_front();
  all_.push_back(std::move(happening));
  ++count_;
}

}  // namespace holdfast::failover

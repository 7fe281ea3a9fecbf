/// Nodes that died often lately, and how long each must be well before it is trusted again (T18).
///
/// Sans-IO value; owned by Controller. Thread: the cluster thread. Never fails.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "base/ids.h"
#include "base/time.h"

namespace holdfast::failover {

class FlapLimits {
 public:
  struct Options {
    std::size_t evictions = 2;                                           ///< so many ...
    std::chrono::milliseconds window = std::chrono::minutes(5);          ///< ... within this, and a node is held back
    std::chrono::milliseconds first_penalty = std::chrono::seconds(30);  ///< doubles with each further one
    std::chrono::milliseconds penalty_max = std::chrono::minutes(10);
  };
  explicit FlapLimits(Options options) : options_(options) {}

  void died(NodeId node, SteadyTime now);
  void well_again(NodeId node, SteadyTime now);
  /// Must not be given primaries nor a place in an in-sync set that is large enough without it.
  bool held_back(NodeId node, SteadyTime now) const;
  std::set<NodeId> held_back(SteadyTime now) const;

 private:
  struct History {
    std::deque<SteadyTime> deaths;  ///< within the window of the last
    SteadyTime well_since{};
    bool well = true;
  };
  std::chrono::milliseconds penalty(const History& history, SteadyTime now) const;

  const Options options_;
  std::map<NodeId, History> histories_;
};

}  // namespace holdfast::failover

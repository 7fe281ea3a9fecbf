/// What people and faults do to a simulated cluster: a subset of both, drawn from the seed.
///
/// Owned by a test, for one run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/sim/cluster_world.h"

namespace holdfast::sim {

enum class Fault : std::uint8_t {
  kill,  ///< and start again
  kill_in_write,
  wipe,  ///< killed, and back with an empty disk
  pause,
  cut,  ///< between two nodes, both ways
  cut_one_way,
  isolate,  ///< from all others
  island,   ///< a primary, from all others and from the store; and clients that know what happened since come to it
  reset,    ///< of a link
  slow_network,
  store_unknown,
  store_slow,
  store_outage,
  store_cut,  ///< of one node from the store
  clock,
  suspicion,  ///< wrong
  drain,
  join,
  disk_full,
  disk_slow,
  torn_tail,   ///< killed, and back without its newest entry
  bit_flip,    ///< the same with another entry
  unreadable,  ///< the same with a row that can't be read
  disk_hangs,  ///< a sync does not return for a while
  count_,
};
const char* name_of(Fault fault);

struct ChaosOptions {
  std::uint64_t seed = 1;
  Millis time{6000};
  std::optional<std::vector<Fault>> faults;  ///< otherwise drawn
  failover::Mutant mutant = failover::Mutant::none;
  NodeMutant node_mutant = NodeMutant::none;
  bool never_reattaches = false;
  bool apps_forget_ids = false;
};

struct ChaosResult {
  std::vector<std::string> wrong;  ///< empty: all is well
  std::string state;               ///< at the end, where something is wrong
  std::map<std::string, std::uint64_t> faults;
  std::map<std::string, std::uint64_t> seen;  ///< what came of them
  Millis simulated{};
  std::uint64_t commits = 0, posts = 0, promotions = 0;
};

/// A cluster is made, people talk, faults happen, then they stop: within bounded time everything must be whole, and what
/// everybody saw must be right.
ChaosResult run_chaos(const ChaosOptions& options);

}  // namespace holdfast::sim

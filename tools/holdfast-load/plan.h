/// What is to be done, as the conductor tells it to its workers: the scenario, whom it is for, and how much of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "tools/holdfast-load/target.h"

namespace holdfast::load {

/// The part of a run that one process takes: one of `of` equal ones. Of 0: nothing.
struct Share {
  std::uint64_t index = 0;
  std::uint64_t of = 1;

  struct Range {
    std::uint64_t from = 0, to = 0;
    std::uint64_t size() const { return to - from; }
  };
  /// Which of `total` things are ours. The shares' ranges follow each other without gaps and differ by one at most.
  Range range(std::uint64_t total) const {
    if (of == 0) return {};
    return {total * index / of, total * (index + 1) / of};
  }
};

/// Rates of a mixed day, a second and over all sessions. See profile.h.
struct MixRates {
  double messages = 0;        ///< in direct conversations
  double group_messages = 0;  ///< in groups, each to all of its members
  double reads = 0;           ///< a read mark on the newest message
  double typing = 0;
  double history = 0;    ///< a page of 50, from the newest back
  double drop_outs = 0;  ///< a connection is lost, and resumed after a while
  double log_ins = 0;    ///< with a password, and out again
};

struct Plan {
  std::string scenario;
  std::string run;  ///< eight letters that the names of this run's users have in common
  /// With commas; the scheme says whether TLS and WebSocket are spoken.
  std::string servers;
  std::string ca_file;
  bool fresh_tls = false;  ///< sessions keep no TLS tickets: each handshake is a whole one
  std::uint64_t sessions = 0;
  double seconds = 0;
  double rate = 0;  ///< messages a second, over all processes
  std::uint64_t body_bytes = 100;

  // storm, catchup
  std::uint64_t behind = 0;      ///< messages that each session has not seen
  double over_s = 0;             ///< the sessions' moments lie evenly in this time; 0: all at once
  std::uint64_t log_ins = 0;     ///< of the sessions, how many come with a password
  bool fault = false;            ///< they are online, and lose their connections by what the conductor does
  double back_max_s = 120;       ///< who is not back by then is counted as not back
  std::uint64_t live_pairs = 0;  ///< who talk with each other meanwhile, at `rate`

  // mix
  MixRates mix;
  std::uint64_t groups = 0;
  std::uint64_t group_members = 0;
  double away_min_s = 1, away_max_s = 30;

  // hostile
  std::string kind;
  std::uint64_t connections = 0;

  /// Endpoints and trust. Fails with invalid_argument.
  Result<Target> target(const std::string& operator_key_file) const;
  /// With any of the servers.
  bool speaks_tls() const;
  std::string user_name(std::uint64_t index) const { return "load-" + run + "-" + std::to_string(index); }
};

/// One line of JSON, and back. Fails with corrupt: the other side is of another version.
std::string plan_to_json(const Plan& plan);
Result<Plan> plan_from_json(std::string_view json);

}  // namespace holdfast::load

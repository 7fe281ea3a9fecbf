/// Requests that wait for their answer, over as many connections as it takes.
///
/// Sans-IO; owned by ClientMachine, on its thread. A request that changes something gets an idempotency id before its
/// first try and keeps it; after a reconnect everything unanswered is asked again, in the order of the first asking.
/// An answer that says "not now" is not handed on: the request is asked again after the wait, as long as its time lasts.
/// Bound: whoever adds keeps to one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "clients/cpp/events.h"
#include "proto/client.pb.h"

namespace holdfast::client {

/// Whether the protocol wants an idempotency id with this operation.
bool changes_something(const v1::ClientFrame& request);

class RequestTable {
 public:
  void add(std::uint64_t request_id, v1::ClientFrame request, SteadyTime deadline, ReplyCallback done);

  /// Appends what may go out now to `out`.
  void pump(SteadyTime now, WallTime server_now, Random& random, std::string& out);
  /// Everything under way is to be asked again.
  void disconnected();

  /// The callback of this request, which is removed; nothing if it is not one of ours.
  std::optional<ReplyCallback> take(std::uint64_t request_id);
  /// It is to be asked again at `not_before`. False: not one of ours, or its time ends before.
  bool postpone(std::uint64_t request_id, SteadyTime not_before);
  /// The callbacks of what ran out of time, removed.
  std::vector<ReplyCallback> expire(SteadyTime now);
  /// Everything, removed.
  std::vector<ReplyCallback> take_all();

  std::size_t size() const { return pending_.size(); }
  std::size_t in_flight() const { return in_flight_; }
  SteadyTime next_deadline() const;

 private:
  struct Pending {
    v1::ClientFrame request;
    SteadyTime deadline;
    SteadyTime not_before = SteadyTime::min();
    ReplyCallback done;
    bool in_flight = false;
  };
  using Table = std::map<std::uint64_t, Pending>;  // request ids rise: the order of asking

  ReplyCallback remove(Table::iterator pending);

  Table pending_;
  std::size_t in_flight_ = 0;
};

}  // namespace holdfast::client

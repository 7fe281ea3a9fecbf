/// A worker's way to the primaries of all partitions, here and on other nodes: what it asked for and has no answer to.
///
/// Sans-IO; owned by Worker in a cluster (a node that is alone needs none). Thread: the worker's. Each partition has a
/// lane. What goes wrong on the way (its primary died, moved, can't be reached) is asked again, of whoever leads next, in
/// the order in which it was asked: commands name what they do, so one that was carried out already has no effect.
/// While nobody leads, lanes wait. A client's command that waited `give_up` is answered RETRY, a subscriber's never.
/// Bound: `asks_max` of clients in a lane (beyond: RETRY).
///
/// Order: what is asked again goes under a new route, and whoever refused something of a route, or missed something of it,
/// refuses the rest (Routes), so nothing asked later overtakes it. An error counts only if nothing was asked again since:
/// whoever hears of one may rely on it (H7).
#pragma once

#include <map>
#include <vector>

#include "base/time.h"
#include "proto/peer.pb.h"
#include "server/partition.h"

namespace holdfast {

class Router {
 public:
  struct Options {
    std::size_t asks_max = 8192;
    std::chrono::milliseconds give_up{5000};
    std::chrono::milliseconds again{20};  ///< after a refusal, if nothing else is heard
    /// Without any answer for so long everything is asked again; twice as long each further time.
    std::chrono::milliseconds unanswered{2000};
  };
  /// `life`: drawn anew at each start; routes count from 1 in each.
  Router(NodeId self, std::uint16_t partitions, std::uint64_t life, Options options);

  /// Who leads the partition, as the configuration says; 0: nobody. News of an epoch that is known changes nothing.
  void set_primary(PartitionId partition, NodeId primary, Epoch epoch);
  NodeId primary(PartitionId partition) const { return lanes_[partition.value].primary; }
  void set_link(NodeId node, bool up);
  /// The primary's way to us was broken, and stands again: answers may have been lost on it.
  void ask_again(PartitionId partition);
  void ask(PartitionId partition, command::Command command, Answered then);
  void answered(std::uint64_t id, std::uint64_t route, command::Answer answer);
  void tick(SteadyTime now);
  /// Something waits for a later tick.
  bool wants_tick() const { return waiting_lanes_ > 0; }

  struct Ask {
    NodeId to;
    PartitionId partition;
    std::uint64_t id;
    std::uint64_t life;
    std::uint64_t route;
    std::uint64_t index;  ///< in its route
    command::Command command;
  };
  std::vector<Ask> take_asks() { return std::exchange(asks_, {}); }
  std::vector<std::pair<Answered, command::Answer>> take_answers() { return std::exchange(answers_, {}); }
  bool has_output() const { return !asks_.empty() || !answers_.empty(); }

  std::size_t open() const { return open_; }
  std::uint64_t asked_again() const { return asked_again_; }

 private:
  struct Open {
    command::Command command;
    Answered then;
    SteadyTime since;
    bool client;
  };
  struct Lane {
    NodeId primary;
    Epoch epoch;
    std::uint64_t route = 0;
    std::uint64_t next_index = 0;
    bool waits = false;
    SteadyTime again_at{};
    SteadyTime quiet_since{};            ///< asked, and heard nothing
    std::chrono::milliseconds patience;  ///< how long that may be
    std::map<std::uint64_t, Open> open;  ///< by id: in order
    std::size_t clients = 0;
  };

  PartitionId partition_of_ask(std::uint64_t id) const { return PartitionId(static_cast<std::uint16_t>(id)); }
  bool reaches(const Lane& lane) const;
  void send(PartitionId partition, Lane& lane, std::uint64_t id, const Open& open);
  void wait(Lane& lane, std::chrono::milliseconds time);
  void go_on(PartitionId partition, Lane& lane);
  void finish(Lane& lane, std::map<std::uint64_t, Open>::iterator at, command::Answer answer);

  const NodeId self_;
  const Options options_;
  const std::uint64_t life_;
  std::uint64_t next_route_ = 1;
  std::uint64_t next_id_;  ///< from anywhere on: an answer to an earlier life is not to be taken for one to this
  SteadyTime now_{};
  std::vector<Lane> lanes_;
  std::map<NodeId, bool> links_;
  std::size_t waiting_lanes_ = 0;
  std::size_t open_ = 0;
  std::uint64_t asked_again_ = 0;
  std::vector<Ask> asks_;
  std::vector<std::pair<Answered, command::Answer>> answers_;
};

/// At the asked: how far each asker's present route has come.
///
/// Owned by Worker, for its partitions. Grows with (asking workers x partitions).
class Routes {
 public:
  struct From {
    NodeId node;
    std::uint32_t worker;
    PartitionId partition;
    friend auto operator<=>(const From&, const From&) = default;
  };
  /// True if it is the next of its route, and nothing of that was refused. Otherwise the rest of the route is refused.
  bool takes(const From& from, std::uint64_t life, std::uint64_t route, std::uint64_t index) {
    Route& known = routes_[from];
    if (life != known.life) known = {life, 0, 0, false};
    if (route < known.route) return false;
    if (route > known.route) known = {life, route, 0, false};
    if (known.refused || index != known.next) known.refused = true;
    ++known.next;
    return !known.refused;
  }
  void refused(const From& from, std::uint64_t life, std::uint64_t route) {
    Route& known = routes_[from];
    if (life == known.life && route >= known.route) known = {life, route, 0, true};
  }

 private:
  struct Route {
    std::uint64_t life = 0;
    std::uint64_t route = 0;
    std::uint64_t next = 0;
    bool refused = false;
  };
  std::map<From, Route> routes_;
};

}  // namespace holdfast

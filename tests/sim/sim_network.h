/// The links between nodes, simulated as failover/io/peer_links.h promises them: each node dials each other, frames go out
/// on the connection that one dialled, in order, and are lost only with it. Urgent ones overtake what the sender's outbox
/// still has; and what went out on a lost connection may come after, or between, what is sent on the next.
///
/// A cut holds back what goes one way; TCP brings it when the cut heals within two seconds, otherwise the dialler gives
/// the connection up, though what it sent may have arrived. Owned by ClusterWorld. One thread.
#pragma once

#include <deque>
#include <memory>
#include <set>

#include "failover/in_sync_set.h"
#include "failover/link_down.h"
#include "proto/peer.pb.h"
#include "tests/sim/agenda.h"

namespace holdfast::sim {

class SimNetwork {
 public:
  using Frame = std::shared_ptr<const peer::Frame>;
  /// What the network knows of a node, and what it tells it.
  class End {
   public:
    virtual ~End() = default;
    virtual bool is_up() const = 0;  ///< its process is there, though perhaps frozen
    virtual bool is_frozen() const = 0;
    /// Refuses the other's Hello.
    virtual bool refuses(const End& other) const = 0;
    virtual void on_up(NodeId other) = 0;
    virtual void on_down(NodeId other, failover::LinkDown how) = 0;
    virtual void on_frame(const failover::Member& from, Frame frame) = 0;
    virtual failover::Member self() const = 0;  ///< of its present life
  };
  explicit SimNetwork(Agenda& agenda) : agenda_(agenda) {}

  Micros least{50}, most{400};  ///< of one way

  void add(NodeId node, End& end) { ends_[node] = &end; }
  const End& end(NodeId node) const { return *ends_.at(node); }
  void set_peers(NodeId node, const std::set<NodeId>& peers);
  void send(NodeId from, NodeId to, Frame frame);
  /// Its process ended: its connections end.
  void died(NodeId node);
  void cut(NodeId from, NodeId to);
  void heal(NodeId from, NodeId to);
  void heal_all();
  /// The connection that `from` dialled breaks, and with it what was under way.
  void reset(NodeId from, NodeId to);

  std::uint64_t frames() const { return frames_; }
  std::uint64_t losses() const { return losses_; }
  std::uint64_t overtaken() const { return overtaken_; }  ///< frames, by urgent ones

 private:
  struct Connection {
    failover::Member dialler;
    bool open = true;
    bool delivers = true;
    SteadyTime last{};        ///< arrival of the newest frame
    std::deque<Frame> queue;  ///< on their way, in order
    std::size_t stuck = 0;    ///< of those, whose time has come, and a cut holds them
  };
  struct Link {
    bool wanted = false, dialling = false;
    int failures = 0;
    std::uint64_t attempt = 0;
    std::shared_ptr<Connection> connection;  ///< null: it is down
  };
  using Pair = std::pair<NodeId, NodeId>;

  bool cut_between(const Pair& pair) const { return cuts_.contains(pair) || cuts_.contains({pair.second, pair.first}); }
  void dial(const Pair& pair);
  void again(const Pair& pair);
  void failed(const Pair& pair, std::uint64_t attempt, failover::LinkDown how);
  void greeted(const Pair& pair, std::uint64_t attempt);
  void lose(const Pair& pair, failover::LinkDown how, bool in_flight_too);
  void watch_cut(const Pair& pair);
  void enqueue(std::deque<Frame>& queue, Frame frame);
  void arrive(const Pair& pair, const std::shared_ptr<Connection>& connection);
  Micros one_way() { return agenda_.between(least, most); }

  Agenda& agenda_;
  std::map<NodeId, End*> ends_;
  std::map<Pair, Link> links_;
  std::map<Pair, std::uint64_t> cuts_;  ///< by direction; which cut it is
  std::uint64_t next_cut_ = 1;
  std::uint64_t frames_ = 0, losses_ = 0, overtaken_ = 0;
};

}  // namespace holdfast::sim

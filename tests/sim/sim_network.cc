#include "tests/sim/sim_network.h"

#include "failover/io/peer_frames.h"

namespace holdfast::sim {
namespace {

using failover::LinkDown;

constexpr Millis kConnectMax{1000}, kHandshakeMax{2000}, kUserTimeout{2000};

}  // namespace

void SimNetwork::set_peers(NodeId node, const std::set<NodeId>& peers) {
  for (auto& [pair, link] : links_)
    if (pair.first == node) link.wanted = peers.contains(pair.second);
  for (const NodeId peer : peers) {
    links_[{node, peer}].wanted = true;
    dial({node, peer});
  }
}

// ------------------------------------------------------------------------------------------------ dialling

void SimNetwork::dial(const Pair& pair) {
  Link& link = links_[pair];
  if (!link.wanted || link.dialling || link.connection || !ends_.at(pair.first)->is_up()) return;
  link.dialling = true;
  const std::uint64_t attempt = ++link.attempt;
  if (cut_between(pair)) {
    agenda_.after(kConnectMax, [this, pair, attempt] { failed(pair, attempt, LinkDown::timed_out); });
    return;
  }
  agenda_.after(one_way() + one_way(), [this, pair, attempt] {
    const auto other = ends_.find(pair.second);
    if (other == ends_.end() || !other->second->is_up()) return failed(pair, attempt, LinkDown::refused);
    if (cut_between(pair) || other->second->is_frozen()) {
      agenda_.after(kHandshakeMax, [this, pair, attempt] { failed(pair, attempt, LinkDown::timed_out); });
      return;
    }
    greeted(pair, attempt);
  });
}

void SimNetwork::again(const Pair& pair) {
  Link& link = links_[pair];
  const Millis delay(link.failures == 0 ? 0 : std::min(20 << std::min(link.failures - 1, 10), 1000));
  ++link.failures;
  agenda_.after(delay / 2 + agenda_.between(Micros(0), delay / 2), [this, pair] { dial(pair); });
}

void SimNetwork::failed(const Pair& pair, std::uint64_t attempt, LinkDown how) {
  Link& link = links_[pair];
  if (attempt != link.attempt || !link.dialling) return;
  link.dialling = false;
  if (!ends_.at(pair.first)->is_up() || !link.wanted) return;
  ends_.at(pair.first)->on_down(pair.second, how);
  again(pair);
}

void SimNetwork::greeted(const Pair& pair, std::uint64_t attempt) {
  Link& link = links_[pair];
  if (attempt != link.attempt || !link.dialling) return;
  link.dialling = false;
  End& dialler = *ends_.at(pair.first);
  if (!dialler.is_up() || !link.wanted) return;
  if (dialler.refuses(*ends_.at(pair.second))) return again(pair);
  link.failures = 0;
  link.connection = std::make_shared<Connection>();
  link.connection->dialler = dialler.self();
  dialler.on_up(pair.second);
  // Whoever is dialled dials back at once.
  const Pair back{pair.second, pair.first};
  if (const auto other = links_.find(back); other != links_.end() && !other->second.connection) {
    ++other->second.attempt;
    other->second.dialling = false;
    dial(back);
  }
}

// ------------------------------------------------------------------------------------------------ losing

void SimNetwork::lose(const Pair& pair, LinkDown how, bool in_flight_too) {
  Link& link = links_[pair];
  if (!link.connection) return;
  ++losses_;
  link.connection->open = false;
  if (in_flight_too) link.connection->delivers = false;
  link.connection.reset();
  if (!ends_.at(pair.first)->is_up()) return;
  ends_.at(pair.first)->on_down(pair.second, how);
  again(pair);
}

void SimNetwork::reset(NodeId from, NodeId to) { lose({from, to}, LinkDown::closed, agenda_.chance(50)); }

void SimNetwork::died(NodeId node) {
  for (auto& [pair, link] : links_) {
    if (pair.first == node) {
      ++link.attempt;
      link.dialling = link.wanted = false;
      link.failures = 0;
      if (!link.connection) continue;
      link.connection->open = false;
      if (agenda_.chance(50)) link.connection->delivers = false;
      link.connection.reset();
    } else if (pair.second == node && link.connection) {
      link.connection->delivers = false;
      if (cut_between(pair)) continue;  // the cut's end, or its patience, tells
      agenda_.after(one_way(), [this, of = pair, connection = link.connection] {
        if (links_[of].connection == connection) lose(of, LinkDown::closed, true);
      });
    }
  }
}

// ------------------------------------------------------------------------------------------------ cuts

void SimNetwork::cut(NodeId from, NodeId to) {
  if (!cuts_.emplace(Pair(from, to), next_cut_).second) return;
  ++next_cut_;
  watch_cut({from, to});
  watch_cut({to, from});
}

/// Nobody answers on the connection: after a while it is given up.
void SimNetwork::watch_cut(const Pair& pair) {
  const auto which = [this, pair] {
    const auto one = cuts_.find(pair);
    const auto other = cuts_.find({pair.second, pair.first});
    return std::pair(one == cuts_.end() ? 0 : one->second, other == cuts_.end() ? 0 : other->second);
  };
  const auto link = links_.find(pair);
  if (link == links_.end() || !link->second.connection) return;
  agenda_.after(kUserTimeout, [this, pair, which, before = which(), connection = link->second.connection] {
    const auto now = which();
    const bool lasting =
        (before.first != 0 && before.first == now.first) || (before.second != 0 && before.second == now.second);
    if (lasting && links_[pair].connection == connection) lose(pair, LinkDown::timed_out, false);
  });
}

void SimNetwork::heal(NodeId from, NodeId to) {
  if (cuts_.erase({from, to}) == 0) return;
  for (const Pair& pair : {Pair(from, to), Pair(to, from)}) {
    const auto at = links_.find(pair);
    if (at == links_.end() || !at->second.connection || cut_between(pair)) continue;
    const auto connection = at->second.connection;
    if (!connection->delivers) {  // the other end is another process by now
      agenda_.after(one_way(), [this, pair, connection] {
        if (links_[pair].connection == connection) lose(pair, LinkDown::closed, true);
      });
      continue;
    }
    for (auto stuck = std::exchange(connection->stuck, 0); stuck > 0; --stuck) arrive(pair, connection);
  }
}

void SimNetwork::heal_all() {
  for (const auto& [pair, which] : std::map(cuts_)) heal(pair.first, pair.second);
}

// ------------------------------------------------------------------------------------------------ frames

void SimNetwork::send(NodeId from, NodeId to, Frame frame) {
  const auto link = links_.find({from, to});
  if (link == links_.end() || !link->second.connection) return;
  ++frames_;
  enqueue(link->second.connection->queue, std::move(frame));
  arrive({from, to}, link->second.connection);
}

/// Where the outbox is longer than a chunk, as PeerOutbox does it.
void SimNetwork::enqueue(std::deque<Frame>& queue, Frame frame) {
  auto at = queue.end();
  if (failover::is_urgent(*frame) && agenda_.chance(30)) {
    for (; at != queue.begin() && !failover::is_urgent(**std::prev(at)); --at) ++overtaken_;
  }
  queue.insert(at, std::move(frame));
}

/// One more of what is on its way arrives: the next in order.
void SimNetwork::arrive(const Pair& pair, const std::shared_ptr<Connection>& connection) {
  const SteadyTime at = std::max(connection->last, agenda_.now() + one_way());
  connection->last = at;
  agenda_.after(std::chrono::duration_cast<Micros>(at - agenda_.now()), [this, pair, connection] {
    if (!connection->delivers) return;
    if (cuts_.contains(pair)) {
      connection->open ? static_cast<void>(++connection->stuck) : static_cast<void>(connection->delivers = false);
      return;
    }
    const Frame frame = std::move(connection->queue.front());
    connection->queue.pop_front();
    End& end = *ends_.at(pair.second);
    if (end.is_up()) end.on_frame(connection->dialler, frame);
  });
}

}  // namespace holdfast::sim

#include "tests/sim/app_connection.h"

#include "server/services/flows.h"

namespace holdfast::sim {
namespace {

constexpr Millis kTick{100}, kLookAgain{5}, kLeaveAfter{5'000};
constexpr Micros kLeast{50}, kMost{2'000};  ///< of one way

}  // namespace

AppConnection::AppConnection(Agenda& agenda, SimNode& node, std::uint16_t door, Front& front, std::string address,
                             End end)
    : agenda_(agenda),
      node_(node),
      door_(door),
      front_(front),
      address_(std::move(address)),
      end_(std::move(end)),
      machine_(&node.node()) {}

AppConnection::~AppConnection() = default;

// ------------------------------------------------------------------------------------------------ the network

void AppConnection::travel(SteadyTime& last, std::function<void()> what) {
  const SteadyTime there = std::max({agenda_.now() + agenda_.between(kLeast, kMost), last, stalled_until_});
  last = there;
  agenda_.after(std::chrono::duration_cast<Micros>(there - agenda_.now()),
                [self = shared_from_this(), what = std::move(what)] { what(); });
}

/// While the node is frozen it waits in its sockets.
void AppConnection::at_node(std::function<void()> what) {
  if (!is_alive()) return;
  if (!node_.is_frozen()) return what();
  agenda_.after(kLookAgain, [self = shared_from_this(), what = std::move(what)] { self->at_node(what); });
}

void AppConnection::open() {
  travel(to_node_, [this] {
    alive_ = node_.is_up() && machine_ == &node_.node();
    life_ = node_.life();
    if (alive_) at_node([this] { accept(); });
    travel(to_app_, [this, accepted = alive_] {
      if (closed_) return;
      opened_ = accepted;
      if (accepted) return end_.on_open();
      closed_ = true;
      end_.on_lost("refused");
    });
  });
}

void AppConnection::write(std::string bytes) {
  if (closed_ || bytes.empty()) return;
  travel(to_node_, [this, bytes = std::move(bytes)] {
    at_node([this, bytes] {
      unfed_ += bytes;
      feed();
    });
  });
}

void AppConnection::close() {
  if (std::exchange(closed_, true)) return;
  travel(to_node_, [this] {
    at_node([this] {
      if (session_) session_->leave();
      alive_ = false;
      machine_->disconnect(ref_);
    });
  });
}

void AppConnection::node_died(bool told) {
  if (!std::exchange(alive_, false)) return;
  if (!told) return;
  travel(to_app_, [this] {
    if (std::exchange(closed_, true)) return;
    end_.on_lost("reset");
  });
}

// ------------------------------------------------------------------------------------------------ the node's end

void AppConnection::accept() {
  ref_ = machine_->connect(door_, [weak = weak_from_this()](chat::Delivery delivery) {
    const auto self = weak.lock();
    if (!self || !self->is_served()) return;
    self->session_->on_delivery(std::move(delivery));
    self->flush();
  });
  session_.emplace(gateway::SessionParts{front_.session, front_.user, *this, *this, front_.admission, front_.counters},
                   ref_, address_, node_.steady());
  tick();
}

void AppConnection::tick() {
  if (!is_alive()) return;
  if (is_served() && !node_.is_frozen()) {
    session_->tick(node_.steady());
    session_->tell_endpoints();
    feed();
  }
  agenda_.after(kTick, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tick();
  });
}

void AppConnection::feed() {
  if (!is_served()) return;
  std::string_view bytes = unfed_;
  session_->on_bytes(node_.steady());
  while (session_->can_take(node_.steady())) {
    const auto next = decoder_.next(bytes);
    HF_CHECK(next, "the library writes whole frames");
    if (!*next) break;
    session_->on_frame(**next, node_.steady());
  }
  unfed_.erase(0, unfed_.size() - bytes.size());
  flush();
}

void AppConnection::flush() {
  gateway::Outbox& outbox = session_->outbox();
  while (!outbox.empty()) {
    const std::string_view bytes = outbox.bytes().substr(0, 1 + agenda_.random().below(2'000));
    travel(to_app_, [this, sent = std::string(bytes)] {
      if (!closed_) end_.on_bytes(sent);
    });
    outbox.took(bytes.size());
  }
  session_->settle_credit();
  if (!session_->is_over()) return;
  alive_ = false;
  machine_->disconnect(ref_);
  travel(to_app_, [this] {
    if (!std::exchange(closed_, true)) end_.on_lost("closed");
  });
}

void AppConnection::reattach(PartitionId partition) {
  if (!is_served()) return;
  session_->reattach(partition, node_.steady());
  flush();
}

std::vector<gateway::NodeEndpoint> AppConnection::nodes_for_clients() const {
  std::vector<gateway::NodeEndpoint> nodes;
  const failover::ClusterView& view = node_.controller().view();
  for (const auto& [id, entry] : view.nodes()) {
    const auto member = view.members().find(id);
    const bool leaves = member != view.members().end() && member->second.row.draining();
    nodes.push_back({id, entry.row.client_address(), leaves ? 0U : 1U});
  }
  return nodes;
}

std::vector<std::string> AppConnection::endpoints_of(const SessionId& session) const {
  std::vector<std::string> addresses;
  if (!node_.is_up()) return addresses;
  for (gateway::NodeEndpoint& one : rank_endpoints(session, nodes_for_clients())) addresses.push_back(one.address);
  return addresses;
}

void AppConnection::ask_to_move(Millis delay) {
  if (!is_served() || node_.is_frozen() || !session_->may_be_moved()) return;
  std::vector<gateway::NodeEndpoint> others = nodes_for_clients();
  std::erase_if(others, [this](const auto& one) { return one.id == node_.id(); });
  std::vector<std::string> targets;
  for (gateway::NodeEndpoint& one : rank_endpoints(session_->session_id(), others)) targets.push_back(one.address);
  if (targets.empty()) return;
  session_->move(targets, delay, node_.steady() + delay + kLeaveAfter);
  flush();
}

// ------------------------------------------------------------------------------------------------ what a session asks

/// Pushes what the node has to say by itself, as long as there is a session.
std::function<void(v1::ServerFrame)> AppConnection::push() {
  return [weak = weak_from_this()](const v1::ServerFrame& frame) {
    const auto self = weak.lock();
    if (!self || !self->is_served()) return;
    self->session_->on_push(frame);
    self->flush();
  };
}

void AppConnection::run(std::uint64_t, gateway::Ticket ticket, chat::Caller caller, v1::ClientFrame request) {
  services::run_request(
      machine_->backend(door_), std::move(caller), std::move(request),
      [weak = weak_from_this(), ticket](chat::RequestOutcome outcome) {
        const auto self = weak.lock();
        if (!self || !self->is_served()) return;
        self->session_->on_outcome(ticket, std::move(outcome), self->node_.steady());
        self->feed();
      },
      push());
}

void AppConnection::keep(std::uint64_t, UserId user, SessionId session) {
  chat::keep_session(machine_->backend(door_), user, session, push());
}

PartitionId AppConnection::partition_of_user(const UserId& user) const {
  return partition_of(user, machine_->backend(door_).partitions());
}

void AppConnection::attach(const chat::Attach& attach) {
  if (is_served()) machine_->attachments(door_).attach(attach);
}

void AppConnection::detach(const UserId& user, chat::ConnectionRef connection) {
  if (is_served()) machine_->attachments(door_).detach(user, connection);
}

void AppConnection::give_credit(const UserId& user, chat::ConnectionRef connection, std::uint64_t bytes) {
  if (is_served()) machine_->attachments(door_).give_credit(user, connection, bytes);
}

void AppConnection::watch_presence(chat::ConnectionRef watcher, const std::vector<UserId>& users) {
  if (is_served()) machine_->attachments(door_).watch_presence(watcher, users);
}

SteadyTime AppConnection::confirmed_at(PartitionId partition) const {
  return machine_->attachments(door_).confirmed_at(partition);
}

}  // namespace holdfast::sim

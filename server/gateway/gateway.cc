#include "server/gateway/gateway.h"

#include <boost/asio/post.hpp>
#include <limits>

#include "server/gateway/gateway_impl.h"
#include "server/services/flows.h"

namespace holdfast::gateway {
namespace {

constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::size_t kVisitsMin = 1'024;  ///< connections that a tick looks at; all of them in about ten ticks

std::uint64_t in_us(SteadyTime::duration time) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

}  // namespace

Gateway::Impl::Impl(GatewayOptions options, GatewayParts parts, any_io_executor executor, std::uint16_t worker)
    : options_(options),
      parts_(std::move(parts)),
      executor_(executor),
      worker_(worker),
      read_buffer_(kReadBytes),
      timer_(executor),
      crowd_({.wait_max = options.accept_wait_max}),
      handshakes_(std::make_shared<Handshakes>(executor, options.handshakes_waiting_max)),
      tasks_(executor) {}

SessionParts Gateway::Impl::session_parts() {
  return {options_.session, options_.user, *this, parts_.attachments, parts_.admission, session_counters_};
}

Connection* Gateway::Impl::find(std::uint64_t id) {
  const auto at = connections_.find(id);
  return at == connections_.end() ? nullptr : at->second.get();
}

void Gateway::Impl::add(std::unique_ptr<Connection> connection) {
  auto& added = *connection;
  added.ring_index = ring_.size();
  ring_.push_back(&added);
  connections_.emplace(added.id(), std::move(connection));
  added.start();
}

Result<tcp::endpoint> Gateway::Impl::listen(const HostPort& where) {
  ListenOptions how;
  how.reuse_port = true;
  how.after_first_bytes = true;
  auto listener = Listener::open(executor_, where, how);
  if (!listener) return listener.error();
  auto& opened = *listeners_.emplace_back(std::move(*listener));
  tasks_.spawn("accept", opened.accept_loop([this](tcp::socket socket,
                                                   const tcp::endpoint& remote) { adopt(std::move(socket), remote); },
                                            [this](const Backlog& backlog) { return next_accepts(backlog); }));
  return opened.local();
}

// ------------------------------------------------------------------------------------------------ requests

void Gateway::Impl::run(std::uint64_t connection, Ticket ticket, chat::Caller caller, v1::ClientFrame request) {
  auto then = [weak = weak_from_this(), connection, ticket](chat::RequestOutcome outcome) {
    const auto self = weak.lock();
    auto* found = self ? self->find(connection) : nullptr;
    if (!found) return;
    found->session().on_outcome(ticket, std::move(outcome), self->now());
    self->mark_dirty(*found);
  };
  auto push = [weak = weak_from_this(), connection](const v1::ServerFrame& frame) {
    const auto self = weak.lock();
    auto* found = self ? self->find(connection) : nullptr;
    if (!found) return;
    found->session().on_push(frame);
    self->mark_dirty(*found);
  };
  services::run_request(parts_.backend, std::move(caller), std::move(request), std::move(then), std::move(push));
}

void Gateway::Impl::keep(std::uint64_t connection, UserId user, SessionId session) {
  chat::keep_session(parts_.backend, user, session,
                     [weak = weak_from_this(), connection](const v1::ServerFrame& frame) {
                       const auto self = weak.lock();
                       auto* found = self ? self->find(connection) : nullptr;
                       if (!found) return;
                       found->session().on_push(frame);
                       self->mark_dirty(*found);
                     });
}

PartitionId Gateway::Impl::partition_of_user(const UserId& user) const {
  return partition_of(user, parts_.backend.partitions());
}

void Gateway::Impl::deliver(std::vector<chat::Delivery> deliveries) {
  for (auto& delivery : deliveries) {
    const auto to = std::visit([](const auto& one) { return one.connection; }, delivery);
    auto* found = to.worker == worker_ ? find(connection_of(to)) : nullptr;
    if (!found) continue;
    found->session().on_delivery(std::move(delivery));
    mark_dirty(*found);
  }
}

// ------------------------------------------------------------------------------------------------ turns of the loop

void Gateway::Impl::mark_dirty(Connection& connection) {
  if (connection.in_dirty || connection.is_closed()) return;
  connection.in_dirty = true;
  dirty_.push_back(&connection);
  schedule_flush();
}

void Gateway::Impl::schedule_flush() {
  if (flush_posted_) return;
  flush_posted_ = true;
  boost::asio::post(executor_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->flush_dirty();
  });
}

void Gateway::Impl::flush_dirty() {
  flush_posted_ = false;
  flushing_.swap(dirty_);  // flushing makes others dirty, and the same again
  for (auto* connection : flushing_) {
    connection->in_dirty = false;
    if (!connection->is_closed()) connection->flush();
  }
  flushing_.clear();
  reap();
}

void Gateway::Impl::mark_paused(Connection& connection) {
  if (connection.in_paused) return;
  connection.in_paused = true;
  paused_.push_back(&connection);
}

/// Flushing resumes most; this is for those who wait for time to go by or a partition to confirm.
void Gateway::Impl::resume_paused() {
  resuming_.swap(paused_);
  for (auto* connection : resuming_) {
    connection->in_paused = false;
    if (connection->is_closed()) continue;
    connection->resume();
    if (!connection->is_closed() && !connection->session().can_take(now())) mark_paused(*connection);
  }
  resuming_.clear();
}

void Gateway::Impl::on_closed(Connection& connection) {
  const auto at = connections_.find(connection.id());
  HF_CHECK(at != connections_.end(), "a connection closes once");
  closed_.push_back(std::move(at->second));
  connections_.erase(at);
  ring_[connection.ring_index] = ring_.back();
  ring_[connection.ring_index]->ring_index = connection.ring_index;
  ring_.pop_back();
  schedule_flush();  // which reaps
}

/// Destroys what has closed and is waited for by nobody. Only from the top of the loop: no caller is inside one.
void Gateway::Impl::reap() {
  if (!closed_.empty()) {
    const auto forget = [](std::vector<Connection*>& list) {
      std::erase_if(list, [](Connection* one) { return one->is_quiet(); });
    };
    forget(dirty_);
    forget(paused_);
    std::erase_if(closed_, [](const auto& one) { return one->is_quiet(); });
  }
  look_if_empty();
}

// ------------------------------------------------------------------------------------------------ time

void Gateway::Impl::start_timer() {
  timer_.expires_after(options_.tick);
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (!self || error) return;
    self->tick(self->now());
    self->start_timer();
  });
}

void Gateway::Impl::tick(SteadyTime at) {
  end_stopped_openings(at);
  visit_some(at);
  resume_paused();
  tell_some(at);
  move_some(at);
  stand_aside_some(at);
  if (draining_ && at >= draining_->deadline) {
    close_all();
    tasks_.cancel();  // handshakes that are stuck
  }
  reap();
}

void Gateway::Impl::visit_some(SteadyTime at) {
  auto visits = std::min(ring_.size(), std::max(kVisitsMin, ring_.size() / 10 + 1));
  while (visits-- > 0 && !ring_.empty()) {
    if (ring_next_ >= ring_.size()) ring_next_ = 0;
    auto* connection = ring_[ring_next_];
    connection->on_tick(at);
    if (!connection->is_closed()) ++ring_next_;  // else another one has taken its place
  }
}

void Gateway::Impl::end_stopped_openings(SteadyTime at) {
  for (auto& [id, opening] : openings_) {
    if (at - opening.since < options_.session.hello_max || !opening.stream->is_open()) continue;
    ++refused_.stopped;
    opening.stream->close();  // its coroutine wakes, and forgets it
  }
}

// ------------------------------------------------------------------------------------------------ the end

void Gateway::Impl::close_all() {
  while (!ring_.empty()) ring_.back()->close();
}

void Gateway::Impl::look_if_empty() {
  if (!draining_ || !draining_->empty) return;
  if (is_busy()) return;
  timer_.cancel();
  boost::asio::post(executor_, std::exchange(draining_->empty, nullptr));
}

bool Gateway::Impl::is_busy() const {
  return !connections_.empty() || !closed_.empty() || !openings_.empty() || tasks_.size() > 0;
}

void Gateway::Impl::stop() {
  timer_.cancel();
  for (auto& listener : listeners_) listener->close();
  close_all();
}

GatewayFigures Gateway::Impl::figures() const {
  GatewayFigures out;
  out.connections = connections_.size() + openings_.size();
  out.sessions = session_counters_.logged_in;
  out.connections_plain = spoken_.plain;
  out.connections_tls = spoken_.tls;
  out.connections_websocket = spoken_.websocket;
  out.frames_in = session_counters_.frames_in;
  out.bytes_in = wire_.bytes_in;
  out.bytes_out = wire_.bytes_out;
  out.frames_out = session_counters_.frames_out;
  out.writes = wire_.writes;
  out.requests = session_counters_.requests;
  out.held_back = session_counters_.held_back;
  out.rate_limited = session_counters_.rate_limited;
  out.refused_full = refused_.full;
  for (const auto& listener : listeners_) out.refused_full += listener->refused();
  out.refused_plaintext = refused_.plaintext;
  out.refused_garbage = refused_.garbage;
  out.refused_stopped = refused_.stopped;
  out.refused_tls = refused_.tls;
  out.refused_busy = refused_.busy;
  out.refused_gone = refused_.gone;
  out.waiting = crowd_.waiting();
  out.accept_us = in_us(crowd_.each());
  out.accept_wait_max_us = in_us(options_.accept_wait_max);
  out.handshakes_anew = secured_.anew;
  out.handshakes_resumed = secured_.resumed;
  out.handshakes_waiting = handshakes_->waiting();
  out.handshakes_waiting_max = options_.handshakes_waiting_max;
  out.dropped_slow = wire_.dropped_slow;
  out.dropped_idle = session_counters_.idle;
  return out;
}

Gateway::Gateway(GatewayOptions options, GatewayParts parts, any_io_executor executor, std::uint16_t worker)
    : impl_(std::make_shared<Impl>(options, std::move(parts), std::move(executor), worker)) {
  if (options.own_timer) impl_->start_timer();
}

Gateway::~Gateway() {
  impl_->stop();
  // A start that failed half-way, or a worker that hangs: the loop won't turn again, what waits in it points at us.
  // The process is about to end; leaving it all in place is the one thing that can't crash.
  if (impl_->is_busy()) new std::shared_ptr<Impl>(std::move(impl_));
}

Result<tcp::endpoint> Gateway::listen(const HostPort& where) { return impl_->listen(where); }
void Gateway::deliver(std::vector<chat::Delivery> deliveries) { impl_->deliver(std::move(deliveries)); }
void Gateway::drain(std::chrono::milliseconds retry_after, std::chrono::milliseconds deadline,
                    std::function<void()> empty) {
  DrainOptions options;
  options.retry_after = retry_after;
  options.deadline = deadline;
  impl_->drain(options, std::move(empty));
}
void Gateway::drain(DrainOptions options, std::function<void()> empty) { impl_->drain(options, std::move(empty)); }
void Gateway::stand_aside(bool aside) { impl_->stand_aside(aside); }
void Gateway::set_nodes(std::vector<NodeEndpoint> nodes, NodeId self) { impl_->set_nodes(std::move(nodes), self); }
void Gateway::reattach(PartitionId partition) { impl_->reattach(partition); }
void Gateway::tick(SteadyTime now) { impl_->tick(now); }
GatewayFigures Gateway::figures() const { return impl_->figures(); }

}  // namespace holdfast::gateway

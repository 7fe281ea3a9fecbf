#include "clients/cpp/client.h"

#include <utility>

#include "clients/cpp/client_core.h"
#include "clients/cpp/link.h"

namespace holdfast::client {

// ------------------------------------------------------------------------------------------------ the driver

Client::Core::Core(ClientRuntime::Impl& shared, ClientOptions client_options, ClientEvents& events, SessionStore* store)
    : runtime(shared),
      trust(client_options.trust),
      source_address(client_options.source_address),
      tls_tickets(client_options.tls_tickets),
      machine(std::move(static_cast<MachineOptions&>(client_options)), events, shared.random, store) {}

Client::Core::~Core() {
  drop_all(false);
  runtime.forget(this, scheduled);
}

void Client::Core::drop(std::shared_ptr<Link>& which, bool write_first) {
  if (which) std::exchange(which, nullptr)->drop(write_first);
}

void Client::Core::drop_all(bool write_first) {
  drop(next, false);
  drop(link, write_first);
}

void Client::Core::carry_out(ClientMachine::Wish wish) {
  if (wish.switch_over) {
    drop(link, true);
    link = std::exchange(next, nullptr);
  }
  if (wish.close) drop_all(machine.state() == ClientMachine::State::ended);
  if (wish.close_next) drop(next, false);
  if (wish.open) {
    link = std::make_shared<Link>(*this, *wish.open, wish.time_max);
    runtime.tasks.spawn("client connection", Link::run(link));
  }
  if (wish.open_next) {
    next = std::make_shared<Link>(*this, *wish.open_next, wish.next_time_max);
    runtime.tasks.spawn("client connection", Link::run(next));
  }
}

void Client::Core::after() {
  carry_out(machine.take_wish());
  if (!std::exchange(dirty, true)) runtime.flush_soon(this);
}

void Client::Core::on_deadline(SteadyTime at) {
  scheduled = SteadyTime::max();
  // Deadlines that lie close together are served together, so the clock may stand a little before this one.
  machine.tick(std::max(at, steady_now()));
  after();
}

void Client::Core::on_turn_end() {
  dirty = false;
  machine.flush(steady_now());
  carry_out(machine.take_wish());
  if (link) link->write();
  if (next) next->write();
  runtime.schedule(this, scheduled, machine.next_deadline());
}

std::string& Client::Core::output_of(const Link& which) {
  return &which == next.get() ? machine.next_output() : machine.output();
}

void Client::Core::on_open(const Link& from) {
  if (&from == next.get())
    machine.next_open();
  else
    machine.connection_open(steady_now());
  after();
}

void Client::Core::on_lost(const Link& from, std::string reason, std::chrono::milliseconds retry_after) {
  if (&from == next.get()) {
    drop(next, false);
    machine.next_lost(steady_now(), retry_after);
  } else {
    drop(link, false);
    machine.connection_lost(steady_now(), std::move(reason), retry_after);
  }
  after();
}

bool Client::Core::on_payload(const Link& from, SteadyTime now, std::string_view payload) {
  if (&from == next.get())
    machine.next_receive(now, payload);
  else
    machine.receive(now, payload);
  carry_out(machine.take_wish());
  return &from == link.get() || &from == next.get();
}

// ------------------------------------------------------------------------------------------------ the face

Client::Client(ClientRuntime& runtime, ClientOptions options, ClientEvents& events, SessionStore* store)
    : core_(std::make_unique<Core>(runtime.impl(), std::move(options), events, store)) {}

Client::~Client() {
  core_->machine.leave(steady_now());
  core_->drop_all(true);
}

void Client::start() {
  core_->machine.start(steady_now());
  core_->after();
}

void Client::close() {
  core_->machine.stop(steady_now());
  core_->after();
}

Status Client::send(const ConversationId& conversation, std::string body, SendCallback done, ask::PostOptions options) {
  v1::ClientFrame frame = ask::post(conversation, std::move(body), std::move(options));
  auto taken = core_->machine.send(steady_now(), frame, std::move(done));
  if (taken) core_->after();
  return taken;
}

void Client::request(v1::ClientFrame frame, ReplyCallback done, std::optional<std::chrono::milliseconds> time_max) {
  core_->machine.request(steady_now(), std::move(frame), std::move(done), time_max);
  core_->after();
}

void Client::cast(v1::ClientFrame frame) {
  core_->machine.cast(steady_now(), std::move(frame));
  core_->after();
}

void Client::log_out(ReplyCallback done) {
  v1::ClientFrame frame;
  frame.mutable_log_out();
  request(std::move(frame), [core = core_.get(), done = std::move(done)](const Reply& reply) {
    if (done) done(reply);
    if (reply.ok()) core->machine.logged_out(steady_now());
  });
}

void Client::stored(std::uint64_t position) {
  core_->machine.stored(steady_now(), position);
  core_->after();
}

void Client::set_in_use(bool in_use) {
  core_->machine.set_in_use(steady_now(), in_use);
  core_->after();
}

bool Client::online() const { return core_->machine.online(); }
const SessionInfo& Client::session() const { return core_->machine.session(); }
WallTime Client::server_now() const { return core_->machine.server_now(steady_now()); }
std::size_t Client::outbox_size() const { return core_->machine.outbox_size(); }
std::uint64_t Client::logins() const { return core_->machine.logins(); }
std::uint64_t Client::resumes() const { return core_->machine.resumes(); }
Endpoint Client::endpoint() const { return core_->machine.endpoint(); }
bool Client::tls_resumed() const { return core_->link && core_->link->tls_resumed(); }

}  // namespace holdfast::client

#include "server/gateway/session.h"

#include <algorithm>

#include "base/version.h"
#include "server/gateway/operations.h"

namespace holdfast::gateway {
namespace {

using Frame = v1::ClientFrame;

constexpr std::uint32_t kProtocol = 1;
constexpr std::size_t kClientBytesMax = 128;
constexpr std::uint32_t kRefusedMax = 256;  ///< frames over the rate that are still answered, between two ticks
constexpr std::chrono::seconds kPartingMax{5};
constexpr std::chrono::hours kKeepEvery{24};
constexpr std::chrono::seconds kSettledAfter{2};
constexpr std::chrono::seconds kTypingEvery{3};  ///< the same said again within this is not passed on

}  // namespace

Session::Session(SessionParts parts, chat::ConnectionRef self, std::string peer_address, SteadyTime accepted)
    : parts_(parts),
      id_(self.connection),
      self_(self),
      accepted_at_(accepted),
      peer_address_(std::move(peer_address)),
      heard_at_(accepted) {}

Session::~Session() { leave(); }

void Session::leave() {
  phase_ = Phase::over;
  if (!caller_.user) return;
  parts_.attachments.detach(*caller_.user, self_);
  --parts_.counters.logged_in;
  caller_.user.reset();
  user_rate_.reset();
}

// ------------------------------------------------------------------------------------------------ taking frames

bool Session::can_take(SteadyTime now) {
  if (phase_ == Phase::over || draining_ || ending_ || logging_in_ || refused_much_) return false;
  if (weight_ >= parts_.options.requests_max || outbox_.size() >= parts_.options.output_bytes_max) return false;
  return is_confirmed(now);
}

bool Session::is_confirmed(SteadyTime now) {
  if (!caller_.user) return true;
  const bool confirmed = now - parts_.attachments.confirmed_at(partition_) <= parts_.options.confirm_max;
  if (!confirmed && !held_back_) ++parts_.counters.held_back;
  held_back_ = !confirmed;
  return confirmed;
}

void Session::on_frame(std::string_view bytes, SteadyTime now) {
  HF_CHECK(phase_ != Phase::over, "nothing is fed to a session that is over");
  ++parts_.counters.frames_in;
  heard_at_ = now;
  Frame frame;
  if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(v1::INVALID_ARGUMENT, "not a ClientFrame");
  }
  if (phase_ == Phase::hello) return on_hello(frame);
  const auto op = frame.operation_case();
  if (const auto wait = over_rate(bytes.size(), op != Frame::kPing, now)) {
    ++parts_.counters.rate_limited;
    refused_much_ = ++refused_ >= kRefusedMax;
    return answer_error(frame.request_id(), v1::RATE_LIMITED, "too fast", *wait);
  }
  switch (op) {
    case Frame::kPing: {
      v1::ServerFrame pong;
      pong.set_request_id(frame.request_id());
      pong.mutable_pong()->set_server_time_ms(to_ms(parts_.host.wall_now()));
      return frame.request_id() ? outbox_.add(pong) : void();
    }
    case Frame::kHello: return answer_error(frame.request_id(), v1::PRECONDITION_FAILED, "Hello was said already");
    case Frame::kOperatorLogIn: return on_operator_login(frame);
    case Frame::OPERATION_NOT_SET:
      return answer_error(frame.request_id(), v1::UNSUPPORTED, "an operation that this server does not know");
    case Frame::kSetTyping: {
      if (!is_told_already(frame.set_typing(), now)) return on_request(std::move(frame));
      v1::ServerFrame done;
      done.set_request_id(frame.request_id());
      done.mutable_done();
      return frame.request_id() ? outbox_.add(done) : void();
    }
    default: return on_request(std::move(frame));
  }
}

void Session::on_broken_framing(const Error& error) {
  fail(error.code == Errc::too_large ? v1::TOO_LARGE : v1::INVALID_ARGUMENT, error.message);
}

std::optional<std::chrono::milliseconds> Session::over_rate(std::size_t bytes, bool is_request, SteadyTime now) {
  const auto check = [&](auto& frames, auto& size, auto& requests, const Rates& rates) {
    auto wait = frames.take(now, 1, rates.frames_per_s);
    if (wait.count() == 0) wait = size.take(now, bytes, rates.bytes_per_s);
    if (wait.count() == 0 && is_request) wait = requests.take(now, 1, rates.requests_per_s);
    return wait;
  };
  auto wait = check(frames_, bytes_, requests_, parts_.options.connection);
  if (wait.count() == 0 && user_rate_) {
    wait = check(user_rate_->frames, user_rate_->bytes, user_rate_->requests, parts_.user_rates);
  }
  if (wait.count() == 0) return std::nullopt;
  return wait;
}

void Session::on_hello(const Frame& frame) {
  if (!frame.has_hello()) return fail(v1::UNSUPPORTED, "a connection begins with Hello");
  const auto& hello = frame.hello();
  if (hello.client().size() > kClientBytesMax) return fail(v1::INVALID_ARGUMENT, "client: up to 128 bytes");
  if (hello.protocol_min() > kProtocol || hello.protocol_max() < kProtocol) {
    return fail(v1::UNSUPPORTED, "this server speaks protocol version 1");
  }
  phase_ = Phase::open;
  v1::ServerFrame answer;
  answer.set_request_id(frame.request_id());
  auto& reply = *answer.mutable_hello();
  reply.set_protocol(kProtocol);
  reply.set_server("holdfast " + std::string(kVersion));
  reply.set_server_time_ms(to_ms(parts_.host.wall_now()));
  reply.set_frame_bytes_max(parts_.options.frame_bytes_max);
  reply.set_keepalive_s(static_cast<std::uint32_t>(parts_.options.keepalive.count()));
  outbox_.add(answer);
}

void Session::on_operator_login(const Frame& frame) {
  const auto now = parts_.host.wall_now();
  if (const auto wait = parts_.admission.login_wait(peer_address_, now); wait.count() > 0) {
    return answer_error(frame.request_id(), v1::LOGIN_LOCKED, "too many failed log-ins from this address", wait);
  }
  if (!parts_.admission.is_operator_key(frame.operator_log_in().key())) {
    parts_.admission.login_failed(peer_address_, now);
    return answer_error(frame.request_id(), v1::WRONG_CREDENTIALS, "not the operator key");
  }
  caller_.operator_rights = true;
  if (frame.request_id() == 0) return;
  v1::ServerFrame done;
  done.set_request_id(frame.request_id());
  done.mutable_done();
  outbox_.add(done);
}

bool Session::is_told_already(const v1::SetTyping& typing, SteadyTime now) {
  if (!caller_.user) return false;
  const bool same = typing_in_ == typing.conversation_id() && typing_told_ == typing.typing();
  if (same && now - typing_at_ < kTypingEvery) return true;
  typing_in_ = typing.conversation_id();
  typing_told_ = typing.typing();
  typing_at_ = now;
  return false;
}

void Session::on_request(Frame frame) {
  const auto op = frame.operation_case();
  if (caller_.user && heard_at_ - kept_at_ >= kSettledAfter) parts_.counters.settled_at = heard_at_;
  if (tries_password(op)) {
    const auto wait = parts_.admission.login_wait(peer_address_, parts_.host.wall_now());
    if (wait.count() > 0) {
      return answer_error(frame.request_id(), v1::LOGIN_LOCKED, "too many failed log-ins from this address", wait);
    }
  }
  const Ticket ticket{op, frame.request_id()};
  weight_ += weight_of(op);
  logging_in_ = is_login(op);
  if (may_part(op)) ++parting_;
  ++parts_.counters.requests;
  chat::Caller caller = caller_;
  if (!caller.user || caller.operator_rights || tries_password(op))
    caller.peer_address = peer_address_;                              // the others need no copy of it
  parts_.host.run(id_, ticket, std::move(caller), std::move(frame));  // may answer from within
}

// ------------------------------------------------------------------------------------------------ answers

void Session::on_outcome(const Ticket& ticket, chat::RequestOutcome outcome, SteadyTime now) {
  HF_CHECK(weight_ >= weight_of(ticket.operation), "a request is answered once");
  weight_ -= weight_of(ticket.operation);
  if (is_login(ticket.operation)) logging_in_ = false;
  if (may_part(ticket.operation)) --parting_;
  if (phase_ == Phase::over) return;
  outcome.frame.set_request_id(ticket.request_id);
  if (outcome.logged_in && outcome.frame.has_session()) {
    add_endpoints(outcome.logged_in->session, *outcome.frame.mutable_session());
  }
  // A log-in is answered whatever its id: without the token it would be of no use.
  if (ticket.request_id != 0 || outcome.logged_in) outbox_.add(outcome.frame);
  if (outcome.logged_in) log_in(*outcome.logged_in, now);
  after_answer(ticket, outcome.frame, now);
}

void Session::after_answer(const Ticket& ticket, const v1::ServerFrame& frame, SteadyTime now) {
  if (frame.has_error()) {
    if (ticket.operation == Frame::kSetTyping) typing_in_.clear();  // nobody was told
    if (frame.error().code() == v1::WRONG_CREDENTIALS && tries_password(ticket.operation)) {
      parts_.admission.login_failed(peer_address_, parts_.host.wall_now());
    }
  } else if (ticket.operation == Frame::kLogOut && caller_.user) {
    if (!ending_) ending_ = chat::EndConnection{self_, v1::SESSION_ENDED, "logged out"};
  } else if (ticket.operation == Frame::kWatchPresence && frame.has_presence()) {
    watch(frame.presence(), now);
  }
  finish_if_idle();
}

void Session::log_in(const chat::LoggedIn& who, SteadyTime now) {
  HF_CHECK(!caller_.user, "a connection has one session");
  caller_.user = who.user;
  caller_.session = who.session;
  caller_.username = who.username;
  user_rate_ = parts_.admission.rate_of(who.user);
  partition_ = parts_.host.partition_of_user(who.user);
  kept_at_ = now;
  ++parts_.counters.logged_in;
  std::uint64_t after = who.cursor;
  const bool gap = who.inbox_first > 0 && after < who.inbox_first - 1;
  if (gap) after = who.inbox_first - 1;
  v1::ServerFrame news;
  if (who.reset_to != 0) {
    news.mutable_history_reset()->set_generation(who.reset_to);
    news.mutable_history_reset()->set_resumed_at(after);
    outbox_.add(news);
  } else if (gap) {
    news.mutable_history_gap()->set_resumed_at(after);
    outbox_.add(news);
  }
  delivered_ = after;
  attach(parts_.options.inbox_credit_bytes);
}

void Session::attach(std::uint64_t credit_bytes) {
  parts_.attachments.attach({*caller_.user, caller_.session, self_, delivered_, credit_bytes});
}

void Session::on_push(const v1::ServerFrame& frame) {
  if (phase_ == Phase::open) outbox_.add(frame);
}

void Session::answer_error(std::uint64_t request_id, v1::ErrorCode code, std::string message,
                           std::chrono::milliseconds retry_after) {
  if (request_id == 0) return;  // the client wants no answer
  v1::ServerFrame frame;
  frame.set_request_id(request_id);
  auto& error = *frame.mutable_error();
  error.set_code(code);
  error.set_message(std::move(message));
  error.set_retry_after_ms(static_cast<std::uint64_t>(retry_after.count()));
  outbox_.add(frame);
}

// ------------------------------------------------------------------------------------------------ deliveries

void Session::on_delivery(chat::Delivery delivery) {
  if (phase_ != Phase::open || !caller_.user) return;
  if (const auto* inbox = std::get_if<chat::DeliverInbox>(&delivery)) return on_inbox(*inbox);
  if (const auto* frame = std::get_if<chat::DeliverFrame>(&delivery)) {
    // Typing, presence and the like: of no use to a client that is behind.
    if (outbox_.size() < parts_.options.output_bytes_max) outbox_.add(frame->frame, false);
    return;
  }
  end_by(std::get<chat::EndConnection>(delivery));
}

void Session::on_inbox(const chat::DeliverInbox& inbox) {
  if (inbox.connection.connection != self_.connection) return;  // of a former registration
  if (inbox.position <= delivered_) {
    credit_ += inbox.frame.size();
    return;
  }
  delivered_ = inbox.position;
  owed_ += inbox.frame.size();
  outbox_.add(inbox.frame, true);
}

void Session::settle_credit() {
  parts_.counters.frames_out += outbox_.take_frames();
  const auto taken = outbox_.take_credit();
  owed_ -= taken;
  credit_ += taken;
  // In quarters: a message to the partition for every frame would cost more than the frame.
  if (credit_ < parts_.options.inbox_credit_bytes / 4 || !caller_.user) return;
  parts_.attachments.give_credit(*caller_.user, self_, std::exchange(credit_, 0));
}

void Session::end_by(const chat::EndConnection& end) {
  if (!ending_) ending_ = end;
  finish_if_idle();
}

void Session::finish_if_idle() {
  if (phase_ == Phase::over) return;
  if (ending_ && parting_ == 0) {
    v1::ServerFrame frame;
    frame.mutable_session_ended()->set_code(ending_->code);
    frame.mutable_session_ended()->set_reason(ending_->reason);
    outbox_.add(frame);
    return leave();
  }
  if (draining_ && weight_ == 0) say_goodbye("draining", *draining_);
}

// ------------------------------------------------------------------------------------------------ time and ends

void Session::tick(SteadyTime now) {
  refused_ = 0;
  refused_much_ = false;
  if (phase_ == Phase::over) return;
  if (phase_ == Phase::hello && now - accepted_at_ >= parts_.options.hello_max) {
    return fail(v1::INVALID_ARGUMENT, "no Hello in time");
  }
  const bool known = caller_.user || caller_.operator_rights;
  if (!known && !logging_in_ && now - accepted_at_ >= parts_.options.login_max) {
    ++parts_.counters.idle;
    return say_goodbye("idle", {});
  }
  if (!can_take(now)) heard_at_ = now;  // we don't listen: that is not the client's silence
  if (now - heard_at_ >= 2 * parts_.options.keepalive) {
    ++parts_.counters.idle;
    return say_goodbye("idle", {});
  }
  if (ending_ && !ending_at_) ending_at_ = now;
  if (ending_ && now - *ending_at_ >= kPartingMax) {
    parting_ = 0;
    return finish_if_idle();
  }
  if (caller_.user && now - kept_at_ >= kKeepEvery) {
    kept_at_ = now;
    parts_.host.keep(id_, *caller_.user, caller_.session);
  }
  if (!watched_.empty()) watch_again(now);
  if (leave_at_ && !draining_ && now >= *leave_at_) drain({});
}

void Session::drain(std::chrono::milliseconds retry_after) {
  if (phase_ == Phase::over) return;
  draining_ = retry_after;
  finish_if_idle();
}

void Session::say_goodbye(const char* reason, std::chrono::milliseconds retry_after) {
  if (phase_ == Phase::over) return;
  v1::ServerFrame frame;
  frame.mutable_goodbye()->set_reason(reason);
  frame.mutable_goodbye()->set_retry_after_ms(static_cast<std::uint64_t>(retry_after.count()));
  outbox_.add(frame);
  leave();
}

void Session::fail(v1::ErrorCode code, std::string message, std::chrono::milliseconds retry_after) {
  if (phase_ == Phase::over) return;
  v1::ServerFrame frame;
  frame.mutable_error()->set_code(code);
  frame.mutable_error()->set_message(std::move(message));
  frame.mutable_error()->set_retry_after_ms(static_cast<std::uint64_t>(retry_after.count()));
  outbox_.add(frame);
  leave();
}

}  // namespace holdfast::gateway

// ClientMachine: what comes in.
#include <google/protobuf/arena.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/uuid.h"
#include "clients/cpp/client_machine.h"

namespace holdfast::client {

using std::chrono::milliseconds;

namespace {
constexpr std::uint32_t kProtocol = 1;
constexpr milliseconds kConfirmMax{60'000};
constexpr milliseconds kAskAgainWaitMax{500};
constexpr unsigned kAsksAgainMax = 30;  ///< some five seconds of a partition without a primary
constexpr std::uint64_t kRetryAfterMaxMs = 3'600'000;

/// A frame to parse into, and the memory for it: one for all clients of a thread, so that thousands cost nothing and a
/// message takes no allocation for each of its parts. A receive() within a callback of another one gets its own.
class ScratchFrame {
 public:
  ScratchFrame() : arena_(nested_ ? nullptr : &shared_arena()), outermost_(!nested_) {
    nested_ = true;
    frame_ = google::protobuf::Arena::CreateMessage<v1::ServerFrame>(outermost_ ? arena_ : &own_);
  }
  ~ScratchFrame() {
    if (!outermost_) return;
    arena_->Reset();
    nested_ = false;
  }
  ScratchFrame(const ScratchFrame&) = delete;
  ScratchFrame& operator=(const ScratchFrame&) = delete;
  v1::ServerFrame& get() { return *frame_; }

 private:
  static google::protobuf::Arena& shared_arena() {
    alignas(8) static thread_local std::array<char, 32 * 1024> first_block;
    static thread_local google::protobuf::Arena arena([] {
      google::protobuf::ArenaOptions options;
      options.initial_block = first_block.data();
      options.initial_block_size = first_block.size();
      return options;
    }());
    return arena;
  }

  static thread_local bool nested_;
  google::protobuf::Arena own_;
  google::protobuf::Arena* arena_;
  bool outermost_;
  v1::ServerFrame* frame_;
};
thread_local bool ScratchFrame::nested_ = false;
}  // namespace

void ClientMachine::receive(SteadyTime now, std::string_view payload) {
  if (state_ != State::greeting && state_ != State::online) return;
  now_ = now;
  ScratchFrame scratch;
  v1::ServerFrame& frame = scratch.get();
  if (!frame.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
    return drop(now, "the server sent what is not a frame");
  liveness_->received(now);
  on_frame(now, frame);
  if (liveness_ && outbox_.in_flight() == 0 && requests_.in_flight() == 0) liveness_->settled();
}

void ClientMachine::on_frame(SteadyTime now, const v1::ServerFrame& frame) {
  const std::uint64_t id = frame.request_id();
  if (id == 0) return on_push(now, frame);
  if (id == hello_id_) {
    hello_id_ = 0;
    if (frame.has_hello()) return on_hello(now, frame.hello());
    return on_greeting_refused(now, frame.error(), false);
  }
  if (id == auth_id_) {
    auth_id_ = 0;
    if (frame.has_session()) return on_session(now, frame.session());
    if (frame.has_done()) return come_online(now, false);
    return on_greeting_refused(now, frame.error(), true);
  }
  on_answer(now, frame);
}

// ------------------------------------------------------------------------------------------------ greeting

void ClientMachine::say_hello(SteadyTime now) {
  hello_id_ = ++last_request_id_;
  write_frame(now, hello_frame(hello_id_), true);
  // A resume needs nothing from the answer: it goes along and saves a round trip.
  if (!token_.empty()) ask_to_resume(now);
}

void ClientMachine::ask_to_resume(SteadyTime now) {
  auth_id_ = ++last_request_id_;
  write_frame(now, resume_frame(auth_id_), true);
}

v1::ClientFrame ClientMachine::hello_frame(std::uint64_t request_id) const {
  v1::ClientFrame frame;
  frame.set_request_id(request_id);
  frame.mutable_hello()->set_protocol_min(kProtocol);
  frame.mutable_hello()->set_protocol_max(kProtocol);
  frame.mutable_hello()->set_client(options_.client_name);
  return frame;
}

v1::ClientFrame ClientMachine::resume_frame(std::uint64_t request_id) const {
  v1::ClientFrame frame;
  frame.set_request_id(request_id);
  frame.mutable_resume()->set_token(token_);
  frame.mutable_resume()->set_cursor(inbox_.delivered());
  frame.mutable_resume()->set_generation(generation_);
  return frame;
}

void ClientMachine::learn_time(SteadyTime now, const v1::HelloReply& hello) {
  server_time_ = from_ms(hello.server_time_ms());
  server_time_at_ = now;
  time_known_ = true;
  keepalive_ = std::chrono::seconds(hello.keepalive_s());
}

void ClientMachine::on_hello(SteadyTime now, const v1::HelloReply& hello) {
  learn_time(now, hello);
  liveness_->set_keepalive(keepalive_);
  if (auth_id_ == 0) ask_for_session(now);
}

v1::ClientFrame ClientMachine::session_request() const {
  v1::ClientFrame frame;
  if (const auto* login = std::get_if<LogInWith>(&options_.credentials)) {
    frame.mutable_log_in()->set_username(login->username);
    frame.mutable_log_in()->set_password(login->password);
    frame.mutable_log_in()->set_device_name(options_.device_name);
  } else if (const auto* registration = std::get_if<RegisterWith>(&options_.credentials)) {
    frame.mutable_register_()->set_username(registration->username);
    frame.mutable_register_()->set_password(registration->password);
    frame.mutable_register_()->set_email(registration->email);
    frame.mutable_register_()->set_device_name(options_.device_name);
  } else if (const auto* operator_key = std::get_if<OperatorWith>(&options_.credentials)) {
    frame.mutable_operator_log_in()->set_key(operator_key->key);
  }
  return frame;
}

void ClientMachine::ask_for_session(SteadyTime now) {
  ask_again_at_ = SteadyTime::max();
  if (!token_.empty()) return ask_to_resume(now);
  v1::ClientFrame frame = session_request();
  HF_CHECK(frame.operation_case() != v1::ClientFrame::OPERATION_NOT_SET, "there are credentials or a token");
  if (changes_something(frame)) {
    if (auth_idempotency_id_.empty()) auth_idempotency_id_ = make_uuid7(server_now(now), *random_).str();
    frame.set_idempotency_id(auth_idempotency_id_);
    try_deadline_ = now + options_.login_max;
  }
  auth_id_ = ++last_request_id_;
  frame.set_request_id(auth_id_);
  write_frame(now, frame, true);
}

void ClientMachine::on_session(SteadyTime now, const v1::SessionReply& reply) {
  const bool resumed = reply.token().empty();
  const UserId user = UserId::from_bytes(reply.user_id()).value_or(UserId());
  // What an ended session left unsent goes out in the new one, unless that is another user's.
  if (!session_.user.is_zero() && session_.user != user)
    while (auto answered = outbox_.fail_first(failed(Failure::Cause::closed, "another user logged in")))
      finish(std::move(answered));
  session_ = {reply.username(),
              user,
              SessionId::from_bytes(reply.session_id()).value_or(SessionId()),
              reply.cursor(),
              reply.inbox_head(),
              milliseconds(0)};
  learn_endpoints(now, reply.endpoints());
  if (resumed) {
    ++resumes_;
    inbox_.resumed(reply.cursor(), reply.inbox_head());
    // Another one than ours is taken with the HistoryReset that follows: not before the positions are of it.
    if (generation_ == 0) generation_ = reply.generation();
    if (std::exchange(handed_in_, false)) save();
  } else {
    ++logins_;
    token_ = reply.token();
    inbox_.start_at(reply.cursor());
    generation_ = reply.generation();
    auth_idempotency_id_.clear();
    save();
  }
  come_online(now, resumed);
}

void ClientMachine::come_online(SteadyTime now, bool resumed) {
  state_ = State::online;
  online_since_ = now;
  try_deadline_ = SteadyTime::max();
  last_error_.clear();
  if (lost_at_) session_.away = std::chrono::duration_cast<milliseconds>(now - *lost_at_);
  lost_at_.reset();
  if (resumed)
    events_->on_resumed(session_);
  else
    events_->on_connected(session_);
}

bool ClientMachine::ask_again_soon(SteadyTime now, const Failure& failure) {
  // A short wait means that the user's partition is changing its primary: any node would say the same, and a new
  // connection would only cost a handshake. A long one means that this node has too much to do.
  if (failure.code != v1::RETRY || failure.retry_after > kAskAgainWaitMax) return false;
  if (++asked_again_ > kAsksAgainMax) return false;
  ask_again_at_ = after_wait(now, failure.retry_after);
  try_deadline_ = ask_again_at_ + reconnect_.try_max();
  return true;
}

void ClientMachine::on_greeting_refused(SteadyTime now, const v1::Error& error, bool auth) {
  const Failure failure = refused(error);
  if (auth && ask_again_soon(now, failure)) return;
  if (is_transient(error.code())) {
    retry_after_ = failure.retry_after;
    return drop(now, failure.str());
  }
  const bool token_ended =
      auth && !token_.empty() && (error.code() == v1::SESSION_ENDED || error.code() == v1::TOKEN_SUPERSEDED);
  if (token_ended && std::holds_alternative<LogInWith>(options_.credentials)) {
    token_.clear();
    return ask_for_session(now);
  }
  end(failure, token_ended);
}

// ------------------------------------------------------------------------------------------------ answers

void ClientMachine::finish(std::optional<Outbox::Answered> answered) {
  if (answered->done)
    answered->done(answered->result);
  else
    events_->on_sent(answered->result);
}

void ClientMachine::on_answer(SteadyTime now, const v1::ServerFrame& frame) {
  if (frame.has_error()) return on_error(now, frame);
  if (frame.has_change()) {
    if (auto answered = outbox_.answered(frame.request_id(), frame.change())) {
      if (store_ != nullptr) save_at_ = std::min(save_at_, now + kSaveAfter);
      return finish(std::move(answered));
    }
  }
  if (auto done = requests_.take(frame.request_id()); done && *done) {
    Reply reply;
    reply.frame = frame;
    (*done)(reply);
  }
}

void ClientMachine::on_error(SteadyTime now, const v1::ServerFrame& frame) {
  const std::uint64_t id = frame.request_id();
  Failure failure = refused(frame.error());
  if (is_transient(failure.code)) {
    const SteadyTime again = after_wait(now, failure.retry_after);
    if (outbox_.postpone(id, again) || requests_.postpone(id, again)) return;
  }
  // The session is not on this connection any more; a resume finds out what became of it, and the message waits.
  if (failure.code == v1::NOT_LOGGED_IN || failure.code == v1::SESSION_ENDED)
    if (outbox_.postpone(id, now)) return drop(now, failure.str());
  if (auto done = requests_.take(id)) {
    Reply reply;
    reply.failure = std::move(failure);
    if (*done) (*done)(reply);
    return;
  }
  if (auto answered = outbox_.refused(id, std::move(failure))) {
    if (store_ != nullptr) save_at_ = std::min(save_at_, now + kSaveAfter);
    finish(std::move(answered));
  }
}

// ------------------------------------------------------------------------------------------------ pushes

void ClientMachine::on_push(SteadyTime now, const v1::ServerFrame& frame) {
  switch (frame.content_case()) {
    case v1::ServerFrame::kInbox: return inbox_.take(frame.inbox(), now);
    case v1::ServerFrame::kTyping: return events_->on_typing(frame.typing());
    case v1::ServerFrame::kPresenceChanged: return events_->on_presence(frame.presence_changed());
    case v1::ServerFrame::kPositionsChanged: return events_->on_positions(frame.positions_changed());
    case v1::ServerFrame::kStatusBanner: return events_->on_status_banner(frame.status_banner());
    case v1::ServerFrame::kEmailFailing: return events_->on_email_failing(frame.email_failing());
    case v1::ServerFrame::kHistoryGap: return on_history_gap(frame.history_gap());
    case v1::ServerFrame::kHistoryReset: return on_history_reset(frame.history_reset());
    case v1::ServerFrame::kToken: return on_token(now, frame.token());
    case v1::ServerFrame::kMove: return on_move(now, frame.move());
    case v1::ServerFrame::kEndpoints: return learn_endpoints(now, frame.endpoints().endpoints());
    case v1::ServerFrame::kGoodbye: return on_goodbye(now, frame.goodbye());
    case v1::ServerFrame::kSessionEnded: {
      Failure failure = failed(Failure::Cause::refused, frame.session_ended().reason());
      failure.code = frame.session_ended().code();
      const bool suspended = failure.code == v1::ACCOUNT_SUSPENDED;  // may be lifted, and the token is then good again
      return end(failure, !suspended);
    }
    case v1::ServerFrame::kError:
      last_error_ = refused(frame.error()).str();
      retry_after_ = refused(frame.error()).retry_after;
      return;
    default: return;  // a newer server's
  }
}

void ClientMachine::on_goodbye(SteadyTime now, const v1::Goodbye& goodbye) {
  retry_after_ = milliseconds(std::min(goodbye.retry_after_ms(), kRetryAfterMaxMs));
  drop(now, "good-bye: " + goodbye.reason());
}

void ClientMachine::on_token(SteadyTime now, const v1::TokenPush& push) {
  const std::string old = std::exchange(token_, push.token());
  if (!save()) {
    token_ = old;
    return;
  }
  events_->on_token(token_);
  v1::ClientFrame confirm;
  confirm.mutable_confirm_token()->set_serial(push.serial());
  requests_.add(++last_request_id_, std::move(confirm), now + kConfirmMax, nullptr);
}

/// What came on the old connection while the new one was asked for may be acknowledged and removed by now: no gap to us.
void ClientMachine::on_history_gap(const v1::HistoryGap& gap) {
  if (gap.resumed_at() > inbox_.delivered()) events_->on_history_gap(gap);
}

/// The positions of the server's earlier life go, in memory and in the store, before the application hears of it.
void ClientMachine::on_history_reset(const v1::HistoryReset& reset) {
  generation_ = reset.generation();
  inbox_.start_at(reset.resumed_at());
  session_.cursor = reset.resumed_at();
  save();
  events_->on_history_reset(reset);
}

void ClientMachine::hand_over(const v1::InboxItem& item) {
  if (item.content_case() == v1::InboxItem::kHead)
    events_->on_head(item);
  else
    events_->on_change(item);
}

void ClientMachine::fetch_reference(SteadyTime now) {
  auto page = inbox_.take_fetch();
  if (!page) return;
  v1::ClientFrame frame;
  *frame.mutable_get_history() = std::move(*page);
  const std::uint64_t starts = inbox_.starts();
  auto done = [this, starts](const Reply& reply) {
    if (inbox_.starts() != starts) return;
    if (reply.ok()) return inbox_.fetched(reply.frame.history(), now_);
    inbox_.fetch_failed(reply.failure->cause == Failure::Cause::refused && !is_transient(reply.failure->code), now_);
  };
  requests_.add(++last_request_id_, std::move(frame), now + options_.request_max, std::move(done));
}

}  // namespace holdfast::client

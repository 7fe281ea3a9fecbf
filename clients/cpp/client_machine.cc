#include "clients/cpp/client_machine.h"

#include <algorithm>
#include <utility>

#include "proto/frame.h"

namespace holdfast::client {

using std::chrono::milliseconds;

namespace {
constexpr milliseconds kSaveAgainAfter{1'000};
constexpr std::uint64_t kRetryJitterMs = 200;

OutboxOptions outbox_options(const MachineOptions& options) {
  return {options.outbox_messages_max, options.sends_ahead_max, options.request_max};
}
}  // namespace

ClientMachine::ClientMachine(MachineOptions options, ClientEvents& events, Random& random, SessionStore* store)
    : options_(std::move(options)),
      events_(&events),
      random_(&random),
      store_(store),
      reconnect_(options_.reconnect, random),
      endpoints_(options_.endpoints, random),
      outbox_(outbox_options(options_)),
      inbox_(options_, [this](const v1::InboxItem& item) { hand_over(item); }) {}

// ------------------------------------------------------------------------------------------------ connection

void ClientMachine::start(SteadyTime now) {
  HF_CHECK(state_ == State::idle, "a client is started once");
  std::optional<SavedSession> saved;
  if (store_ != nullptr) {
    auto loaded = store_->load();
    if (!loaded) return end(failed(Failure::Cause::store, loaded.error().message), false);
    saved = std::move(*loaded);
  }
  if (saved) {
    token_ = saved->token;
    session_.username = saved->username;
    session_.user = UserId::from_bytes(saved->user_id).value_or(UserId());
    session_.session = SessionId::from_bytes(saved->session_id).value_or(SessionId());
    inbox_.start_at(saved->cursor);
    generation_ = saved->generation;
    endpoints_.set_ranked(saved->endpoints);
    endpoints_.start_over();
    for (const auto& post : saved->outbox) {
      auto restored = outbox_.restore(++last_request_id_, post);
      if (!restored) events_->on_store_failed(restored.error());
    }
  } else if (const auto* resume = std::get_if<ResumeWith>(&options_.credentials)) {
    token_ = resume->token;
    handed_in_ = true;
    inbox_.start_at(resume->cursor);
  } else if (std::holds_alternative<StoredOnly>(options_.credentials)) {
    Failure none = failed(Failure::Cause::refused, "there is no stored session");
    none.code = v1::NOT_LOGGED_IN;
    return end(none, false);
  }
  connect_now(now);
}

void ClientMachine::connect_now(SteadyTime now) {
  state_ = State::connecting;
  retry_at_ = SteadyTime::max();
  try_deadline_ = now + reconnect_.try_max();
  wish_.open = endpoints_.current();
  wish_.time_max = reconnect_.try_max();
}

void ClientMachine::connection_open(SteadyTime now) {
  if (state_ != State::connecting) return;
  state_ = State::greeting;
  start_liveness(now);
  say_hello(now);
  events_->on_connection();
}

void ClientMachine::connection_lost(SteadyTime now, std::string reason, milliseconds retry_after) {
  if (state_ == State::idle || state_ == State::ended || state_ == State::waiting) return;
  if (state_ == State::online) {
    reconnect_.lost_after(online_since_, now);
    endpoints_.lost();
    lost_at_ = now;
  } else {
    endpoints_.failed();
  }
  if (move_.has_connection()) wish_.close_next = true;
  wish_.open_next.reset();
  move_.cancel();
  outbox_.disconnected();
  requests_.disconnected();
  inbox_.disconnected();
  liveness_.reset();
  out_.clear();
  hello_id_ = auth_id_ = 0;
  ask_again_at_ = SteadyTime::max();
  asked_again_ = 0;

  const milliseconds delay = reconnect_.next_delay(std::max(retry_after, std::exchange(retry_after_, milliseconds(0))));
  state_ = State::waiting;
  retry_at_ = now + delay;
  try_deadline_ = SteadyTime::max();
  if (!last_error_.empty()) reason = std::exchange(last_error_, {});
  events_->on_reconnecting({std::move(reason), delay, reconnect_.tries()});
}

void ClientMachine::drop(SteadyTime now, std::string reason) {
  wish_ = {};
  wish_.close = true;
  connection_lost(now, std::move(reason));
}

void ClientMachine::stop(SteadyTime now) {
  if (state_ == State::ended) return;
  leave(now);
  fail_everything(failed(Failure::Cause::closed, "the client was closed"));
}

void ClientMachine::leave(SteadyTime now) {
  if (state_ == State::ended) return;
  if (state_ == State::online) acknowledge(now);
  save();
  state_ = State::ended;
  move_.cancel();
  wish_ = {};
  wish_.close = true;
  retry_at_ = try_deadline_ = ask_again_at_ = SteadyTime::max();
  liveness_.reset();
  inbox_.disconnected();
}

void ClientMachine::end(const Failure& failure, bool clear_store) {
  state_ = State::ended;
  move_.cancel();
  wish_ = {};
  wish_.close = true;
  retry_at_ = try_deadline_ = ask_again_at_ = SteadyTime::max();
  liveness_.reset();
  out_.clear();
  inbox_.disconnected();
  if (clear_store && store_ != nullptr) {
    auto cleared = store_->clear();
    if (!cleared) events_->on_store_failed(cleared.error());
  }
  token_.clear();
  fail_everything(failed(Failure::Cause::closed, "the session ended: " + failure.str()));
  events_->on_session_ended(failure);
}

void ClientMachine::logged_out(SteadyTime) {
  if (state_ == State::ended) return;
  Failure done = failed(Failure::Cause::refused, "logged out");
  done.code = v1::SESSION_ENDED;
  end(done, true);
}

void ClientMachine::fail_everything(const Failure& failure) {
  while (auto answered = outbox_.fail_first(failure)) finish(std::move(answered));
  Reply reply;
  reply.failure = failure;
  for (auto& done : requests_.take_all())
    if (done) done(reply);
}

ClientMachine::Wish ClientMachine::take_wish() { return std::exchange(wish_, {}); }

SteadyTime ClientMachine::next_deadline() const {
  SteadyTime earliest = std::min({retry_at_, try_deadline_, ask_again_at_, requests_.next_deadline()});
  if (state_ != State::online) return earliest;
  if (liveness_) earliest = std::min(earliest, liveness_->next_deadline());
  if (save_again_at_ != SteadyTime::min()) earliest = std::min(earliest, save_again_at_);
  return std::min({earliest, inbox_.ack_deadline(), outbox_.next_deadline(), save_at_, move_.deadline()});
}

void ClientMachine::tick(SteadyTime now) {
  now_ = now;
  expire_requests(now);
  if (state_ == State::waiting && now >= retry_at_) return connect_now(now);
  if (now >= try_deadline_) return drop(now, "timed out");
  if (now >= ask_again_at_) return ask_for_session(now);
  if (state_ != State::online) return;
  outbox_.expire(now);
  if (now >= save_at_) save();
  tick_move(now);
  check_liveness(now);
}

void ClientMachine::check_liveness(SteadyTime now) {
  const Liveness::Verdict verdict = liveness_->tick(now);
  if (verdict == Liveness::Verdict::dead) return drop(now, "the server does not answer");
  if (verdict != Liveness::Verdict::ping) return;
  v1::ClientFrame frame;
  frame.set_request_id(++last_request_id_);
  frame.mutable_ping();
  write_frame(now, frame, true);
}

void ClientMachine::start_liveness(SteadyTime now) {
  liveness_.emplace(options_.liveness, now);
  liveness_->set_keepalive(keepalive_);
}

void ClientMachine::set_in_use(SteadyTime now, bool in_use) {
  options_.liveness.in_use = in_use;
  if (liveness_) liveness_->set_in_use(in_use, now);
}

WallTime ClientMachine::server_now(SteadyTime now) const {
  if (!time_known_) return WallTime();
  return server_time_ + std::chrono::duration_cast<milliseconds>(now - server_time_at_);
}

void ClientMachine::write_frame(SteadyTime now, const v1::ClientFrame& frame, bool answer_due) {
  append_frame(out_, frame);
  if (liveness_) liveness_->sent(now, answer_due);
}

SteadyTime ClientMachine::after_wait(SteadyTime now, milliseconds retry_after) {
  return now + retry_after + milliseconds(1 + random_->below(kRetryJitterMs));
}

// ------------------------------------------------------------------------------------------------ asking

Status ClientMachine::send(SteadyTime now, v1::ClientFrame& post, SendCallback done) {
  if (state_ == State::ended) return Error{Errc::io, "the client is closed"};
  if (time_known_) post.mutable_post()->set_client_message_id(outbox_.next_id(server_now(now), *random_).str());
  auto added = outbox_.add(++last_request_id_, post, std::move(done));
  if (added) outbox_unsaved_ = true;
  return added;
}

void ClientMachine::request(SteadyTime now, v1::ClientFrame frame, ReplyCallback done,
                            std::optional<milliseconds> time_max) {
  // Even what fails at once is answered from tick(), so that no callback comes from within the call.
  const bool hopeless = state_ == State::ended || requests_.size() >= options_.requests_max;
  if (hopeless) {
    const auto cause = state_ == State::ended ? Failure::Cause::closed : Failure::Cause::full;
    auto say = [cause, done = std::move(done)](const Reply&) {
      Reply reply;
      reply.failure = failed(cause, cause == Failure::Cause::full ? "too many requests wait" : "the client is closed");
      if (done) done(reply);
    };
    requests_.add(++last_request_id_, {}, now, std::move(say));
    return;
  }
  requests_.add(++last_request_id_, std::move(frame), now + time_max.value_or(options_.request_max), std::move(done));
}

void ClientMachine::cast(SteadyTime now, v1::ClientFrame frame) {
  if (state_ != State::online) return;
  frame.set_request_id(0);
  write_frame(now, frame, false);
}

void ClientMachine::expire_requests(SteadyTime now) {
  if (now < requests_.next_deadline()) return;
  Reply reply;
  reply.failure = failed(Failure::Cause::timed_out, "");
  for (auto& done : requests_.expire(now))
    if (done) done(reply);
}

// ------------------------------------------------------------------------------------------------ store

bool ClientMachine::save() {
  save_at_ = SteadyTime::max();
  if (store_ == nullptr || token_.empty()) return true;
  auto saved = store_->save({session_.username, session_.user.str(), session_.session.str(), token_,
                             inbox_.stored_position(), outbox_.payloads(), endpoints_.ranked(), generation_});
  if (saved) {
    outbox_unsaved_ = false;
    return true;
  }
  events_->on_store_failed(saved.error());
  return false;
}

bool ClientMachine::save_outbox_first(SteadyTime now) {
  if (online() && outbox_.has_unnamed()) outbox_.name_all(server_now(now), *random_);
  if (!outbox_unsaved_ || store_ == nullptr) return true;
  if (now < save_again_at_) return false;
  const bool saved = save();
  save_again_at_ = saved ? SteadyTime::min() : now + kSaveAgainAfter;
  return saved;
}

void ClientMachine::acknowledge(SteadyTime now) {
  const auto position = inbox_.take_ack();
  if (!position || !save()) return;
  v1::ClientFrame frame;
  frame.mutable_ack_inbox()->set_position(*position);
  write_frame(now, frame, false);
}

void ClientMachine::flush(SteadyTime now) {
  if (state_ == State::ended || state_ == State::idle) return;
  const bool saved = save_outbox_first(now);
  if (state_ != State::online) return;
  if (inbox_.wants_resume()) return drop(now, "reading on from the last position");
  fetch_reference(now);
  const std::size_t before = out_.size();
  requests_.pump(now, server_now(now), *random_, out_);
  if (saved) outbox_.pump(now, out_);
  if (out_.size() != before) liveness_->sent(now, true);
  if (inbox_.ack_due(now)) acknowledge(now);
}

}  // namespace holdfast::client

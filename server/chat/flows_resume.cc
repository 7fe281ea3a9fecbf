#include "server/chat/flows_resume.h"

#include <algorithm>

#include "server/chat/tokens.h"

namespace holdfast::chat {
namespace {

using Push = std::function<void(v1::ServerFrame)>;

command::Command command_of(const UserId& user, const SessionId& session) {
  command::Command command;
  command.set_user(user.str());
  command.set_session(session.str());
  return command;
}

/// The token goes to the client once its hash is durable: not before, or a crash would leave a client with a token that
/// nobody knows.
void offer(Backend& backend, const UserId& user, const SessionId& session, std::uint32_t serial, const Push& push) {
  const PartitionId partition = partition_of(user, backend.partitions());
  v1::ServerFrame frame;
  frame.mutable_token()->set_serial(serial);
  frame.mutable_token()->set_token(
      make_token(backend.token_keys(), {partition, user, session, serial}, backend.random()));
  command::Command command = command_of(user, session);
  command::OfferToken& offering = *command.mutable_offer_token();
  offering.set_session(session.str());
  offering.set_serial(serial);
  offering.set_token_hash(token_hash(frame.token().token()));
  backend.ask(partition, std::move(command), [push, frame = std::move(frame)](const command::Answer& answer) {
    if (!answer.frame().has_error()) push(frame);
  });
}

void follow_up(const FlowRequest& request, const TokenClaims& claims, const command::ResumeState& state) {
  Backend& backend = request.backend;
  command::Command command = command_of(claims.user, claims.session);
  const bool old_key = claims.key_id != backend.token_keys().newest().id;
  if (state.theft()) {
    command.mutable_end_session()->set_session(claims.session.str());
    command.mutable_end_session()->set_reason("a token was used after it had been replaced");
    command.mutable_end_session()->set_stolen(true);
  } else if (state.confirms_next()) {
    command.mutable_request()->mutable_confirm_token()->set_serial(claims.serial);
  } else if (state.next_serial() != 0 && (state.offer_token() || old_key)) {
    return offer(backend, claims.user, claims.session, state.next_serial(), request.push);
  } else if (state.touch()) {
    command.mutable_touch_session()->set_session(claims.session.str());
  } else {
    return;
  }
  backend.ask(claims.partition, std::move(command), nobody_waits);
}

RequestOutcome resumed(const FlowRequest& request, const TokenClaims& claims, const command::ResumeState& state) {
  RequestOutcome done;
  LoggedIn& in = done.logged_in.emplace();
  in.user = claims.user;
  in.session = claims.session;
  in.username = state.username();
  const v1::Resume& wish = request.frame.resume();
  std::uint64_t cursor = wish.cursor();
  if (wish.generation() != 0 && wish.generation() != request.backend.generation()) {
    // Up to the backup both generations are one; what came behind that is gone, and ours went on from there.
    cursor = std::min(cursor, request.backend.first_position() - 1);
    in.reset_to = request.backend.generation();
  }
  in.cursor = std::min<std::uint64_t>(cursor, state.inbox_head());
  in.inbox_head = state.inbox_head();
  in.inbox_first = state.inbox_first();
  v1::SessionReply& reply = *done.frame.mutable_session();
  reply.set_user_id(claims.user.str());
  reply.set_session_id(claims.session.str());
  reply.set_username(in.username);
  reply.set_cursor(in.cursor);
  reply.set_inbox_head(in.inbox_head);
  reply.set_generation(request.backend.generation());
  return done;
}

}  // namespace

Task<RequestOutcome> resume(FlowRequest request) {
  const v1::Resume& wish = request.frame.resume();
  const auto claims = verify_token(request.backend.token_keys(), wish.token());
  if (!claims || claims->partition != partition_of(claims->user, request.backend.partitions()))
    co_return failed(v1::SESSION_ENDED, "this token is not ours");
  command::Command command = command_of(claims->user, claims->session);
  command::BeginResume& begin = *command.mutable_begin_resume();
  begin.set_session(claims->session.str());
  begin.set_token_hash(token_hash(wish.token()));
  begin.set_serial(claims->serial);
  begin.set_cursor(wish.cursor());
  const command::Answer answer = co_await request.backend.asking(claims->partition, std::move(command));
  if (answer.frame().has_error()) co_return outcome(answer.frame());
  const command::ResumeState& state = answer.resume_state();
  follow_up(request, *claims, state);
  if (state.theft()) co_return failed(v1::SESSION_ENDED, "a token was used after it had been replaced");
  co_return resumed(request, *claims, state);
}

void keep_session(Backend& backend, UserId user, SessionId session, std::function<void(v1::ServerFrame)> push) {
  command::Command command = command_of(user, session);
  command.mutable_touch_session()->set_session(session.str());
  const auto then = [&backend, user, session, push = std::move(push)](const command::Answer& answer) {
    if (!answer.frame().has_error() && answer.resume_state().offer_token())
      offer(backend, user, session, answer.resume_state().next_serial(), push);
  };
  backend.ask(partition_of(user, backend.partitions()), std::move(command), then);
}

}  // namespace holdfast::chat

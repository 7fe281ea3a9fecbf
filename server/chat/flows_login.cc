#include "server/chat/flows_login.h"

#include "server/chat/common_passwords.h"
#include "server/chat/placement.h"
#include "server/chat/tokens.h"

namespace holdfast::chat {
namespace {

/// What a log-in needs, wherever it came from.
struct Login {
  std::string username;
  std::string password;
  std::string device_name;
  RequestId id;
  std::string peer;  ///< for the audit
};

struct SessionDraft {
  std::string token;
  command::NewSession session;
};

SessionDraft draft_session(Backend& backend, const UserId& user, const RequestId& id, const std::string& device_name) {
  constexpr std::uint32_t kFirstSerial = 1;
  const SessionId session = session_made_by(user, id);
  const PartitionId partition = partition_of(user, backend.partitions());
  SessionDraft draft;
  draft.token = make_token(backend.token_keys(), {partition, user, session, kFirstSerial}, backend.random());
  draft.session.set_session(session.str());
  draft.session.set_device_name(device_name);
  draft.session.set_token_hash(token_hash(draft.token));
  draft.session.set_serial(kFirstSerial);
  return draft;
}

RequestOutcome logged_in(const Backend& backend, command::Answer answer, std::string token) {
  if (answer.login_result().has_error()) return outcome(answer.login_result().error());
  RequestOutcome done = outcome(std::move(*answer.mutable_frame()));
  if (!done.frame.has_session()) return done;
  v1::SessionReply& reply = *done.frame.mutable_session();
  reply.set_token(std::move(token));
  reply.set_generation(backend.generation());
  LoggedIn& in = done.logged_in.emplace();
  in.user = *UserId::from_bytes(reply.user_id());
  in.session = *SessionId::from_bytes(reply.session_id());
  in.username = reply.username();
  in.cursor = reply.cursor();
  in.inbox_head = reply.inbox_head();
  in.inbox_first = answer.login_result().inbox_first();
  return done;
}

Task<RequestOutcome> log_in_with(Backend& backend, Login login) {
  const PartitionId partition = partition_of_name(login.username, backend.partitions());
  command::Command begin;
  begin.mutable_begin_login()->set_username(login.username);
  const command::Answer begun = co_await backend.asking(partition, std::move(begin));
  if (begun.frame().has_error()) co_return outcome(begun.frame());

  const std::string& hash = begun.login_state().password_hash();
  const Result<bool> right = co_await backend.verifying(hash, login.password);
  if (!right) co_return busy();

  // Nobody has the name: the same steps, with a user that is nobody.
  const auto known = UserId::from_bytes(begun.login_state().user());
  const UserId user = known ? *known : random_user_in(partition, backend.partitions(), backend.random());
  SessionDraft draft = draft_session(backend, user, login.id, login.device_name);
  command::Command finish;
  command::FinishLogin& finishing = *finish.mutable_finish_login();
  finishing.set_username(login.username);
  finishing.set_password_right(*right);
  finishing.set_password_hash(hash);
  finishing.set_peer(login.peer);
  *finishing.mutable_session() = std::move(draft.session);
  command::Answer finished = co_await backend.asking(partition, std::move(finish));
  co_return logged_in(backend, std::move(finished), std::move(draft.token));
}

std::optional<v1::Error> bad_login(const FlowRequest& request) {
  const v1::LogIn& login = request.frame.log_in();
  const Limits& limits = request.backend.limits();
  if (auto bad = bad_idempotency_id(request)) return bad;
  return first_complaint({bad_username(login.username(), limits), bad_password(login.password(), limits),
                          bad_device_name(login.device_name(), limits)});
}

std::optional<v1::Error> bad_registration(const FlowRequest& request) {
  const v1::Register& wish = request.frame.register_();
  const Limits& limits = request.backend.limits();
  if (auto bad = bad_idempotency_id(request)) return bad;
  if (auto bad = first_complaint({bad_username(wish.username(), limits), bad_new_password(wish.password(), limits),
                                  bad_email(wish.email(), limits), bad_device_name(wish.device_name(), limits)}))
    return bad;
  return refuse_common(wish.password(), wish.username());
}

RequestOutcome taken() { return failed(v1::ALREADY_EXISTS, "username: taken"); }

}  // namespace

Task<RequestOutcome> log_in(FlowRequest request) {
  if (const auto bad = bad_login(request)) co_return outcome(*bad);
  const v1::LogIn& wish = request.frame.log_in();
  Login login{wish.username(), wish.password(), wish.device_name(),
              *RequestId::from_bytes(request.frame.idempotency_id()), request.audited_peer()};
  co_return co_await log_in_with(request.backend, std::move(login));
}

Task<RequestOutcome> register_account(FlowRequest request) {
  if (const auto bad = bad_registration(request)) co_return outcome(*bad);
  Backend& backend = request.backend;
  const v1::Register& wish = request.frame.register_();
  const RequestId id = *RequestId::from_bytes(request.frame.idempotency_id());
  // With an address it leads to a mail.
  if (!wish.email().empty() && !backend.admit_stranger()) co_return busy();
  Result<std::string> hash = co_await backend.hashing(wish.password());
  if (!hash) co_return busy();

  const PartitionId partition = partition_of_name(wish.username(), backend.partitions());
  const UserId user = random_user_in(partition, backend.partitions(), backend.random());
  SessionDraft draft = draft_session(backend, user, id, wish.device_name());
  command::Command command;
  command::CreateAccount& create = *command.mutable_create_account();
  create.set_username(wish.username());
  create.set_user(user.str());
  create.set_password_hash(std::move(*hash));
  create.set_email(wish.email());
  create.set_registration_id(id.str());
  create.set_peer(request.audited_peer());
  *create.mutable_session() = std::move(draft.session);
  command::Answer answer = co_await backend.asking(partition, std::move(command));
  if (!answer.login_result().same_registration())
    co_return logged_in(backend, std::move(answer), std::move(draft.token));

  Login login{wish.username(), wish.password(), wish.device_name(), id, request.audited_peer()};
  RequestOutcome again = co_await log_in_with(backend, std::move(login));
  if (again.frame.error().code() == v1::WRONG_CREDENTIALS) co_return taken();
  co_return again;
}

}  // namespace holdfast::chat

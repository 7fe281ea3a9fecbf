#include "server/chat/accounts.h"

#include "server/chat/account_address.h"
#include "server/chat/attempts.h"
#include "server/chat/delete_account.h"
#include "server/chat/names.h"
#include "server/chat/once.h"
#include "server/chat/session_book.h"
#include "server/chat/ways_back.h"
#include "storage/keys.h"

namespace holdfast::chat {
namespace {

using command::ChangeAccount;

constexpr std::uint64_t kSuspendedForMax_s = 10ull * 366 * 24 * 3600;

/// The name is taken: by somebody, or by an earlier try of this registration?
void refuse_taken(const state::Name& name, const command::CreateAccount& create, View& view, Draft& draft) {
  const auto user = UserId::from_bytes(name.user());
  const auto account = user ? view.get<state::Account>(keys::account(*user)) : std::nullopt;
  const bool same = account && account->registration_id() == create.registration_id();
  draft.refuse(v1::ALREADY_EXISTS, "username: taken");
  draft.answer().mutable_login_result()->set_same_registration(same);
}

state::Account fresh_account(const Context& context, const command::CreateAccount& create) {
  state::Account account;
  account.set_username(create.username());
  account.set_password_hash(create.password_hash());
  account.set_email(create.email());
  account.set_created_ms(to_ms(context.now));
  account.set_registration_id(create.registration_id());
  return account;
}

void change_password(const Context&, const command::Command& command, SessionBook& book, View& view, Draft& draft) {
  book.change_account().set_password_hash(command.change_account().change_password().new_hash());
  book.end_all_but(SessionId::from_bytes(command.session()), v1::SESSION_ENDED, "the password was changed");
  clear_failures(book.account().username(), view, draft);
  void_ways_back(book.user(), view, draft);
  log::PasswordChanged& changed = *draft.emit().mutable_password_changed();
  changed.set_user(book.user().str());
  changed.set_how(log::PasswordChanged::BY_OWNER);
  book.save();
}

void close_connections(const SessionBook& book, const std::string& reason, Draft& draft) {
  for (const std::string& session : book.account().sessions())
    draft.effect(SessionGone{book.user(), *SessionId::from_bytes(session), v1::ACCOUNT_SUSPENDED, reason});
}

void set_status(const Context& context, const command::Command& command, SessionBook& book, View&, Draft& draft) {
  const ChangeAccount::SetStatus& set = command.change_account().set_status();
  if (!v1::AccountStatus_IsValid(set.status())) return draft.refuse(v1::INVALID_ARGUMENT, "status: unknown");
  if (set.for_s() > kSuspendedForMax_s) return draft.refuse(v1::INVALID_ARGUMENT, "suspended_for_s: at most ten years");
  state::Account& account = book.change_account();
  account.set_status(set.status());
  account.clear_suspended_until_ms();
  if (set.status() == v1::SUSPENDED) {
    if (set.for_s() != 0) account.set_suspended_until_ms(to_ms(context.now + std::chrono::seconds(set.for_s())));
    close_connections(book, "suspended by an operator", draft);
  }
  if (set.status() == v1::BANNED) book.end_all_but(std::nullopt, v1::ACCOUNT_BANNED, "banned by an operator");
  log::OperatorActed& acted = *draft.emit().mutable_operator_acted();
  acted.set_operation("set_account_status " + v1::AccountStatus_Name(set.status()));
  acted.set_target(account.username());
  acted.set_user(book.user().str());
  acted.set_reason(set.reason());
  acted.set_peer(set.peer());
  book.save();
}

/// The change itself, if the password that was checked still stands. An operator needs none.
void change_checked(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const ChangeAccount& change = command.change_account();
  SessionBook book(context, user_of(command), view, draft);
  if (!book.exists()) return draft.refuse(v1::NOT_FOUND, "the account is gone");
  const bool by_operator = change.has_set_status() || change.delete_().by_operator();
  if (!by_operator && change.checked_hash() != book.account().password_hash())
    return draft.refuse(v1::RETRY, "the password was changed at this very moment", std::chrono::milliseconds(100));
  switch (change.what_case()) {
    case ChangeAccount::kChangePassword: return change_password(context, command, book, view, draft);
    case ChangeAccount::kSetEmail: set_address(change.set_email().email(), book, view, draft); return book.save();
    case ChangeAccount::kDelete: return delete_account(context, book, change.delete_(), view, draft);
    case ChangeAccount::kSetStatus: return set_status(context, command, book, view, draft);
    default: return draft.refuse(v1::UNSUPPORTED, "this change of an account is unknown here");
  }
}

void count_wrong_password(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const auto account = view.get<state::Account>(keys::account(user_of(command)));
  if (!account) return draft.refuse(v1::NOT_FOUND, "the account is gone");
  if (const auto barred = password_barred(context, account->username(), view)) return refuse_with(*barred, draft);
  count_failure(context, {account->username(), command.user(), command.change_account().wrong_password().peer()}, view,
                draft);
  v1::Error& error = *draft.answer().mutable_login_result()->mutable_error();
  error.set_code(v1::WRONG_CREDENTIALS);
  error.set_message("wrong password");
}

}  // namespace

void create_account(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const command::CreateAccount& create = command.create_account();
  if (!accept_request_id(context, create.registration_id(), "idempotency_id", draft)) return;
  const auto user = UserId::from_bytes(create.user());
  HF_CHECK(user && partition_of(*user, context.partitions) == context.partition, "a user is drawn into its partition");
  if (const auto name = view.get<state::Name>(keys::name(create.username())))
    return refuse_taken(*name, create, view, draft);

  state::Name name;
  name.set_user(user->str());
  draft.put(keys::name(create.username()), name);
  SessionBook book(context, *user, fresh_account(context, create), view, draft);
  book.add(create.session());
  book.save();
  log::AccountCreated& event = *draft.emit().mutable_account_created();
  event.set_user(user->str());
  event.set_username(create.username());
  event.set_peer(create.peer());
  if (!create.email().empty()) {
    log::AddressSet& set = *draft.emit().mutable_address_set();
    set.set_user(user->str());
    set.set_address(create.email());
  }
  *draft.frame().mutable_session() = book.reply(*SessionId::from_bytes(create.session().session()));
  draft.answer().mutable_login_result()->set_inbox_first(book.mailbox().first());
}

void get_account(const Context&, const command::Command& command, View& view, Draft& draft) {
  const auto account = view.get<state::Account>(keys::account(user_of(command)));
  if (!account) return draft.refuse(v1::SESSION_ENDED, "the account is gone");
  v1::AccountReply& reply = *draft.frame().mutable_account();
  reply.set_user_id(command.user());
  reply.set_username(account->username());
  reply.set_email(account->email());
  reply.set_email_verified(account->email_verified());
  reply.set_email_failing(account->email_failing());
  reply.set_created_ms(account->created_ms());
}

void show_account(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const auto id = accept_request_id(context, command.idempotency_id(), "idempotency_id", draft);
  if (!id) return;
  const UserId user = user_of(command);
  if (auto before = answered_before(command.user(), user, *id, view)) {
    draft.frame() = std::move(*before);
    draft.answer().mutable_account_state()->set_repeated(true);
    return;
  }
  const auto account = view.get<state::Account>(keys::account(user));
  if (!account) return draft.refuse(v1::SESSION_ENDED, "the account is gone");
  if (const auto barred = password_barred(context, account->username(), view)) return refuse_with(*barred, draft);
  draft.answer().mutable_account_state()->set_password_hash(account->password_hash());
}

void change_account(const Context& context, const command::Command& command, View& view, Draft& draft) {
  if (command.change_account().has_wrong_password()) return count_wrong_password(context, command, view, draft);
  once_at_user<change_checked>(context, command, view, draft);
}

}  // namespace holdfast::chat

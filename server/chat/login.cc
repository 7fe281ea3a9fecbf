#include "server/chat/login.h"

#include "server/chat/attempts.h"
#include "server/chat/names.h"
#include "server/chat/session_book.h"
#include "server/chat/ways_back.h"
#include "storage/keys.h"

namespace holdfast::chat {
namespace {

void refuse_changed_meanwhile(Draft& draft) {
  draft.refuse(v1::RETRY, "the password was changed at this very moment", std::chrono::milliseconds(100));
}

void answer_wrong_credentials(Draft& draft) {
  v1::Error& error = *draft.answer().mutable_login_result()->mutable_error();
  error.set_code(v1::WRONG_CREDENTIALS);
  error.set_message("unknown user or wrong password");
}

}  // namespace

void begin_login(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const std::string& username = command.begin_login().username();
  if (const auto barred = password_barred(context, username, view)) return refuse_with(*barred, draft);
  command::LoginState& state = *draft.answer().mutable_login_state();
  const auto user = user_named(username, view);
  if (!user) return;
  const auto account = view.get<state::Account>(keys::account(*user));
  if (!account) return;
  state.set_user(user->str());
  state.set_password_hash(account->password_hash());
}

void finish_login(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const command::FinishLogin& login = command.finish_login();
  if (const auto barred = password_barred(context, login.username(), view)) return refuse_with(*barred, draft);
  const auto user = user_named(login.username(), view);
  const auto account = user ? view.get<state::Account>(keys::account(*user)) : std::nullopt;
  if (login.password_hash() != (account ? account->password_hash() : "")) return refuse_changed_meanwhile(draft);
  if (!account || account->password_hash().empty() || !login.password_right()) {
    count_failure(context, {login.username(), account ? user->bytes() : "", login.peer()}, view, draft);
    return answer_wrong_credentials(draft);
  }
  if (const auto barred = barred_by_operator(context, *account)) return refuse_with(*barred, draft);

  SessionBook book(context, *user, view, draft);
  if (!book.add(login.session())) return draft.refuse(v1::SESSION_ENDED, "the session of this log-in has ended");
  log::LoggedIn& event = *draft.emit().mutable_logged_in();
  event.set_user(user->str());
  event.set_session(login.session().session());
  event.set_device_name(login.session().device_name());
  event.set_peer(login.peer());
  event.set_failures(untold_failures(login.username(), view));
  clear_failures(login.username(), view, draft);
  void_ways_back(*user, view, draft);
  book.save();
  *draft.frame().mutable_session() = book.reply(*SessionId::from_bytes(login.session().session()));
  draft.answer().mutable_login_result()->set_inbox_first(book.mailbox().first());
}

}  // namespace holdfast::chat

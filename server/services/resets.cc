#include "server/services/resets.h"

#include <optional>

#include "server/chat/attempts.h"
#include "server/chat/names.h"
#include "server/chat/once.h"
#include "server/chat/session_book.h"
#include "server/services/intents.h"
#include "server/services/secrets.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

using command::AskReset;

constexpr const char* kNotStanding = "the link was used, was replaced by a newer one, or is too old";

std::optional<UserId> asked_for(const AskReset& ask, chat::View& view) {
  return ask.has_user() ? UserId::from_bytes(ask.user()) : chat::user_named(ask.username(), view);
}

/// What stands against a mail with a link, for an operator to read.
const char* obstacle(const chat::Context& context, const AskReset& ask, const state::Account& account) {
  if (chat::barred_by_operator(context, account)) return "the account is suspended or banned";
  if (!account.email_verified()) return "the account has no verified address: give a one-time code instead";
  if (!ask.address_hash().empty() && ask.address_hash() != account.address_hash()) return "it has another address now";
  return nullptr;
}

void note_operator(const AskReset& ask, const UserId& user, const state::Account& account, chat::Draft& draft) {
  log::OperatorActed& acted = *draft.emit().mutable_operator_acted();
  acted.set_operation("reset_password");
  acted.set_target(account.username());
  acted.set_user(user.str());
  acted.set_reason(ask.reason());
  acted.set_peer(ask.peer());
}

}  // namespace

void begin_reset(const chat::Context& context, NewReset reset, const state::Account& account, state::Secrets& secrets,
                 chat::Draft& draft) {
  *secrets.mutable_reset() = fresh_secret(reset.user, reset.intent, reset.due + reset.lifetime, draft);
  reset.mail.set_to(account.email());
  reset.mail.set_link(state::Mail::RESET);
  add_value(reset.mail, "user", account.username());
  add_value(reset.mail, "minutes", std::to_string(reset.lifetime.count()));
  add_intent(context, {reset.user, reset.intent, reset.due, reset.due + reset.lifetime, std::move(reset.mail)}, draft);
  log::ResetAsked& asked = *draft.emit().mutable_reset_asked();
  asked.set_user(reset.user.str());
  asked.set_by(reset.by);
  asked.set_peer(reset.peer);
}

void ask_reset(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const AskReset& ask = command.ask_reset();
  if (!context.limits.resets_enabled) return draft.refuse(v1::UNSUPPORTED, kNoResets);
  const bool by_operator = ask.by() == AskReset::OPERATOR;
  const auto intent = IntentId::from_bytes(ask.intent());
  if (!intent) return draft.refuse(v1::INVALID_ARGUMENT, "intent has 16 bytes");
  const auto user = asked_for(ask, view);
  const auto account = user ? view.get<state::Account>(keys::account(*user)) : std::nullopt;
  if (!account) return by_operator ? draft.refuse(v1::NOT_FOUND, "no such user") : void();
  if (const char* against = obstacle(context, ask, *account))
    return by_operator ? draft.refuse(v1::PRECONDITION_FAILED, against) : void();
  state::Secrets secrets = secrets_of(*user, view);
  // Asked again by whoever had no answer: a link that was used does not come back to life.
  if (secrets.reset().intent() == ask.intent() || secrets.spent() == ask.intent()) return;
  if (!by_operator && !note_asked(context, context.limits.resets_asked_max, *secrets.mutable_resets_asked_ms())) return;
  NewReset reset{.user = *user,
                 .intent = *intent,
                 .by = by_operator ? log::ResetAsked::OPERATOR : log::ResetAsked::OWNER,
                 .peer = ask.peer(),
                 .due = context.now,
                 .lifetime = context.limits.reset_lifetime};
  reset.mail.set_template_("password_reset");
  begin_reset(context, std::move(reset), *account, secrets, draft);
  if (by_operator) note_operator(ask, *user, *account, draft);
  save_secrets(context, *user, std::move(secrets), draft);
}

void show_secret(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const command::ShowSecret& show = command.show_secret();
  const UserId user = chat::user_of(command);
  const auto account = view.get<state::Account>(keys::account(user));
  const state::Secrets secrets = secrets_of(user, view);
  const bool good = show.has_reset() ? context.limits.resets_enabled && stands(context, secrets.reset(), show.reset())
                                     : stands(context, secrets.verification(), show.verification());
  if (!account || !good) return draft.refuse(v1::PRECONDITION_FAILED, kNotStanding);
  command::SecretState& state = *draft.answer().mutable_secret_state();
  state.set_user(user.str());
  state.set_username(account->username());
  if (show.has_verification()) state.set_address(secrets.verification().address());
}

void use_reset(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const command::UseReset& use = command.use_reset();
  const UserId user = chat::user_of(command);
  state::Secrets secrets = secrets_of(user, view);
  if (!context.limits.resets_enabled || !stands(context, secrets.reset(), use.intent()))
    return draft.refuse(v1::PRECONDITION_FAILED, kNotStanding);
  log::PasswordChanged event;
  event.set_how(log::PasswordChanged::RESET);
  event.set_peer(use.peer());
  set_password(context, user, use.new_hash(), event, std::move(secrets), view, draft);
}

void set_password(const chat::Context& context, const UserId& user, const std::string& new_hash,
                  const log::PasswordChanged& event, state::Secrets secrets, chat::View& view, chat::Draft& draft) {
  chat::SessionBook book(context, user, view, draft);
  if (!book.exists()) return draft.refuse(v1::NOT_FOUND, "the account is gone");
  if (const auto barred = chat::barred_by_operator(context, book.account())) return chat::refuse_with(*barred, draft);
  book.change_account().set_password_hash(new_hash);
  book.end_all_but(std::nullopt, v1::SESSION_ENDED, "the password was reset");
  chat::clear_failures(book.account().username(), view, draft);
  if (secrets.has_reset()) secrets.set_spent(secrets.reset().intent());
  secrets.clear_reset();
  secrets.clear_recovery();
  save_secrets(context, user, std::move(secrets), draft);
  log::PasswordChanged& changed = *draft.emit().mutable_password_changed();
  changed = event;
  changed.set_user(user.str());
  book.save();
}

bool is_reset_wanted(const chat::Context& context, const UserId& user, const IntentId& id, const state::Intent& intent,
                     chat::View& view) {
  const auto account = view.get<state::Account>(keys::account(user));
  const bool reachable = account && account->email_verified() && account->email() == intent.mail().to();
  return context.limits.resets_enabled && reachable && stands(context, secrets_of(user, view).reset(), id.bytes());
}

}  // namespace holdfast::services

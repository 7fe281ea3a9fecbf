#include "server/services/secrets.h"

#include <algorithm>

#include "base/check.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

void forget_old(const chat::Context& context, AskedTimes& asked) {
  const std::int64_t from = to_ms(context.now - context.limits.secrets_window);
  asked.erase(std::remove_if(asked.begin(), asked.end(), [from](std::int64_t at) { return at <= from; }), asked.end());
}

bool is_over(const chat::Context& context, const SecretRow& secret) {
  return from_ms(secret.expires_ms()) <= context.now;
}

}  // namespace

state::Secrets secrets_of(const UserId& user, chat::View& view) {
  return view.get<state::Secrets>(keys::secrets(user)).value_or(state::Secrets());
}

void save_secrets(const chat::Context& context, const UserId& user, state::Secrets secrets, chat::Draft& draft) {
  forget_old(context, *secrets.mutable_resets_asked_ms());
  forget_old(context, *secrets.mutable_verifications_asked_ms());
  if (from_ms(secrets.lock_told_ms()) + context.limits.secrets_window <= context.now) secrets.clear_lock_told_ms();
  if (secrets.ByteSizeLong() == 0) return draft.remove(keys::secrets(user));
  draft.put(keys::secrets(user), secrets);
}

SecretRow fresh_secret(const UserId& user, const IntentId& intent, WallTime expires, chat::Draft& draft) {
  SecretRow secret;
  secret.set_intent(intent.str());
  secret.set_expires_ms(to_ms(expires));
  const std::string what = due_what(DueKind::secret, {user.bytes(), intent.bytes()});
  draft.put(keys::due(static_cast<std::uint64_t>(secret.expires_ms()), what), std::string());
  return secret;
}

bool stands(const chat::Context& context, const SecretRow& secret, std::string_view intent) {
  return !secret.intent().empty() && secret.intent() == intent && !is_over(context, secret);
}

bool note_asked(const chat::Context& context, std::size_t asked_max, AskedTimes& asked) {
  forget_old(context, asked);
  if (static_cast<std::size_t>(asked.size()) >= asked_max) return false;
  asked.Add(to_ms(context.now));
  return true;
}

void secret_due(const chat::Context& context, const Due& due, chat::View& view, chat::Draft& draft) {
  draft.remove(std::string(due.key));
  const auto user = UserId::from_bytes(due.ids.substr(0, UserId::kBytes));
  const std::string_view intent = due.ids.substr(UserId::kBytes);
  HF_CHECK(user, "a secret's timer names its user");
  state::Secrets secrets = secrets_of(*user, view);
  const auto expired = [&](const SecretRow& secret, log::SecretExpired::Kind kind) {
    if (secret.intent() != intent || !is_over(context, secret)) return false;
    log::SecretExpired& event = *draft.emit().mutable_secret_expired();
    event.set_user(user->str());
    event.set_kind(kind);
    return true;
  };
  if (expired(secrets.reset(), log::SecretExpired::RESET)) secrets.clear_reset();
  if (expired(secrets.verification(), log::SecretExpired::VERIFICATION)) secrets.clear_verification();
  if (expired(secrets.recovery(), log::SecretExpired::RECOVERY)) secrets.clear_recovery();
  const bool forgets_spent = secrets.spent() == intent;
  if (forgets_spent) secrets.clear_spent();
  if (forgets_spent || !draft.events.empty()) save_secrets(context, *user, std::move(secrets), draft);
}

}  // namespace holdfast::services

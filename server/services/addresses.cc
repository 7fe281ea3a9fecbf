#include "server/services/addresses.h"

#include <algorithm>

#include "server/chat/once.h"
#include "server/services/intents.h"
#include "server/services/secrets.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

constexpr std::size_t kHashBytes = 16;

bool is_unverified(const std::optional<state::Account>& account) {
  return account && !account->email().empty() && !account->email_verified();
}

void link(const chat::Context& context, const UserId& user, const std::string& key, chat::View& view,
          chat::Draft& draft) {
  auto row = view.get<state::Address>(key).value_or(state::Address());
  const bool there = std::ranges::find(row.users(), user.bytes()) != row.users().end();
  const bool full = static_cast<std::size_t>(row.users_size()) >= context.limits.users_of_an_address_max;
  if (there || full) return;  // who is one too many is found by name only
  row.add_users(user.str());
  draft.put(key, row);
}

/// Whoever registers with somebody else's address makes it get mails that nobody there asked for: not many, however many
/// do so. Counted with the resets that were asked for by it.
void ask_to_verify(const chat::Context& context, const std::string& hash, chat::View& view, chat::Draft& draft) {
  auto row = view.get<state::Address>(keys::address(hash)).value_or(state::Address());
  if (!note_asked(context, context.limits.verifications_asked_max, *row.mutable_asked_ms()))
    return draft.refuse(v1::RATE_LIMITED, "the address was mailed often enough", context.limits.secrets_window);
  draft.put(keys::address(hash), row);
  const auto forgotten = static_cast<std::uint64_t>(to_ms(context.now + context.limits.secrets_window));
  draft.put(keys::due(forgotten, due_what(DueKind::address, {hash})), std::string());
}

}  // namespace

void address_due(const chat::Context& context, const Due& due, chat::View& view, chat::Draft& draft) {
  draft.remove(std::string(due.key));
  const std::string key = keys::address(due.ids);
  const auto row = view.get<state::Address>(key);
  const std::int64_t from = to_ms(context.now - context.limits.secrets_window);
  const bool is_of_use =
      row && (!row->users().empty() || (!row->asked_ms().empty() && *row->asked_ms().rbegin() > from));
  if (row && !is_of_use) draft.remove(key);
}

bool begin_verification(const chat::Context& context, const UserId& user, const IntentId& intent,
                        const state::Account& account, state::Secrets& secrets, chat::Draft& draft) {
  const auto& limits = context.limits;
  if (!note_asked(context, limits.verifications_asked_max, *secrets.mutable_verifications_asked_ms())) return false;
  SecretRow& secret = *secrets.mutable_verification();
  secret = fresh_secret(user, intent, context.now + limits.verification_lifetime, draft);
  secret.set_address(account.email());
  NewIntent wish{user, intent, context.now, context.now + limits.verification_lifetime, {}};
  wish.mail.set_template_("verify_address");
  wish.mail.set_to(account.email());
  wish.mail.set_link(state::Mail::VERIFY);
  add_value(wish.mail, "user", account.username());
  add_value(wish.mail, "hours", std::to_string(limits.verification_lifetime.count()));
  add_intent(context, wish, draft);
  return true;
}

void ask_verification(const chat::Context& context, const command::Command& command, chat::View& view,
                      chat::Draft& draft) {
  const UserId user = chat::user_of(command);
  const auto intent = IntentId::from_bytes(command.ask_verification().intent());
  if (!intent) return draft.refuse(v1::INVALID_ARGUMENT, "intent has 16 bytes");
  const auto account = view.get<state::Account>(keys::account(user));
  if (!is_unverified(account))
    return draft.refuse(v1::PRECONDITION_FAILED, "there is no address, or it is verified already");
  state::Secrets secrets = secrets_of(user, view);
  if (secrets.verification().intent() == intent->bytes()) return;  // asked again by whoever had no answer
  if (!begin_verification(context, user, *intent, *account, secrets, draft))
    return draft.refuse(v1::RATE_LIMITED, "mails to verify the address were sent often enough for now",
                        context.limits.secrets_window);
  save_secrets(context, user, std::move(secrets), draft);
}

void use_verification(const chat::Context& context, const command::Command& command, chat::View& view,
                      chat::Draft& draft) {
  const command::UseVerification& use = command.use_verification();
  const UserId user = chat::user_of(command);
  auto account = view.get<state::Account>(keys::account(user));
  state::Secrets secrets = secrets_of(user, view);
  const bool good = is_unverified(account) && account->email() == use.address() &&
                    secrets.verification().address() == use.address() &&
                    stands(context, secrets.verification(), use.intent());
  if (!good)
    return draft.refuse(v1::PRECONDITION_FAILED, "the link was used, was replaced by a newer one, or is too old");
  if (use.address_hash().size() != kHashBytes) return draft.refuse(v1::INVALID_ARGUMENT, "address_hash has 16 bytes");
  account->set_email_verified(true);
  account->set_address_hash(use.address_hash());
  account->clear_mails_refused();
  account->clear_email_failing();
  draft.put(keys::account(user), *account);
  secrets.clear_verification();
  save_secrets(context, user, std::move(secrets), draft);
  log::AddressVerified& verified = *draft.emit().mutable_address_verified();
  verified.set_user(user.str());
  verified.set_address_hash(use.address_hash());
}

void link_address(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const command::LinkAddress& wish = command.link_address();
  const auto user = UserId::from_bytes(wish.user());
  if (!user || wish.address_hash().size() != kHashBytes)
    return draft.refuse(v1::INVALID_ARGUMENT, "a user's id and an address's hash have 16 bytes");
  if (wish.gone()) return unlink(*user, wish.address_hash(), view, draft);
  link(context, *user, keys::address(wish.address_hash()), view, draft);
}

void unlink(const UserId& user, const std::string& address_hash, chat::View& view, chat::Draft& draft) {
  const std::string key = keys::address(address_hash);
  auto row = view.get<state::Address>(key);
  if (!row) return;
  auto& users = *row->mutable_users();
  users.erase(std::remove(users.begin(), users.end(), user.bytes()), users.end());
  if (users.empty()) return draft.remove(key);
  draft.put(key, *row);
}

void ask_by_address(const chat::Context& context, const command::Command& command, chat::View& view,
                    chat::Draft& draft) {
  const std::string& hash = command.ask_by_address().address_hash();
  if (hash.size() != kHashBytes) return draft.refuse(v1::INVALID_ARGUMENT, "address_hash has 16 bytes");
  if (!command.user().empty()) return ask_to_verify(context, hash, view, draft);
  auto row = view.get<state::Address>(keys::address(hash));
  if (!row || !note_asked(context, context.limits.resets_asked_max, *row->mutable_asked_ms())) return;
  draft.put(keys::address(hash), *row);
  *draft.answer().mutable_address_users()->mutable_users() = row->users();
}

bool is_verification_wanted(const chat::Context& context, const UserId& user, const IntentId& id,
                            const state::Intent& intent, chat::View& view) {
  const auto account = view.get<state::Account>(keys::account(user));
  return is_unverified(account) && account->email() == intent.mail().to() &&
         stands(context, secrets_of(user, view).verification(), id.bytes());
}

}  // namespace holdfast::services

#include "server/services/recovery_codes.h"

#include "base/hash.h"
#include "server/chat/names.h"
#include "server/chat/once.h"
#include "server/chat/session_book.h"
#include "server/services/resets.h"
#include "server/services/secrets.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr const char* kNotStanding = "the name or the code is not right, or the code was used or is too old";

bool code_stands(const chat::Context& context, const SecretRow& secret, const std::string& hash) {
  return stands(context, secret, secret.intent()) && equal_secret(secret.hash(), hash);
}

}  // namespace

void give_recovery(const chat::Context& context, const command::Command& command, chat::View& view,
                   chat::Draft& draft) {
  const command::GiveRecovery& give = command.give_recovery();
  if (give.code_hash().size() != kHashBytes) return draft.refuse(v1::INVALID_ARGUMENT, "code_hash has 32 bytes");
  const auto user = chat::user_named(give.username(), view);
  const auto account = user ? view.get<state::Account>(keys::account(*user)) : std::nullopt;
  if (!account) return draft.refuse(v1::NOT_FOUND, "no such user");
  if (chat::barred_by_operator(context, *account))
    return draft.refuse(v1::PRECONDITION_FAILED, "the account is suspended or banned");
  state::Secrets secrets = secrets_of(*user, view);
  if (secrets.recovery().hash() == give.code_hash()) return;  // asked again by whoever had no answer
  const IntentId id = *IntentId::from_bytes(give.code_hash().substr(0, IntentId::kBytes));
  SecretRow& secret = *secrets.mutable_recovery();
  secret = fresh_secret(*user, id, context.now + context.limits.recovery_lifetime, draft);
  secret.set_hash(give.code_hash());
  save_secrets(context, *user, std::move(secrets), draft);
  draft.emit().mutable_recovery_given()->set_user(user->str());
  log::OperatorActed& acted = *draft.emit().mutable_operator_acted();
  acted.set_operation("recover_account");
  acted.set_target(account->username());
  acted.set_user(user->str());
  acted.set_reason(give.reason());
  acted.set_peer(give.peer());
}

void show_recovery(const chat::Context& context, const command::Command& command, chat::View& view,
                   chat::Draft& draft) {
  const command::ShowRecovery& show = command.show_recovery();
  const auto user = chat::user_named(show.username(), view);
  if (!user || !code_stands(context, secrets_of(*user, view).recovery(), show.code_hash()))
    return draft.refuse(v1::PRECONDITION_FAILED, kNotStanding);
  command::SecretState& state = *draft.answer().mutable_secret_state();
  state.set_user(user->str());
  state.set_username(show.username());
}

void use_recovery(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const command::UseRecovery& use = command.use_recovery();
  const UserId user = chat::user_of(command);
  state::Secrets secrets = secrets_of(user, view);
  if (!code_stands(context, secrets.recovery(), use.code_hash()))
    return draft.refuse(v1::PRECONDITION_FAILED, kNotStanding);
  log::PasswordChanged event;
  event.set_how(log::PasswordChanged::RECOVERED);
  event.set_peer(use.peer());
  set_password(context, user, use.new_hash(), event, std::move(secrets), view, draft);
}

}  // namespace holdfast::services

/// Password resets: a link in a mail to the account's verified address, with which its owner sets another password.
///
/// Where they are switched off nothing is mailed, and no link is taken.
///
/// One stands at a time: a newer one voids the older, a log-in or another password voids it too. Until it is used nothing
/// of the account changes. That it is used once is decided in the log of the user's partition.
#pragma once

#include <string>

#include "server/chat/rules.h"

namespace holdfast::services {

inline constexpr const char* kNoResets = "passwords are not reset by mail here (passwords.resets in holdfast.toml)";

/// A reset that begins: the mail's intent, the secret of it, and the event. `secrets` is the row, to be saved by the caller;
/// `mail` has the template and what it is filled with besides the name and the minutes. The address is
/// verified.
struct NewReset {
  UserId user;
  IntentId intent;
  log::ResetAsked::By by = log::ResetAsked::OWNER;
  std::string peer{};
  WallTime due{};  ///< of the mail
  std::chrono::minutes lifetime{};
  state::Mail mail{};
};
void begin_reset(const chat::Context& context, NewReset reset, const state::Account& account, state::Secrets& secrets,
                 chat::Draft& draft);

/// Rules. The owner is answered Done whatever there is; an operator learns what stands against it: NOT_FOUND, or
/// PRECONDITION_FAILED for an account that is barred or has no verified address.
void ask_reset(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft);
/// SecretState, or PRECONDITION_FAILED. Of a verification too. Reads.
void show_secret(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft);
/// Sets the password, ends every session, lifts a lock. PRECONDITION_FAILED if the secret does not stand (any more).
void use_reset(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft);

/// Of wanted.h: its secret is the one that stands, and the address is verified still.
bool is_reset_wanted(const chat::Context& context, const UserId& user, const IntentId& id, const state::Intent& intent,
                     chat::View& view);

/// What sets a password without the one before does, whatever allowed it. `secrets` is saved.
void set_password(const chat::Context& context, const UserId& user, const std::string& new_hash,
                  const log::PasswordChanged& event, state::Secrets secrets, chat::View& view, chat::Draft& draft);

}  // namespace holdfast::services

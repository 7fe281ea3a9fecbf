/// What the pages and the protocol do with a mailed link or a code: tasks over a Backend.
///
/// A token of a link is looked at here first: its secret must follow from its intent under the cluster's mail key, compared
/// in constant time, so that a guess costs no partition anything. Whether it stands is decided by the rules. A password is
/// hashed only for a secret that stands.
///
/// Errors are v1.Errors whose message is for developers; the pages have words of their own. PRECONDITION_FAILED: used,
/// replaced, too old, or never ours. INVALID_ARGUMENT: a password that anybody would guess
/// (common_passwords.h); the secret still stands, for another one.
#pragma once

#include <string>

#include "base/task.h"
#include "server/chat/backend.h"

namespace holdfast::services {

enum class LinkFor { reset, verification };

/// Whose link it is, if it stands now: Answer.secret_state, or the frame's error.
Task<command::Answer> look_at_link(chat::Backend& backend, LinkFor what, std::string token);

struct NewPassword {
  std::string password;
  std::string peer;  ///< for the audit
};
/// Done, or an error. Nobody is logged in by it.
Task<v1::ServerFrame> use_reset_link(chat::Backend& backend, std::string token, NewPassword wish);
Task<v1::ServerFrame> use_verification_link(chat::Backend& backend, std::string token);
Task<v1::ServerFrame> use_recovery_code(chat::Backend& backend, std::string username, std::string code,
                                        NewPassword wish);

/// Begins a reset for whoever has this name, or has verified this address, if anybody does. Nothing is waited for, and
/// nothing is told: whoever asked has had his answer. Well-formed (bad_username, bad_email).
struct ResetWish {
  std::string username;
  std::string email;  ///< without a username
  std::string peer;   ///< for the audit
};
void ask_for_reset(chat::Backend& backend, const ResetWish& wish);

/// An operator's code as it is told: 20 letters and digits in four groups, 100 bits.
std::string draw_recovery_code(Random& random);
/// The hash that rows have of it; blanks, dashes and case don't count.
std::string recovery_code_hash(const std::string& code);

}  // namespace holdfast::services

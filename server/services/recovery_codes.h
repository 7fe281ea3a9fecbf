/// Recovery codes: for who has no address that mail could reach, an operator gives a code that sets another password, once.
///
/// The row has its hash only. A code has 100 random bits, so that guesses need not be counted. One stands at a time; a
/// log-in or another password voids it.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::services {

/// By an operator, with who and why in the log: NOT_FOUND, or PRECONDITION_FAILED for an account that is barred.
void give_recovery(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft);
/// SecretState, or PRECONDITION_FAILED: the same for a wrong name, a wrong code, and one whose time is over. Reads.
void show_recovery(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft);
/// As use_reset().
void use_recovery(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft);

}  // namespace holdfast::services

/// Rules of logging in with a password: before and after the hash is computed elsewhere.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

/// The name's user and password hash, both empty if nobody has it. Refused while the name is slowed or locked. Reads.
void begin_login(const Context& context, const command::Command& command, View& view, Draft& draft);
/// Makes the session, or counts the failure (LoginResult.error). Slowed and locked names are looked at again, so that
/// many guesses at once are no more than one after the other.
void finish_login(const Context& context, const command::Command& command, View& view, Draft& draft);

}  // namespace holdfast::chat

/// Rules of accounts: making, showing, changing and deleting them.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

/// Makes the account with its first session. ALREADY_EXISTS for a name that is, or ever was, taken; if by this very
/// registration, LoginResult.same_registration says so and the asker goes on as a log-in.
void create_account(const Context& context, const command::Command& command, View& view, Draft& draft);

/// A client's GetAccount. Reads.
void get_account(const Context& context, const command::Command& command, View& view, Draft& draft);

/// For requests that ask for the password first: the hash to check it against, or the answer if it was given before.
/// Refused while the name is slowed or locked, as a log-in is. Reads.
void show_account(const Context& context, const command::Command& command, View& view, Draft& draft);

/// What a client asked for with its right password, or an operator: once. The password must still be the one that was
/// checked (RETRY). A wrong one is counted here too.
void change_account(const Context& context, const command::Command& command, View& view, Draft& draft);

}  // namespace holdfast::chat

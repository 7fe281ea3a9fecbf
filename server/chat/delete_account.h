/// What deleting an account takes away in the user's own partition. The conversations are told by the event.
#pragma once

#include "server/chat/session_book.h"

namespace holdfast::chat {

/// Ends the sessions, removes the account with all that hangs off it, keeps the name as a tombstone, and emits
/// AccountDeleted, and MemberDeleted for every conversation that the user was ever in.
void delete_account(const Context& context, SessionBook& book, const command::ChangeAccount::Delete& how, View& view,
                    Draft& draft);

}  // namespace holdfast::chat

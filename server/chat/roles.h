/// Roles in a group: they stand in the conversation's row (who decides) and in the members' rows (who is shown).
#pragma once

#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::chat {

/// Takes the user out of the conversation's owner and admins. Their row is the caller's business.
void drop_role(state::Conversation& conversation, const UserId& user);

/// Hands a group without an owner to its oldest admin, else to its oldest member, as a change of its own by `author`;
/// nothing if nobody is left. `leaver` is still in the rows of a range, but is not considered.
void pass_on(const Context& context, const ConversationId& id, state::Conversation& conversation, const UserId& leaver,
             std::string_view author, View& view, Draft& draft);

}  // namespace holdfast::chat

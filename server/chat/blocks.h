/// Whom a user does not want to hear from. In the user's partition; the one blocked is told nothing.
///
/// A block hides by interval: what the other says in the direct conversation from the next delivered number on, until
/// the block is lifted. The intervals stand in the list's line of that conversation, which may not exist yet.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

/// The client's BlockUser, or the flow's SetBlock after it made sure that the user exists.
void set_block(const Context&, const command::Command&, View&, Draft&);
void list_blocks(const Context&, const command::Command&, View&, Draft&);

}  // namespace holdfast::chat

/// Conversations come to be, and groups get titles. In the conversation's partition.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

/// The same conversation whoever starts it: one that is there is answered with its newest number.
/// The asker has made sure that the other user exists.
void open_direct(const Context&, const command::Command&, View&, Draft&);

/// The caller becomes its owner. The id follows from the caller and the idempotency id (group_conversation()); the
/// asker has made sure that the members exist.
void create_group(const Context&, const command::Command&, View&, Draft&);

/// By admins.
void rename_group(const Context&, const command::Command&, View&, Draft&);

}  // namespace holdfast::chat

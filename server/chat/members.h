/// Who is in a conversation, for those who are in it. In the conversation's partition; none of these writes.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

/// By user id.
void list_members(const Context&, const command::Command&, View&, Draft&);

/// Whose presence the caller may watch: the other members, of a conversation of up to 200 (TOO_LARGE beyond). The
/// answer's watch_list is the front door's; the client's frame comes from what it then learns.
void watch_presence(const Context&, const command::Command&, View&, Draft&);

/// Tells the connected members; in conversations of more than 100 members, nobody.
void set_typing(const Context&, const command::Command&, View&, Draft&);

}  // namespace holdfast::chat

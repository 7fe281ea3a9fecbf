/// Who has a name.
#pragma once

#include <optional>

#include "server/chat/rules.h"

namespace holdfast::chat {

/// Nothing if nobody has it, has it any more, or the row is missing().
std::optional<UserId> user_named(std::string_view username, View& view);

/// Who has this name, or who this user is: UserReply or NOT_FOUND. Reads.
void find_user(const Context& context, const command::Command& command, View& view, Draft& draft);
/// Done if all of these users exist; NOT_FOUND, naming the first that doesn't. Reads.
void check_users(const Context& context, const command::Command& command, View& view, Draft& draft);

}  // namespace holdfast::chat

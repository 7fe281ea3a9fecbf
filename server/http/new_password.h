/// What is asked of a password that somebody sets on a page, in the user's words: what the protocol asks (a length, and
/// that it is not among the first that a guesser tries: server/chat/common_passwords.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/chat/limits.h"

namespace holdfast::http {

/// In words for the user; nothing if it will do. `username` may be unknown: empty.
std::optional<std::string> complaint_about_password(const std::string& password, std::string_view username,
                                                    const chat::Limits& limits);

}  // namespace holdfast::http

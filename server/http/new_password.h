/// What is asked of a password that somebody sets on a page: a length, and that it is not among the first that a guesser
/// tries.
///
/// Common are the words of common_words.cc, whatever stands before or behind them in digits and signs and whichever
/// letters are written as digits ("P@ssw0rd2024!"), runs of the keyboard or the alphabet, a few characters again and again,
/// and the user's name. Nothing is said of letters, digits and signs: length is what helps (NIST SP 800-63B, 5.1.1.2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/chat/limits.h"

namespace holdfast::http {

/// In words for the user; nothing if it will do. `username` may be unknown: empty.
std::optional<std::string> complaint_about_password(const std::string& password, std::string_view username,
                                                    const chat::Limits& limits);

bool is_common_password(std::string_view password, std::string_view username);

/// Words of which one, or two, make a common password; in lower case, sorted.
bool is_common_word(std::string_view word);
std::size_t common_words();

}  // namespace holdfast::http

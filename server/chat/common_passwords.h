/// Passwords that a guesser tries first: who sets one is asked for another, on the pages and in the protocol alike.
///
/// Common are the words of common_words.cc, one or two of them, whatever stands before or behind in digits and signs and
/// whichever letters are written as digits ("P@ssw0rd2024!"); runs of the keyboard or the alphabet; a few characters again
/// and again; and the user's name. Capitals count for nothing. Of 16 bytes and more only what is nothing but that. Nothing is
/// asked of letters, digits and signs: length is what helps (NIST SP 800-63B, 5.1.1.2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proto/client.pb.h"

namespace holdfast::chat {

bool is_common_password(std::string_view password, std::string_view username);
/// INVALID_ARGUMENT, as every field that will not do, for who sets such a password. `username` may be unknown: empty.
std::optional<v1::Error> refuse_common(std::string_view password, std::string_view username);

/// Words of which one, or two, make a common password; in lower case.
bool is_common_word(std::string_view word);
std::size_t common_words();

}  // namespace holdfast::chat

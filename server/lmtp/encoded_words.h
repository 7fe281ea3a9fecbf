/// Encoded words in headers (RFC 2047): `=?utf-8?B?w6Q=?=`.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::lmtp {

/// A header's value as text, in UTF-8 and on one line. Blanks between two encoded words are not text (6.2). What is no
/// encoded word, or in a charset that nobody knows, stays as it stands.
std::string decode_words(std::string_view value);

}  // namespace holdfast::lmtp

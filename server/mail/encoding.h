/// Text as mail carries it: all of it ASCII, in short lines. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace holdfast::mail {

/// What is no UTF-8 (RFC 3629) becomes U+FFFD, one for each byte that fits nowhere.
std::string valid_utf8(std::string_view text);

/// Free text as the inside of one header line: control characters and runs of blanks become one blank, ends trimmed.
std::string one_line(std::string_view text);

/// RFC 5322, 3.3, in UTC: "Sun, 29 Nov 2026 09:35:51 +0000".
std::string mail_date(WallTime time);

/// "Name: value" CRLF, folded at blanks so that lines stay within 78 bytes where blanks allow.
std::string header_line(std::string_view name, std::string_view value);

/// A subject or the like: as it is where it is plain ASCII, otherwise as encoded words (RFC 2047), none of which splits a
/// character.
std::string unstructured(std::string_view text);
/// A name before an address: a quoted string, or encoded words.
std::string display_name(std::string_view text);

/// RFC 2045, 6.7; lines end with CRLF, whatever they ended with. Also a dot that begins a line is encoded, since not every
/// way of a mail is SMTP.
std::string quoted_printable(std::string_view text);

std::string base64(std::string_view bytes);

}  // namespace holdfast::mail

/// From the charsets that mails come in to UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::lmtp {

/// What is no UTF-8 (RFC 3629) becomes U+FFFD, one for each byte that fits nowhere.
std::string repair_utf8(std::string_view bytes);

void append_utf8(std::string& out, char32_t code_point);  ///< U+FFFD for what is no character

/// `charset` in any case; empty: us-ascii. What has no meaning in it becomes U+FFFD, so that one odd byte costs one sign
/// and not the mail. us-ascii is read as UTF-8, and iso-8859-1 as windows-1252, as browsers do: more senders mean that
/// than say so. utf-8, us-ascii, iso-8859-1, windows-1252 by ourselves; the others that are common by libc's iconv.
/// Fails with unsupported.
Result<std::string> to_utf8(std::string_view bytes, std::string_view charset);

}  // namespace holdfast::lmtp

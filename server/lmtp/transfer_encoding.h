/// Content-Transfer-Encoding (RFC 2045, 6): how a part's bytes travel.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::lmtp {

/// Lenient, as RFC 2045 asks: in base64 what is no digit is passed over, and nothing behind the padding is read; in
/// quoted-printable a "=" that begins nothing stands for itself, and blanks at a line's end are gone.
std::string decode_base64(std::string_view text);
std::string decode_quoted_printable(std::string_view text);

/// `encoding` as the header has it, in any case; empty: 7bit. Fails with unsupported.
Result<std::string> decode_transfer(std::string_view body, std::string_view encoding);

}  // namespace holdfast::lmtp

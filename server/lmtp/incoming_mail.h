/// A mail as it comes in: what its sender wrote, as plain text, and the header.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/lmtp/header_fields.h"
#include "server/lmtp/mime.h"

namespace holdfast::lmtp {

/// A value; owns what it has.
struct IncomingMail {
  HeaderFields header;       ///< of the whole mail
  std::string content_type;  ///< of the whole mail: "multipart/report"
  std::string subject;       ///< decoded (RFC 2047), one line
  std::string
      message_id;  ///< "<left@right>"; one made of a hash of all bytes if the mail has none, so that the same mail
                   ///< has the same one whenever it is handed over
  /// UTF-8, lines end with LF, no control characters but tabs: the text/plain parts in their order, or, where a choice
  /// has none, its text/html turned to text. Quotes and signatures are still there.
  std::string text;
  std::size_t attachments = 0;  ///< parts that were left out of the text
};

/// Fails with too_large (a bound), invalid_argument (broken, or no text in it) or unsupported (a charset or transfer
/// encoding that nobody knows); the message says what was wrong, for the sender to read, and quotes nothing of the mail.
Result<IncomingMail> parse_mail(std::string_view bytes, const MimeBounds& bounds = {});

}  // namespace holdfast::lmtp

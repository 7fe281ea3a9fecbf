/// compose(): what a mail says becomes the text that goes over the wire (RFC 5322, 2045 to 2047, 3834, 8058).
///
/// Pure: the same input gives the same bytes, so a repeat is the same mail under the same Message-ID. Header injection is
/// impossible by construction: addresses and ids are types that can't hold a line break, and free text (subject, names)
/// has its control characters turned into blanks and is encoded where it is not plain ASCII.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/mail/mail.h"

namespace holdfast::mail {

struct Headers {
  Address from;
  std::string from_name;  ///< UTF-8; empty: none
  Address to;
  std::string subject;  ///< UTF-8, one line
  MessageId id;
  WallTime date;
  std::optional<Address> reply_to;
  std::vector<MessageId> references;  ///< of the thread, oldest first; the last one is what In-Reply-To names
  std::string unsubscribe_url;        ///< https://…, takes a POST (RFC 8058); empty: the mail can't be unsubscribed
};

/// The same said twice.
struct Content {
  std::string text;  ///< UTF-8, lines end with LF or CRLF
  std::string html;  ///< UTF-8; empty: the mail is plain text only
};

/// Lines of at most 998 bytes (78 but for long addresses, ids and URLs), all ASCII, `Auto-Submitted: auto-generated`.
/// Bytes that are no UTF-8 become U+FFFD. invalid_argument: the URL is not https, or can't stand in a header.
Result<Mail> compose(const Headers& headers, const Content& content);

}  // namespace holdfast::mail

/// Mail that no person wrote as an answer: out-of-office notes, bounces, mailing lists, loops. Posting it would be noise
/// at best, and at worst two machines that answer each other for ever.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/lmtp/header_fields.h"
#include "server/lmtp/reply.h"

namespace holdfast::lmtp {

struct AutoMailRules {
  std::size_t received_max = 30;  ///< "Received" lines; more is a loop (RFC 5321, 6.3)
  /// Whether a Message-ID ("<left@right>") is one that our own mails have. Empty: none is.
  std::function<bool(std::string_view message_id)> is_own_message_id;
};

/// For AutoMailRules: ids as server/mail/message_id.h makes them of 16 bytes, in `domain`. Others may have mail in that
/// domain, too, and theirs look different.
std::function<bool(std::string_view message_id)> own_message_ids(std::string domain);

/// A refusal that the sender's server will not try again, or nothing. By the envelope: the null sender, and the
/// addresses that bounces come from.
std::optional<Reply> refuse_sender(std::string_view envelope_sender);

/// The same by the header of the whole mail: RFC 3834 (Auto-Submitted), RFC 2076 (Precedence), RFC 2919 (List-Id),
/// RFC 6522 (multipart/report), what autoresponders mark their mail with, and loops.
std::optional<Reply> refuse_automatic(const HeaderFields& header, const AutoMailRules& rules);

}  // namespace holdfast::lmtp

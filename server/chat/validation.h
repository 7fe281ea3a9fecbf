/// What people may type: each check gives a message that names the field and its bound, or nothing if all is well.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/chat/limits.h"

namespace holdfast::chat {

using Complaint = std::optional<std::string>;

/// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

/// [a-z0-9._-], 1 to username_bytes_max.
Complaint bad_username(std::string_view username, const Limits& limits);
/// A password that somebody wants to set. Any bytes but NUL, which would end it early in other hands.
Complaint bad_new_password(std::string_view password, const Limits& limits);
/// A password that somebody claims to be right: only too long is bad.
Complaint bad_password(std::string_view password, const Limits& limits);
/// Empty is fine: it removes the address. Not a proof that the address exists, which only a mail gives.
Complaint bad_email(std::string_view email, const Limits& limits);
Complaint bad_device_name(std::string_view name, const Limits& limits);
/// Of a group: 1 to title_bytes_max bytes of UTF-8, no control characters.
Complaint bad_title(std::string_view title, const Limits& limits);

/// `text` is UTF-8 without control characters, of at most `bytes_max` bytes.
Complaint bad_text(std::string_view field, std::string_view text, std::size_t bytes_max);

}  // namespace holdfast::chat

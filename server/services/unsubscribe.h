/// Switching mails about missed messages off by a link in one of them, without a log-in (RFC 8058).
///
///   token = base64url (RFC 4648, 5, without padding) of user:16 || secret:32         64 characters
///
/// The secret is derived from the user's id, so nothing is stored for it and it holds for as long as the account does:
/// whoever has it can switch mails off, and nothing else.
#pragma once

#include <string>

#include "base/result.h"
#include "base/task.h"
#include "server/chat/backend.h"

namespace holdfast::services {

std::string unsubscribe_token(const chat::MailKey& key, const UserId& user);
/// The page for it. `base_url`: of the users' pages, without a slash at its end.
std::string unsubscribe_url(const std::string& base_url, const chat::MailKey& key, const UserId& user);

/// The user that the token is for. Errc::not_found if it is none of ours.
Result<UserId> unsubscriber(const chat::MailKey& key, std::string_view token);

/// Errc::not_found: the token is none, or the account is gone; retry_later. Again: it is off already, and that is well.
Task<Status> unsubscribe(chat::Backend& backend, std::string token);

}  // namespace holdfast::services

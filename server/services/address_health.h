/// Addresses that refuse mail for good: after three refusals in a row an address is verified no more, no mail but that which
/// verifies it goes there, and its owner is told in chat.
///
/// Noted with the account when an intent ends, in the same entry. A mail that is taken starts the count anew; so does
/// another address, and verifying this one again. What could not be tried (no relay, a relay that is down) counts for
/// nothing, and so does what went to an address that the account does not have any more.
#pragma once

#include <string>

#include "server/chat/rules.h"

namespace holdfast::services {

inline constexpr std::uint32_t kRefusalsMax = 3;

void note_mail_taken(const UserId& user, const std::string& address, chat::View& view, chat::Draft& draft);
void note_mail_refused(const UserId& user, const std::string& address, chat::View& view, chat::Draft& draft);

/// What the owner is sent: when it comes to that, and whenever a device comes while it is so.
v1::ServerFrame email_failing(const state::Account& account);

}  // namespace holdfast::services

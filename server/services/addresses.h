/// Addresses of accounts: that they are their owners', and who can be found by one.
///
/// An address is verified by a link that was mailed to it, once. address/<hash>, in the partition of the hash, names who has
/// verified it; it is not unique. That row is written by way of the bus (account_mail.h), so it may be behind for a moment:
/// whoever finds a user by it looks at the account again.
#pragma once

#include <string>

#include "server/chat/rules.h"
#include "server/services/due.h"

namespace holdfast::services {

/// A mail with a link to `address`, for the account that has it and has not verified it; the link before is void. False:
/// asked for too often, and nothing is written. `secrets` is the row, to be saved by the caller.
bool begin_verification(const chat::Context& context, const UserId& user, const IntentId& intent,
                        const state::Account& account, state::Secrets& secrets, chat::Draft& draft);

/// Rules.
/// By the owner, once more: PRECONDITION_FAILED if there is nothing to verify, RATE_LIMITED if often enough.
void ask_verification(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
/// PRECONDITION_FAILED if the secret does not stand (any more), or is of another address.
void use_verification(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
void link_address(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
/// Who is to be mailed a reset. With a user: may the address be mailed to be verified once more? RATE_LIMITED: not now.
void ask_by_address(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
/// Of due.h: a row that nobody is found by is kept for as long as what it counts.
void address_due(const chat::Context&, const Due&, chat::View&, chat::Draft&);

void unlink(const UserId& user, const std::string& address_hash, chat::View& view, chat::Draft& draft);

/// Of wanted.h.
bool is_verification_wanted(const chat::Context&, const UserId&, const IntentId&, const state::Intent&, chat::View&);

}  // namespace holdfast::services

/// An account's e-mail address: set by its owner, or by an operator who knows it to be the owner's.
///
/// Both say so in events; the mails about it, and who is found by the address, are the services' (server/services/addresses.h).
/// A reset may be on its way to the address before, so the ways back become void.
#pragma once

#include <string>

#include "server/chat/session_book.h"

namespace holdfast::chat {

/// Not verified; empty: the account has none. The address that it has, and has verified, is left as it is.
void set_address(const std::string& email, SessionBook& book, View& view, Draft& draft);
/// Verified. `hash`: MailKey::address_hash() of it.
void set_verified_address(const std::string& email, const std::string& hash, SessionBook& book, View& view,
                          Draft& draft);

}  // namespace holdfast::chat

/// Where somebody came from, as exactly as the audit journal is to keep it.
#pragma once

#include <string>
#include <string_view>

#include "server/chat/limits.h"

namespace holdfast::chat {

/// `address`: an IP address as text. Cut to its network ("192.0.2.0/24", "2001:db8:1::/48") or left out, if so
/// configured; what is no address is left out then, too.
std::string audited_address(std::string_view address, const Limits& limits);

}  // namespace holdfast::chat

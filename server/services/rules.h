/// The rules of the services, beside chat's: the same look-ups, over both tables.
///
/// A service adds its commands here, its requests in flows.h, its timers in due.h, its subscriber in services.h; chat
/// knows nothing of it.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::services {

/// As chat's: never null, never wrong about writing, and in the order of the key.
chat::Rule rule_for(const command::Command& command);
bool is_read_only(const command::Command& command);
std::string_view order_key(const command::Command& command);

}  // namespace holdfast::services

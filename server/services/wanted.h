/// Whether an intent is still wanted at the moment of sending.
///
/// One line for each mail that can be overtaken by what happens meanwhile: a reset whose token was replaced, a message
/// that was read. What has no line is wanted as long as the account exists.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::services {

using IsWanted = bool (*)(const chat::Context&, const UserId&, const IntentId&, const state::Intent&, chat::View&);

bool is_wanted(const chat::Context& context, const UserId& user, const IntentId& id, const state::Intent& intent,
               chat::View& view);

}  // namespace holdfast::services

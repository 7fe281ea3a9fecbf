/// A mail about missed messages at the moment of its sending: whether it is still wanted, and what it says by then.
#pragma once

#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::services {

/// Nothing that a device has acknowledged, that was read, muted, left or hidden, and nothing to whom wants no mail.
bool is_missed_wanted(const chat::Context&, const UserId&, const IntentId&, const state::Intent&, chat::View&);

/// Rule for PrepareMissed, of an intent that was begun: looks once more, and from now on takes answers to the mail. Asked
/// again it answers anew.
void prepare_missed(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);

}  // namespace holdfast::services

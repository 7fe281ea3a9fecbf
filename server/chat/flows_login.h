/// Flows that give a connection its session with a password.
#pragma once

#include "server/chat/flow.h"

namespace holdfast::chat {

/// Hashes first, asks then: so a taken name costs what a free one does. Repeated with the same id and the right
/// password, it is a log-in to the account that the first try made, with the same session.
Task<RequestOutcome> register_account(FlowRequest request);
/// Unknown users cost a hash too, and get the very answer of a wrong password.
Task<RequestOutcome> log_in(FlowRequest request);

}  // namespace holdfast::chat

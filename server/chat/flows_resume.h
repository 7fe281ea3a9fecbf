/// The flow that gives a connection its session back with a token.
#pragma once

#include "server/chat/flow.h"

namespace holdfast::chat {

/// No hash, no write before the answer. What follows from it is asked for behind it: confirming a token that was used,
/// offering a new one (pushed once it is durable), ending the session that was stolen, noting that it is in use.
Task<RequestOutcome> resume(FlowRequest request);

}  // namespace holdfast::chat

/// Flows of the protocol for getting back into an account, and for its address.
#pragma once

#include "server/chat/flow.h"

namespace holdfast::services {

/// Answered before anything is looked up: the same for known and unknown, at once. RATE_LIMITED where this node has been
/// asked too often of late, by anybody, for anybody.
Task<chat::RequestOutcome> request_password_reset(chat::FlowRequest request);
Task<chat::RequestOutcome> resend_verification(chat::FlowRequest request);
Task<chat::RequestOutcome> verify_address(chat::FlowRequest request);

/// Operators'.
Task<chat::RequestOutcome> reset_password(chat::FlowRequest request);
Task<chat::RequestOutcome> recover_account(chat::FlowRequest request);

}  // namespace holdfast::services

/// Flows of operators. The right to them is checked before.
#pragma once

#include "server/chat/flow.h"

namespace holdfast::chat {

/// Each user gets its own answer; what is wrong with one costs the others nothing.
Task<RequestOutcome> provision_users(FlowRequest request);
Task<RequestOutcome> set_account_status(FlowRequest request);
/// As the user's own DeleteAccount, without a password.
Task<RequestOutcome> delete_user(FlowRequest request);
Task<RequestOutcome> rotate_token_key(FlowRequest request);

}  // namespace holdfast::chat

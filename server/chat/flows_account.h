/// Flows that ask for the password again, on a live session. A wrong one is counted as a failed log-in is.
#pragma once

#include "server/chat/flow.h"

namespace holdfast::chat {

Task<RequestOutcome> change_password(FlowRequest request);
Task<RequestOutcome> set_email(FlowRequest request);
Task<RequestOutcome> delete_account_asked(FlowRequest request);

}  // namespace holdfast::chat

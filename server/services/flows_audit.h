/// Requests about the audit journal.
#pragma once

#include "server/chat/flow.h"

namespace holdfast::services {

/// What concerns the asking user, the newest first; not where operators and other users were.
Task<chat::RequestOutcome> get_audit_log(chat::FlowRequest request);

}  // namespace holdfast::services

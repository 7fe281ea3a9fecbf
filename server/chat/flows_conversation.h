/// Flows about other users and conversations that two or more partitions have a say in.
#pragma once

#include "server/chat/flow.h"

namespace holdfast::chat {

Task<RequestOutcome> get_user(FlowRequest request);
Task<RequestOutcome> block_user(FlowRequest request);
/// That the other users exist is asked first, of their partitions; then the conversation decides.
Task<RequestOutcome> open_direct_asked(FlowRequest request);
Task<RequestOutcome> create_group_asked(FlowRequest request);
Task<RequestOutcome> add_members_asked(FlowRequest request);
/// What the caller's own list hides, then the page.
Task<RequestOutcome> get_history(FlowRequest request);

}  // namespace holdfast::chat

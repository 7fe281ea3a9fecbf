/// Ids that are derived, so that whoever asks again, and wherever, gets the same one.
#pragma once

#include "base/ids.h"

namespace holdfast::chat {

/// The one conversation of these two users, whoever starts it. a and b differ.
ConversationId direct_conversation(const UserId& a, const UserId& b);

/// The group that `owner` creates with this request.
ConversationId group_conversation(const UserId& owner, const RequestId& request);

}  // namespace holdfast::chat

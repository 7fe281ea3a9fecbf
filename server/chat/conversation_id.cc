#include "server/chat/conversation_id.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"

namespace holdfast::chat {

ConversationId direct_conversation(const UserId& a, const UserId& b) {
  HF_CHECK(a != b, "a direct conversation has two users");
  const auto [low, high] = std::minmax(a, b);
  return ConversationId(blake2b_128({"direct", low.bytes(), high.bytes()}));
}

ConversationId group_conversation(const UserId& owner, const RequestId& request) {
  return ConversationId(blake2b_128({"group", owner.bytes(), request.bytes()}));
}

}  // namespace holdfast::chat

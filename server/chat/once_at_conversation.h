/// Idempotent where it is decided at a conversation: a row of the table of rules names the rule this way.
#pragma once

#include "server/chat/conversation_id.h"
#include "server/chat/once.h"
#include "server/chat/request_ids.h"
#include "server/chat/standing.h"

namespace holdfast::chat {

template <Rule rule>
void once_at_conversation(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const auto id = take_id<ConversationId>(conversation_id_of(command.request()), "conversation_id", draft);
  if (id) once(context, command, id->bytes(), view, draft, rule);
}

/// For the request that creates the group and so derives its id.
template <Rule rule>
void once_at_new_group(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const auto request = take_id<RequestId>(command.request().idempotency_id(), "idempotency_id", draft);
  if (!request) return;
  const ConversationId id = group_conversation(caller_of(command), *request);
  once(context, command, id.bytes(), view, draft, rule);
}

}  // namespace holdfast::chat

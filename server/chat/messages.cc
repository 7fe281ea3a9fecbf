#include "server/chat/messages.h"

#include "base/uuid.h"
#include "server/chat/changes.h"
#include "server/chat/standing.h"
#include "storage/keys.h"

namespace holdfast::chat {

namespace {

bool check_body(const Limits& limits, std::string_view content_type, std::string_view body, Draft& draft) {
  if (body.empty()) {
    draft.refuse(v1::INVALID_ARGUMENT, "body is empty");
  } else if (body.size() > limits.body_bytes_max) {
    draft.refuse(v1::TOO_LARGE, "body has at most " + std::to_string(limits.body_bytes_max) + " bytes");
  } else if (content_type.size() > limits.content_type_bytes_max) {
    draft.refuse(v1::INVALID_ARGUMENT,
                 "content_type has at most " + std::to_string(limits.content_type_bytes_max) + " bytes");
  }
  return !draft.refused();
}

std::optional<RequestId> take_message_id(const Context& context, std::string_view bytes, Draft& draft) {
  std::optional<RequestId> id = RequestId::from_bytes(bytes);
  if (!id || !is_uuid7(*id) || time_of(*id) > context.now + context.limits.request_id_ahead_max) {
    draft.refuse(v1::INVALID_ARGUMENT, "client_message_id is a UUIDv7 of now, by the server's time");
    return std::nullopt;
  }
  if (time_of(*id) < context.now - context.limits.request_id_age_max) {
    draft.refuse(v1::STALE_ID, "client_message_id is older than seven days");
    return std::nullopt;
  }
  return id;
}

/// Answers a post that was made before.
bool answer_repeated(const std::string& key, View& view, Draft& draft) {
  auto made = view.get<state::ClientId>(key);
  if (!made) return false;
  v1::ChangeReply& reply = *draft.frame().mutable_change();
  reply.set_number(made->number());
  reply.set_time_ms(made->time_ms());
  return true;
}

bool check_can_post(const Standing& standing, const v1::Post& request, Draft& draft) {
  if (!standing.direct() && !is_present(standing.member)) {
    draft.refuse(v1::PERMISSION_DENIED, "no longer a member");
  } else if (standing.direct() && standing.conversation.peers(1 - standing.peer).deleted()) {
    draft.refuse(v1::PRECONDITION_FAILED, "the other account was deleted");
  } else if (request.reply_to() > standing.conversation.last_number()) {
    draft.refuse(v1::INVALID_ARGUMENT, "reply_to names a change that does not exist yet");
  }
  return !draft.refused();
}

void put_client_id(const std::string& key, const v1::Change& change, Draft& draft) {
  state::ClientId made;
  made.set_number(change.number());
  made.set_time_ms(change.time_ms());
  draft.put(key, made);
}

}  // namespace

void post(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::Post& request = command.request().post();
  if (!check_body(context.limits, request.content_type(), request.body(), draft)) return;
  const std::optional<RequestId> message = take_message_id(context, request.client_message_id(), draft);
  if (!message) return;
  // Who has left meanwhile may still ask what became of a post made before.
  std::optional<Standing> standing = find_standing(command, request.conversation_id(), Need::reader, view, draft);
  if (!standing) return;

  state::Conversation& conversation = standing->conversation;
  state::Conversation::Peer* self = standing->direct() ? conversation.mutable_peers(standing->peer) : nullptr;
  const bool newest = self && message->bytes() > self->last_client_id();
  const std::string key = keys::client_id(standing->id, standing->user, *message);
  if (!newest && answer_repeated(key, view, draft)) return;
  if (!check_can_post(*standing, request, draft)) return;

  v1::Change change = next_change(context, conversation, command.user(), true);
  v1::Posted& posted = *change.mutable_posted();
  posted.set_client_message_id(request.client_message_id());
  posted.set_content_type(request.content_type());
  posted.set_body(request.body());
  posted.set_reply_to(request.reply_to());
  if (newest) self->set_last_client_id(request.client_message_id());

  make_change(standing->id, conversation, change, draft);
  put_conversation(standing->id, conversation, draft);
  put_client_id(key, change, draft);
  answer_change(change, draft);
}

}  // namespace holdfast::chat

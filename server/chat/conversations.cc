#include "server/chat/conversations.h"

#include <algorithm>

#include "server/chat/changes.h"
#include "server/chat/conversation_id.h"
#include "server/chat/groups.h"
#include "server/chat/standing.h"
#include "server/chat/validation.h"
#include "storage/keys.h"

namespace holdfast::chat {

namespace {

void answer_conversation(const ConversationId& id, std::uint64_t number, Draft& draft) {
  v1::ConversationReply& reply = *draft.frame().mutable_conversation();
  reply.set_conversation_id(id.str());
  reply.set_number(number);
}

void create_direct(const Context& context, const ConversationId& id, const UserId& caller, const UserId& other,
                   Draft& draft) {
  state::Conversation conversation;
  conversation.set_kind(v1::DIRECT);
  v1::Created created;
  created.set_kind(v1::DIRECT);
  for (const UserId& user : {std::min(caller, other), std::max(caller, other)}) {
    conversation.add_peers()->set_user(user.str());
    created.add_members(user.str());
  }
  v1::Change change = next_change(context, conversation, caller.bytes());
  *change.mutable_created() = std::move(created);
  make_change(id, conversation, change, draft);
  put_conversation(id, conversation, draft);
  answer_conversation(id, change.number(), draft);
}

bool check_title(const Limits& limits, std::string_view title, Draft& draft) {
  const Complaint complaint = bad_title(title, limits);
  if (complaint) draft.refuse(v1::INVALID_ARGUMENT, *complaint);
  return !complaint;
}

}  // namespace

void open_direct(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const UserId caller = caller_of(command);
  const auto other = take_id<UserId>(command.request().open_direct().user_id(), "user_id", draft);
  if (!other) return;
  if (*other == caller) return draft.refuse(v1::INVALID_ARGUMENT, "user_id is the caller's own");
  const ConversationId id = direct_conversation(caller, *other);
  if (auto conversation = view.get<state::Conversation>(keys::conversation(id))) {
    return answer_conversation(id, conversation->last_number(), draft);
  }
  create_direct(context, id, caller, *other, draft);
}

void create_group(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::CreateGroup& request = command.request().create_group();
  const UserId caller = caller_of(command);
  const auto request_id = take_id<RequestId>(command.request().idempotency_id(), "idempotency_id", draft);
  if (!request_id || !check_title(context.limits, request.title(), draft)) return;
  const auto members = take_members(context.limits, request.members(), draft);
  if (!members) return;
  const ConversationId id = group_conversation(caller, *request_id);
  // The answer kept for the request is what is looked at first; this is for one that outlived it.
  if (auto conversation = view.get<state::Conversation>(keys::conversation(id))) {
    return answer_conversation(id, conversation->last_number(), draft);
  }

  state::Conversation conversation;
  conversation.set_kind(v1::GROUP);
  conversation.set_title(request.title());
  conversation.set_owner(caller.str());
  v1::Change change = next_change(context, conversation, caller.bytes());
  v1::Created& created = *change.mutable_created();
  created.set_kind(v1::GROUP);
  created.set_title(request.title());
  created.add_members(caller.str());
  join(id, caller, v1::OWNER, {}, change.number(), conversation, draft);
  for (const UserId& member : *members) {
    if (member == caller) continue;
    created.add_members(member.str());
    join(id, member, v1::MEMBER, {}, change.number(), conversation, draft);
  }
  make_change(id, conversation, change, draft);
  put_conversation(id, conversation, draft);
  answer_conversation(id, change.number(), draft);
}

void rename_group(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::RenameGroup& request = command.request().rename_group();
  if (!check_title(context.limits, request.title(), draft)) return;
  std::optional<Standing> standing = find_standing(command, request.conversation_id(), Need::admin, view, draft);
  if (!standing) return;
  standing->conversation.set_title(request.title());
  v1::Change change = next_change(context, standing->conversation, command.user());
  change.mutable_renamed()->set_title(request.title());
  make_change(standing->id, standing->conversation, change, draft);
  put_conversation(standing->id, standing->conversation, draft);
  answer_change(change, draft);
}

}  // namespace holdfast::chat

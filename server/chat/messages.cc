#include "server/chat/messages.h"

#include <algorithm>

#include "server/chat/changes.h"
#include "server/chat/once.h"
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
  const std::optional<RequestId> message =
      accept_request_id(context, request.client_message_id(), "client_message_id", draft);
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

namespace {

/// A post on which something happens.
struct Target {
  Standing standing;
  v1::Change post;
};

/// The post, if the caller may see it and it is not deleted; otherwise refuses NOT_FOUND.
std::optional<Target> find_target(const command::Command& command, std::string_view conversation_id,
                                  std::uint64_t number, View& view, Draft& draft) {
  std::optional<Standing> standing = find_standing(command, conversation_id, Need::member, view, draft);
  if (!standing) return std::nullopt;
  std::optional<v1::Change> post;
  if (standing->covers(number)) post = find_change(standing->id, number, view);
  if (!post || !post->has_posted() || post->posted().deleted()) {
    draft.refuse(v1::NOT_FOUND, post && post->has_posted() ? "the message was deleted" : "no such message");
    return std::nullopt;
  }
  return Target{std::move(*standing), std::move(*post)};
}

/// Writes the step as the conversation's next change, the post as it is now, and answers.
void finish(Target& target, const v1::Change& step, Draft& draft) {
  draft.put(keys::change(target.standing.id, target.post.number()), target.post);
  make_change(target.standing.id, target.standing.conversation, step, draft);
  put_conversation(target.standing.id, target.standing.conversation, draft);
  answer_change(step, draft);
}

bool is_author(const Target& target) { return target.post.author() == target.standing.user.bytes(); }

}  // namespace

void edit_post(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::Edit& request = command.request().edit();
  if (!check_body(context.limits, request.content_type(), request.body(), draft)) return;
  auto target = find_target(command, request.conversation_id(), request.number(), view, draft);
  if (!target) return;
  if (!is_author(*target)) return draft.refuse(v1::PERMISSION_DENIED, "only the author edits a message");
  v1::Posted& posted = *target->post.mutable_posted();
  if (static_cast<std::size_t>(posted.edit_numbers_size()) >= context.limits.edits_of_a_post_max) {
    return draft.refuse(v1::TOO_LARGE,
                        "a message is edited at most " + std::to_string(context.limits.edits_of_a_post_max) + " times");
  }
  v1::Change step = next_change(context, target->standing.conversation, command.user());
  v1::Edited& edited = *step.mutable_edited();
  edited.set_target(request.number());
  edited.set_content_type(request.content_type());
  edited.set_body(request.body());
  posted.set_content_type(request.content_type());
  posted.set_body(request.body());
  posted.set_edited_number(step.number());
  posted.add_edit_numbers(step.number());
  finish(*target, step, draft);
}

namespace {

/// The bodies that the edits' own rows keep.
void clear_edits(const Target& target, View& view, Draft& draft) {
  for (const std::uint64_t number : target.post.posted().edit_numbers()) {
    auto edit = find_change(target.standing.id, number, view);
    if (!edit) continue;
    edit->mutable_edited()->clear_body();
    edit->mutable_edited()->clear_content_type();
    draft.put(keys::change(target.standing.id, number), *edit);
  }
}

}  // namespace

void delete_post(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::Delete& request = command.request().delete_();
  auto target = find_target(command, request.conversation_id(), request.number(), view, draft);
  if (!target) return;
  const v1::Role role = target->standing.role();
  if (!is_author(*target) && role != v1::ADMIN && role != v1::OWNER) {
    return draft.refuse(v1::PERMISSION_DENIED, "a message is deleted by its author, in groups also by admins");
  }
  clear_edits(*target, view, draft);
  v1::Posted& posted = *target->post.mutable_posted();
  posted.clear_body();
  posted.clear_content_type();
  posted.clear_reactions();
  posted.set_deleted(true);
  v1::Change step = next_change(context, target->standing.conversation, command.user());
  step.mutable_deleted()->set_target(request.number());
  finish(*target, step, draft);
}

namespace {

/// Puts the reaction on the post, or takes it off; false if it is, or is not, there already.
bool apply_reaction(const v1::React& request, const std::string& user, v1::Posted& posted) {
  auto& reactions = *posted.mutable_reactions();
  const auto there = std::find_if(reactions.begin(), reactions.end(), [&](const v1::Reaction& reaction) {
    return reaction.user_id() == user && reaction.reaction() == request.reaction();
  });
  if ((there != reactions.end()) != request.remove()) return false;
  if (request.remove()) {
    reactions.erase(there);
  } else {
    v1::Reaction& reaction = *reactions.Add();
    reaction.set_user_id(user);
    reaction.set_reaction(request.reaction());
  }
  return true;
}

}  // namespace

void react(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::React& request = command.request().react();
  const std::size_t bytes_max = context.limits.reaction_bytes_max;
  if (request.reaction().empty() || request.reaction().size() > bytes_max) {
    return draft.refuse(v1::INVALID_ARGUMENT, "reaction has 1 to " + std::to_string(bytes_max) + " bytes");
  }
  auto target = find_target(command, request.conversation_id(), request.number(), view, draft);
  if (!target) return;
  v1::Posted& posted = *target->post.mutable_posted();
  if (!apply_reaction(request, command.user(), posted)) {
    return answer_unchanged(target->standing.conversation, draft);
  }
  if (static_cast<std::size_t>(posted.reactions_size()) > context.limits.reactions_of_a_post_max) {
    return draft.refuse(v1::TOO_LARGE, "a message has at most " +
                                           std::to_string(context.limits.reactions_of_a_post_max) + " reactions");
  }
  v1::Change step = next_change(context, target->standing.conversation, command.user());
  v1::Reacted& reacted = *step.mutable_reacted();
  reacted.set_target(request.number());
  reacted.set_reaction(request.reaction());
  reacted.set_removed(request.remove());
  finish(*target, step, draft);
}

}  // namespace holdfast::chat

#include "server/chat/changes.h"

#include "storage/keys.h"

namespace holdfast::chat {

v1::Change next_change(const Context& context, state::Conversation& conversation, std::string_view author,
                       bool is_post) {
  conversation.set_last_number(conversation.last_number() + 1);
  conversation.set_last_time_ms(to_ms(context.now));
  if (is_post) conversation.set_posts(conversation.posts() + 1);
  v1::Change change;
  change.set_number(conversation.last_number());
  change.set_time_ms(conversation.last_time_ms());
  change.set_author(author.data(), author.size());
  change.set_posts(conversation.posts());
  return change;
}

log::ChangeMade& make_change(const ConversationId& id, const state::Conversation& conversation,
                             const v1::Change& change, Draft& draft) {
  const std::uint32_t index = draft.put(keys::change(id, change.number()), change);
  log::ChangeMade& made = *draft.emit().mutable_change_made();
  made.set_conversation(id.bytes().data(), id.bytes().size());
  made.set_number(change.number());
  made.set_write_index(index);
  // The switch itself goes out as a row in both directions: devices learn from it what to expect next.
  made.set_large(conversation.large() && !change.has_delivery_changed());
  if (conversation.kind() == v1::DIRECT) {
    made.set_direct(true);
    made.set_member_count(2);
    for (const auto& peer : conversation.peers()) {
      if (!peer.deleted()) made.add_recipients(peer.user());
    }
  } else {
    made.set_member_count(conversation.members());
  }
  return made;
}

void put_conversation(const ConversationId& id, const state::Conversation& conversation, Draft& draft) {
  draft.put(keys::conversation(id), conversation);
}

void answer_change(const v1::Change& change, Draft& draft) {
  v1::ChangeReply& reply = *draft.frame().mutable_change();
  reply.set_number(change.number());
  reply.set_time_ms(change.time_ms());
}

void answer_unchanged(const state::Conversation& conversation, Draft& draft) {
  v1::ChangeReply& reply = *draft.frame().mutable_change();
  reply.set_number(conversation.last_number());
  reply.set_time_ms(conversation.last_time_ms());
}

std::optional<v1::Change> find_change(const ConversationId& id, std::uint64_t number, View& view) {
  return view.get<v1::Change>(keys::change(id, number));
}

bool take_source(const command::Command& command, View& view, Draft& draft) {
  if (!command.has_source()) return true;
  const command::Source& source = command.source();
  const std::string key =
      keys::source(PartitionId(static_cast<std::uint16_t>(source.partition())), source.subscriber());
  if (auto taken = view.get<state::Source>(key)) {
    if (std::pair(source.seq(), source.event()) <= std::pair(taken->seq(), taken->event())) return false;
  }
  state::Source now;
  now.set_seq(source.seq());
  now.set_event(source.event());
  draft.put(key, now);
  return true;
}

}  // namespace holdfast::chat

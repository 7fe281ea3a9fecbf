/// Taking a conversation's next number: the one way in which a conversation changes.
///
/// Invariant: numbers are 1, 2, 3 … without gaps, Change.posts counts the posts up to and including the change, and
/// every change has its row and its ChangeMade event in the same entry.
#pragma once

#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::chat {

/// The next change, with number, time, author and posts; the caller says what it is. The conversation's row moves on;
/// write it (put_conversation) once, after the last change.
v1::Change next_change(const Context& context, state::Conversation& conversation, std::string_view author,
                       bool is_post = false);

/// Writes the change and emits its event, to be completed with `also` where someone comes or goes.
log::ChangeMade& make_change(const ConversationId& id, const state::Conversation& conversation,
                             const v1::Change& change, Draft& draft);

void put_conversation(const ConversationId& id, const state::Conversation& conversation, Draft& draft);

void answer_change(const v1::Change& change, Draft& draft);
/// Nothing was to be done: the answer is the newest change.
void answer_unchanged(const state::Conversation& conversation, Draft& draft);

/// The stored change; nothing if there is none.
std::optional<v1::Change> find_change(const ConversationId& id, std::uint64_t number, View& view);

/// Whether a subscriber's command is new; if so, notes it as taken. One that is not is answered Done, with no writes.
/// Who has no source (a test, an operator) always goes on.
bool take_source(const command::Command& command, View& view, Draft& draft);

}  // namespace holdfast::chat

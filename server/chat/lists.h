/// A user's list of conversations. In the user's partition.
#pragma once

#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::chat {

/// Newest first, pinned ones first of all. A page goes on after the line that the page before ended with, whatever has
/// moved meanwhile. Conversations of which nothing was delivered yet are not shown.
void list_conversations(const Context&, const command::Command&, View&, Draft&);
/// Muted and pinned.
void set_conversation(const Context&, const command::Command&, View&, Draft&);
/// What history must leave out for the caller.
void show_list(const Context&, const command::Command&, View&, Draft&);
/// A read position, to its owner's own list, and to their connected devices. Moves forward only.
void apply_position(const Context&, const command::Command&, View&, Draft&);

/// Posts of others after the read position that are not hidden. Exact: posting moves the author's own read position,
/// so after it only others' posts remain.
std::uint64_t unread(const state::ListEntry& entry);

/// Whether a change of the other's stands hidden at this number.
bool is_hidden(const state::ListEntry& entry, std::uint64_t number);

}  // namespace holdfast::chat

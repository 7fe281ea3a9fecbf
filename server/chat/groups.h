/// Who comes, goes and has which role in a group. In the conversation's partition.
///
/// A member's row keeps the intervals [joined, left) of change numbers; who is removed still sees the removal. The
/// switch between rows and heads in inboxes is a change of its own, right after the change of membership.
#pragma once

#include <vector>

#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::chat {

/// By admins. Who is in already stays as they are; if all are, no number is taken. The asker has made sure that the
/// users exist.
void add_members(const Context&, const command::Command&, View&, Draft&);
/// By admins; an admin only by the owner. Removing oneself is leaving.
void remove_member(const Context&, const command::Command&, View&, Draft&);
/// An owner's group goes to the oldest admin, else to the oldest member; the last one leaves an empty group.
void leave(const Context&, const command::Command&, View&, Draft&);
/// By the owner. OWNER hands the group over: the former owner is an admin then.
void set_role(const Context&, const command::Command&, View&, Draft&);

/// A deleted account leaves, whatever its role, and what it wrote is to be erased of its name.
void remove_deleted_member(const Context&, const command::Command&, View&, Draft&);
/// Takes the author's name from 200 changes, and says where to go on.
void erase_author(const Context&, const command::Command&, View&, Draft&);

/// The ids in a request: of the right length, within the bound, each once. Otherwise refuses.
std::optional<std::vector<UserId>> take_members(const Limits& limits,
                                                const google::protobuf::RepeatedPtrField<std::string>& members,
                                                Draft& draft);

/// Writes the row of a user who joins with the change `number`; `row` is their former one. Counts them.
void join(const ConversationId& id, const UserId& user, v1::Role role, state::MemberRow row, std::uint64_t number,
          state::Conversation& conversation, Draft& draft);

}  // namespace holdfast::chat

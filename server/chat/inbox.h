/// The user's inbox: what arrives, and how far devices have it. In the user's partition.
///
/// A row's position is the mailbox's next; positions rise and may have gaps. Rows below Mailbox.first are removed.
#pragma once

#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::chat {

/// One change for the users of this partition: an inbox row, or in a large conversation the head row, moved to a new
/// position; and the line in the user's list. Taken once for each source. Users without a mailbox are skipped: their
/// accounts are deleted; who is only being added is led out again (MemberDeleted). A mailbox that watches says so in an
/// event when the first post for its user comes (MissedPossible).
void deliver(const Context&, const command::Command&, View&, Draft&);

/// The session's device has stored everything up to here. Rows that every session has acknowledged are removed, a
/// stretch at a time. Moves forward only; a position beyond the inbox's head is INVALID_ARGUMENT.
void ack_inbox(const Context&, const command::Command&, View&, Draft&);

/// The newest position that any device has, or had when its session ended. A new device has what was there when it came:
/// it reads the history.
std::uint64_t acknowledged_by_any(const state::Mailbox& mailbox);

}  // namespace holdfast::chat

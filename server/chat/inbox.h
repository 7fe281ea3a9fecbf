/// The user's inbox: what arrives, and how far devices have it. In the user's partition.
///
/// A row's position is the mailbox's next; positions rise and may have gaps. Rows below Mailbox.first are removed.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

/// One change for the users of this partition: an inbox row, or in a large conversation the head row, moved to a new
/// position; and the line in the user's list. Taken once for each source. Users without a mailbox are skipped: their
/// accounts are deleted; who is only being added is led out again (MemberDeleted).
void deliver(const Context&, const command::Command&, View&, Draft&);

/// The session's device has stored everything up to here. Rows that every session has acknowledged are removed, a
/// stretch at a time. Moves forward only; a position beyond the inbox's head is INVALID_ARGUMENT.
void ack_inbox(const Context&, const command::Command&, View&, Draft&);

}  // namespace holdfast::chat

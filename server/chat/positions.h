/// How far members have received and read: the marks that others see. In the conversation's partition.
///
/// An author's own posts count as read by them without a mark.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

/// Positions only move forward; what is read is delivered. A number that doesn't exist yet is INVALID_ARGUMENT.
/// Others hear of it in direct conversations and in groups of up to 100 members.
void mark(const Context&, const command::Command&, View&, Draft&);

/// By user id, those who ever marked anything and are still members.
void get_positions(const Context&, const command::Command&, View&, Draft&);

}  // namespace holdfast::chat

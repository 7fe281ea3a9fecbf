/// Pages of a conversation's changes. In the conversation's partition.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

/// Changes by number, in both directions, within the intervals in which the caller was a member; numbers outside them
/// are left out. What the caller's block hides comes as a stub, so numbers within an interval are gapless. A page ends
/// early before its bytes outgrow a frame; `more` says whether asking on, from the number after, gives anything.
void history_for(const Context&, const command::Command&, View&, Draft&);

/// Of a page's changes in one answer; the first change always fits. A frame takes 128 KiB.
inline constexpr std::size_t kHistoryPageBytesMax = 96 << 10;

}  // namespace holdfast::chat

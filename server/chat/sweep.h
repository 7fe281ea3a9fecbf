/// Housekeeping: rows whose time has passed go, a stretch of a family at a time, by commands like all else.
///
/// The stretch is looked at as it was a moment ago; whatever is removed because of what its row says is looked at again
/// as it is now.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

inline constexpr std::size_t kSweepRows = 256;

/// Answers SweepState: where to go on. Families without a rule for sweeping are done at once.
void sweep(const Context& context, const command::Command& command, View& view, Draft& draft);

}  // namespace holdfast::chat

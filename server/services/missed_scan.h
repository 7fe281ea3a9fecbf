/// What an inbox has that no device has acknowledged: the posts of others, by conversation.
///
/// Values over one look at the rows, in a rule. Ranges are of a moment after the command arrived; the inbox only grows at
/// its end, so what they lack is newer than `seen`.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::services {

/// A conversation with something to be mailed.
struct MissedIn {
  ConversationId conversation;
  std::uint64_t first_position = 0;
  std::uint64_t first_number = 0;
  WallTime first_time{};
  bool head = false;  ///< large
  state::ListEntry entry;
};

struct MissedScan {
  std::vector<MissedIn> conversations;  ///< by first_position
  std::uint64_t seen = 0;               ///< every position up to here was looked at
  bool cut = false;                     ///< there are more rows, behind `seen`
};

/// Looks at positions behind `after`, which no device's acknowledgement has reached: at most `rows_max` of them, and about
/// 256 KiB.
/// Left out is what is read, hidden, deleted again, mailed, or of a conversation that is muted or left.
MissedScan scan_missed(const UserId& user, std::uint64_t after, std::size_t rows_max, chat::View& view);

/// The number of the first post that such a mail is still about: not acknowledged, read, hidden or deleted meanwhile, in
/// a conversation neither muted nor left. Nothing: it is about nothing any more. Of a head: where that may be.
std::optional<std::uint64_t> first_missed(const UserId& user, const state::Mail::Missed& mail, chat::View& view);

}  // namespace holdfast::services

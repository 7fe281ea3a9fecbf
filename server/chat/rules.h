/// The rules of chat: one function for each kind of command, found by one look-up in a table.
///
/// Pure: no I/O, no clock, no randomness; everything comes with the context and the command. Called by Partition, on
/// the partition's worker, for one command at a time. A rule answers each command exactly once: by leaving the draft's
/// answer (Done if untouched) or by Draft::refuse().
#pragma once

#include "server/chat/limits.h"
#include "server/chat/view.h"

namespace holdfast::chat {

struct Context {
  WallTime now;  ///< log time of the entry under construction
  PartitionId partition;
  std::uint16_t partitions;
  const Limits& limits;
  std::uint64_t first_position =
      1;  ///< of inbox rows that are added now, at least: what a backup's restore begins with
};

using Rule = void (*)(const Context&, const command::Command&, View&, Draft&);

/// The rule for this kind of command. Never null: what is not known is refused with UNSUPPORTED.
Rule rule_for(const command::Command& command);

/// True if the command never writes: it is answered without an entry.
bool is_read_only(const command::Command& command);

/// Commands with the same key are decided in the order in which they came (a conversation's, or a user's, id).
std::string_view order_key(const command::Command& command);

/// Answers a repeated request as it was answered the first time, or runs `rule` and keeps its answer: for commands that
/// carry an idempotency id. `scope` is the 16 bytes of the user or conversation it is decided at.
/// Refuses INVALID_ARGUMENT for an id that is no UUIDv7 or lies more than ten minutes ahead, STALE_ID for one older
/// than seven days of log time.
void once(const Context& context, const command::Command& command, std::string_view scope, View& view, Draft& draft,
          Rule rule);

}  // namespace holdfast::chat

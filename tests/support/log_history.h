/// From a run's logs: what happened, for the history checker; and whether a node's databases say the same.
///
/// Pure, but for CHECKs where a log's rows do not parse.
#pragma once

#include <string>
#include <vector>

#include "proto/log.pb.h"
#include "storage/database.h"
#include "tests/support/history.h"

namespace holdfast {

/// Every entry that was ever committed, by partition, though trimmed since.
using Archive = std::vector<std::vector<log::Entry>>;

/// Fills in the inboxes and conversations.
void collect(const Archive& archive, History& history);

/// Nobody is in a conversation whose account is no more.
void check_members(const Database& state, std::uint16_t partitions, std::vector<std::string>& found);
/// The state is what the log says, and the log holds together; of partitions whose archive is not empty.
void check_state(const Archive& archive, Database& log_database, const Database& state,
                 std::vector<std::string>& found);

}  // namespace holdfast

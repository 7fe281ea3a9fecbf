/// Where names live, and the ids of sessions.
#pragma once

#include <string_view>

#include "base/ids.h"

namespace holdfast::chat {

/// The partition of a username. A user registered with it gets an id of the same partition.
PartitionId partition_of_name(std::string_view username, std::uint16_t partitions);

/// The session that this request of this user makes: the same for every repetition, so that none makes a second device.
SessionId session_made_by(const UserId& user, const RequestId& request);

}  // namespace holdfast::chat

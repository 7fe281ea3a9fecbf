#include "server/chat/placement.h"

#include "base/hash.h"

namespace holdfast::chat {

PartitionId partition_of_name(std::string_view username, std::uint16_t partitions) {
  return partition_of(UserId(blake2b_128({"name", username})), partitions);
}

SessionId session_made_by(const UserId& user, const RequestId& request) {
  return SessionId(blake2b_128({"session", user.bytes(), request.bytes()}));
}

}  // namespace holdfast::chat

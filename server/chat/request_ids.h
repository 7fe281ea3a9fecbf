/// The ids in a client's request: are they well formed, and which conversation is it about?
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proto/client.pb.h"

namespace holdfast::chat {

/// The conversation_id of the operation; empty if the operation has no such field (or it is empty).
std::string_view conversation_id_of(const v1::ClientFrame& request);

/// What is wrong with the ids of the operation: a message that names the field and its bound. Nothing: all have 16
/// bytes, and where a page begins after one, 0 or 16. The idempotency id is not looked at: once() does.
std::optional<std::string> bad_ids(const v1::ClientFrame& request);

}  // namespace holdfast::chat

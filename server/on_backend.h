/// Where others than a gateway ask something of partitions: on a worker's thread.
#pragma once

#include <functional>

#include "server/chat/backend.h"

namespace holdfast {

/// Runs it where a Backend is at home. Not run at all: the node is going down.
using OnBackend = std::function<void(std::function<void(chat::Backend&)>)>;

}  // namespace holdfast

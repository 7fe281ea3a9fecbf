/// Waiting for what no event tells of.
#pragma once

#include <chrono>
#include <functional>

#include "net/asio.h"

namespace holdfast::chaos {

/// Looks every 20 ms, on the executor's thread. False: not within the time.
Awaitable<bool> wait_for(any_io_executor executor, std::function<bool()> done, std::chrono::milliseconds max);

}  // namespace holdfast::chaos

/// Reads everything back: each pair's conversation from its first change to its last, with a session made for it.
#pragma once

#include <memory>
#include <vector>

#include "clients/cpp/runtime.h"
#include "net/asio.h"
#include "tools/holdfast-load/pair.h"

namespace holdfast::load {

/// Tells each pair's checker of every change that its history has. How many posts that were; fails with io. The pairs'
/// own connections may be closed.
Awaitable<Result<std::uint64_t>> read_histories(client::ClientRuntime& runtime, const Options& options,
                                                const std::vector<std::unique_ptr<Pair>>& pairs);

}  // namespace holdfast::load

/// One run, from the first process to the report.
#pragma once

#include <atomic>

#include "tools/holdfast-chaos/options.h"

namespace holdfast::chaos {

/// The exit code. Blocks; everything it started has ended, and everything it made outside of its folders is removed,
/// when it returns.
int run(const Options& options, const std::atomic<bool>& interrupted);

}  // namespace holdfast::chaos

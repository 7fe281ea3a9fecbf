/// What the program was asked to do.
#pragma once

#include <variant>

#include "tools/holdfast-load/options.h"
#include "tools/holdfast-load/run_options.h"
#include "tools/holdfast-load/worker.h"

namespace holdfast::load {

/// A run of pairs in this process, a run with workers, being a worker; or the code to exit with at once, after --help,
/// --version or a mistake, which is explained.
using Asked = std::variant<Options, RunOptions, WorkerOptions, int>;
Asked parse_command_line(int argc, char** argv);

}  // namespace holdfast::load

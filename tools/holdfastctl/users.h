/// `holdfastctl users` and `keys`: what is asked of a server where its clients connect, with the operator's key.
#pragma once

#include "tools/holdfastctl/options.h"

namespace holdfast::ctl {

/// Blocks until it is done; says on standard error what went wrong, and returns how to exit.
int run_users(Options options);

}  // namespace holdfast::ctl

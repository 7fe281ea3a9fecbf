/// One server for all tests that leave it as they found it: starting one for each would be most of their time.
#pragma once

#include "tests/support/process.h"

namespace holdfast::testing {

/// Runs until this process ends. Users' names come from fresh_name().
ServerProcess& shared_server();

}  // namespace holdfast::testing

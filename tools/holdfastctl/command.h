/// What all commands of holdfastctl do alike: how one fails, and whom it asks.
#pragma once

#include <string>

#include "tools/holdfastctl/admin.h"

namespace holdfast::ctl {

/// What was written on the command line for all that ask the operators' ports.
struct Asked {
  std::string admin = "127.0.0.1:7490";        ///< --admin
  std::string key_file = "data/operator.key";  ///< --operator-key
  double timeout_s = 10;                       ///< for one answer of a node
};

/// Fails with invalid_argument: --admin is none.
Result<Admin> make_admin(const Asked& asked);

/// Says why on standard error, and with which code to exit.
int failed(const Error& error);

}  // namespace holdfast::ctl

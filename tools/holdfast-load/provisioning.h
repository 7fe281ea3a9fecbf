/// Users and sessions from the operators' side of the protocol.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "clients/cpp/runtime.h"
#include "net/asio.h"
#include "tools/holdfast-load/target.h"

namespace holdfast::load {

struct ProvisionedUser {
  std::string name;
  UserId user;
  std::string token;  ///< of a new session, which begins at the end of the user's inbox
};

/// The key in this file. Fails with io and says where it is to be had.
Result<std::string> read_operator_key(const std::string& path);

/// A new session for each name, in the order of the names; who does not exist is made. Fails with io (no connection
/// in two minutes, or no key to be read), permission_denied (the key) or what the server said.
/// `emails`: none, or a verified address for each who is made.
Awaitable<Result<std::vector<ProvisionedUser>>> provision(client::ClientRuntime& runtime, const Target& target,
                                                          std::vector<std::string> names,
                                                          std::vector<std::string> emails = {});

}  // namespace holdfast::load

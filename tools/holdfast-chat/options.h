/// What the command line asks for.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "clients/cpp/client.h"

namespace holdfast::chat {

/// How the program ends, for scripts. Documented in --help.
enum ExitCode : int {
  kExitOk = 0,
  kExitCommandFailed = 1,
  kExitUsage = 2,
  kExitNotConnected = 3,
  kExitTimedOut = 4,
  kExitSessionEnded = 5,
};

struct Options {
  std::vector<client::Endpoint> endpoints;
  client::Trust trust;
  std::string user;
  std::string password_file;
  std::string email;
  bool register_user = false;
  std::string to;
  std::string group;
  std::string state_dir;  ///< never empty
  bool json = false;
  std::size_t wait = 0;  ///< end after so many messages of others; 0: no matter
  std::optional<std::chrono::milliseconds> timeout;
  std::size_t history = 20;
};

/// The options, or the code to exit with at once (after --help, --version or a mistake, which is explained).
std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace holdfast::chat

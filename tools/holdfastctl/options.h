/// What the operator asks for.
#pragma once

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "clients/cpp/client.h"

namespace holdfast::ctl {

/// How the program ends. Documented in --help.
enum ExitCode : int { kExitOk = 0, kExitRefused = 1, kExitUsage = 2, kExitNotConnected = 3 };

/// users reset, users recover
struct WayBack {
  std::string username;
  std::string reason;
  bool by_code = false;  ///< recover
};

/// incident reset: what was written.
struct ResetWave {
  std::string users_file;  ///< a name a line
  std::string since;       ///< as written
  bool all = false;
  bool send = false;
  std::string wave;  ///< hex; empty: a new one
  std::uint32_t per_minute = 0;
  std::string reason;
};

/// Of an account, for good.
struct Deletion {
  std::string username;
  std::string reason;
};

struct Options {
  std::vector<client::Endpoint> endpoints;
  client::Trust trust;
  std::string key;
  std::chrono::milliseconds timeout{10'000};
  std::string out;  ///< of provision; empty: standard output
  std::variant<client::ask::StatusChange, std::vector<std::string>, Deletion, std::monostate, WayBack, ResetWave>
      task;  ///< change a status, provision these, delete one, rotate the key, or let somebody back in
};

/// The options, or the code to exit with at once.
std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace holdfast::ctl

/// What the command line of `holdfast-load messages` asks for.
#pragma once

#include <sys/types.h>
#include <chrono>
#include <cstdint>
#include <string>

#include "tools/holdfast-load/target.h"

namespace holdfast::load {

/// How the program ends, for scripts. Documented in --help.
enum ExitCode : int {
  kExitGood = 0,
  kExitFindings = 1,  ///< something lost, twice, out of order, refused, or a password asked for
  kExitUsage = 2,
  kExitNotStarted = 3,  ///< no connection, no operator rights, no users
};

struct Options : Target {
  std::uint32_t pairs = 100;
  std::chrono::duration<double> seconds{10};
  std::chrono::duration<double> warmup{0};  ///< before what is measured
  double rate = 0;                          ///< messages a second, all pairs together; 0: as fast as `ahead` lets
  std::uint32_t body_bytes = 100;
  std::uint32_t ahead = 16;  ///< of one sender, not yet acknowledged
  std::chrono::duration<double> settle_max{60};
  bool read_history = true;

  pid_t server_pid = 0;  ///< 0: found in the data directory, if it is there
  pid_t kill_pid = 0;    ///< 0: nobody is killed
  std::string restart_command;
  std::chrono::duration<double> kill_every{0};  ///< 0: once, in the middle

  std::string json_file;
};

}  // namespace holdfast::load

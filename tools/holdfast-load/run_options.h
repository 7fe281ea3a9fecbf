/// What the command line asks of a run with workers: every scenario but `messages`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/holdfast-load/fault.h"
#include "tools/holdfast-load/plan.h"
#include "tools/holdfast-load/server_watch.h"

namespace holdfast::load {

/// What a run may come to and still be good.
struct Bounds {
  std::optional<std::uint64_t> refused_max;   ///< tries that the server turned away
  std::optional<double> live_p99_ms_max;      ///< of the messages that flow meanwhile
  std::optional<std::uint64_t> resident_max;  ///< bytes, of all servers together
};

struct RunOptions {
  Plan plan;
  std::string operator_key_file = "data/operator.key";
  unsigned processes = 0;  ///< 0: as few as will do
  std::vector<HostPort> workers_at;
  WatchOptions watch;
  FaultOptions fault;
  Bounds bounds;
  std::string json_file;
  std::string report_file;
};

}  // namespace holdfast::load

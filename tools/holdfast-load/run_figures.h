/// What a run came to, before it is put into words. Values.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/holdfast-load/proc_figures.h"
#include "tools/holdfast-load/run_options.h"
#include "tools/holdfast-load/server_watch.h"
#include "tools/holdfast-load/tally.h"

namespace holdfast::load {

/// A step, and what the servers and the kernel used in it.
struct Span {
  std::chrono::duration<double> from{0}, to{0};  ///< since the beginning of what is measured
  std::optional<ServerSample> server_before, server_after;
  KernelFigures kernel_before, kernel_after;
  double machine_busy = 0;  ///< share of all this machine's processors that was in use

  std::chrono::duration<double> time() const { return to - from; }
  std::optional<double> server_cpu_s() const {
    if (!server_before || !server_after) return std::nullopt;
    return server_after->cpu_s - server_before->cpu_s;
  }
};

struct Mark {
  std::chrono::duration<double> at{0};
  std::string what;
  bool fault = false;
};

struct RunFigures {
  RunOptions options = {};
  Tally tally = {};
  std::map<std::string, Span> spans = {};  ///< by step
  std::vector<Mark> marks = {};
  std::vector<ServerSample> samples = {};
  SteadyTime began = {};
  std::size_t processes = 1;

  const Span& span(const std::string& step) const;  ///< an empty one if there was none
  std::uint64_t resident_most() const;              ///< of all samples; 0 if there are none
};

}  // namespace holdfast::load

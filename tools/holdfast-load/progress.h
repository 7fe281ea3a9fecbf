/// A line about how it goes: every second over the last one on a terminal, every ten seconds otherwise. To standard
/// error, so that the summary alone stands on standard output.
#pragma once

#include <string>

#include "base/time.h"
#include "tools/holdfast-load/figures.h"

namespace holdfast::load {

/// Value; one thread.
class Progress {
 public:
  Progress();

  /// What is being done, between the phases.
  void say(const std::string& what);
  /// Whether it is time for another line; asked often. If so, show() it.
  bool due() const;
  void show(const std::string& line);
  /// To be called about every tenth of a second while messages flow.
  void tick(SteadyTime started, const Figures& figures);
  /// The line stays; the next one begins below.
  void end_line();

 private:
  const bool terminal_;
  bool line_open_ = false;
  SteadyTime last_;     ///< when there was a line; none since say(): the beginning of time
  SteadyTime said_at_;  ///< when there was a say()
  std::uint64_t acked_ = 0;
  std::uint64_t delivered_ = 0;
};

}  // namespace holdfast::load

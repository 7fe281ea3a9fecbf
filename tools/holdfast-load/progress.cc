#include "tools/holdfast-load/progress.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "tools/holdfast-load/report.h"

namespace holdfast::load {

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::say(const std::string& what) {
  end_line();
  std::cerr << what << std::endl;
  last_ = SteadyTime();
  said_at_ = steady_now();
}

bool Progress::due() const {
  return steady_now() - std::max(last_, said_at_) >= std::chrono::seconds(terminal_ ? 1 : 10);
}

void Progress::show(const std::string& line) {
  std::cerr << (terminal_ ? "\r\033[K" : "") << line;
  line_open_ = true;
  if (!terminal_) end_line();
  std::cerr.flush();
  last_ = steady_now();
}

void Progress::tick(SteadyTime started, const Figures& figures) {
  const SteadyTime now = steady_now();
  if (last_ == SteadyTime()) {
    last_ = now;
    acked_ = figures.acked;
    delivered_ = figures.delivered;
  }
  const std::chrono::duration<double> since = now - last_;
  if (!due()) return;
  const double acked = static_cast<double>(figures.acked - acked_) / since.count();
  const double delivered = static_cast<double>(figures.delivered - delivered_) / since.count();
  show(progress_line(now - started, acked, delivered, figures));
  acked_ = figures.acked;
  delivered_ = figures.delivered;
}

void Progress::end_line() {
  if (line_open_) std::cerr << "\n";
  line_open_ = false;
}

}  // namespace holdfast::load

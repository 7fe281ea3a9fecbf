#include "tools/holdfast-load/effort.h"

#include <sys/resource.h>

namespace holdfast::load {

double Effort::processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void Effort::start() {
  at_ = steady_now();
  used_ = processor_seconds();
}

void Effort::look(Tally& tally) {
  const SteadyTime now = steady_now();
  const double used = processor_seconds();
  const std::chrono::duration<double> time = now - at_;
  if (time.count() <= 0) return;
  tally.counts["cpu_us"] += static_cast<std::uint64_t>((used - used_) * 1e6);
  // A moment is no evidence: the share of a short one may be anything.
  if (time.count() >= 0.4) tally.raise("cpu_permille", static_cast<std::uint64_t>((used - used_) / time.count() * 1e3));
  at_ = now;
  used_ = used;
}

}  // namespace holdfast::load

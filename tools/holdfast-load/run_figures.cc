#include "tools/holdfast-load/run_figures.h"

#include <algorithm>

namespace holdfast::load {

const Span& RunFigures::span(const std::string& step) const {
  static const Span kNone;
  const auto found = spans.find(step);
  return found == spans.end() ? kNone : found->second;
}

std::uint64_t RunFigures::resident_most() const {
  std::uint64_t most = 0;
  for (const ServerSample& sample : samples) most = std::max(most, sample.resident_bytes);
  return most;
}

}  // namespace holdfast::load

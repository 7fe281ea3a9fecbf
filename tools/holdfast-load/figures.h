/// What a run counts, over all pairs.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tools/holdfast-load/histogram.h"

namespace holdfast::load {

/// Written by the pairs, on the one thread. The histograms begin anew after the warm-up; the counts do not.
struct Figures {
  std::uint64_t sent = 0;
  std::uint64_t acked = 0;
  std::uint64_t delivered = 0;  ///< to receivers
  std::uint64_t put_off = 0;    ///< refused by the server for the moment, and sent again
  Histogram ack;
  Histogram delivery;

  /// Refusals that are final, damaged bodies, sessions that ended: what, and how often.
  std::map<std::string, std::uint64_t> errors;

  void error(const std::string& what) { ++errors[what]; }
  std::uint64_t error_count() const {
    std::uint64_t all = 0;
    for (const auto& [what, times] : errors) all += times;
    return all;
  }
};

}  // namespace holdfast::load

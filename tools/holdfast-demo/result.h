/// What the film came to. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/holdfast-load/checker.h"
#include "tools/holdfast-load/histogram.h"

namespace holdfast::demo {

struct FilmResult {
  std::optional<std::int64_t> detected_ms, promoted_ms, rejoined_ms;
  load::Histogram back;      ///< of the killed node's clients
  std::size_t not_back = 0;  ///< clients that were not back when we stopped waiting
  load::Checker::Findings findings;
  std::uint64_t messages = 0;  ///< acknowledged
  std::uint64_t unacknowledged = 0;
  std::uint64_t errors = 0;
  double drain_late_ms_max = 0;
  std::size_t nodes = 0, clients = 0;
  std::string killed, drained;
  double seconds = 0;

  bool good() const {
    return findings.lost == 0 && findings.duplicated == 0 && findings.out_of_order == 0 && not_back == 0 &&
           unacknowledged == 0;
  }
};

double in_ms(load::Histogram::Duration time);
std::string to_json(const FilmResult& result);

}  // namespace holdfast::demo

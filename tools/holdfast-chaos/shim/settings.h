/// What the preloaded shim does to a node; the layout of the file that both map.
#pragma once

#include <cstdint>

namespace holdfast::chaos::shim {

struct Settings {
  std::int64_t sync_delay_us = 0;   ///< every fsync and fdatasync takes so much longer
  std::int64_t clock_offset_s = 0;  ///< the wall clock is so far ahead
};

}  // namespace holdfast::chaos::shim

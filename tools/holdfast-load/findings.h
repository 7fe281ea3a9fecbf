/// What must not happen to a message, counted.
#pragma once

#include <cstdint>

namespace holdfast::load {

struct Findings {
  std::uint64_t lost = 0;          ///< acknowledged, and never shown to somebody it was for
  std::uint64_t duplicated = 0;    ///< shown again in the same place
  std::uint64_t out_of_order = 0;  ///< before one that was sent earlier, a gap in the numbers, or two numbers for one

  bool none() const { return lost == 0 && duplicated == 0 && out_of_order == 0; }
  Findings& operator+=(const Findings& other) {
    lost += other.lost;
    duplicated += other.duplicated;
    out_of_order += other.out_of_order;
    return *this;
  }
};

}  // namespace holdfast::load

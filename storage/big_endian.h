/// Numbers in keys and in small files: big-endian, so that they sort.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"

namespace holdfast {

inline void append_u16(std::string& out, std::uint16_t n) {
  out.push_back(static_cast<char>(n >> 8));
  out.push_back(static_cast<char>(n));
}

inline void append_u64(std::string& out, std::uint64_t n) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(n >> shift));
}

/// All of `bytes` as one number; at most eight of them.
inline std::uint64_t read_number(std::string_view bytes) {
  HF_CHECK(bytes.size() <= 8, "a number has at most eight bytes");
  std::uint64_t n = 0;
  for (const char c : bytes) n = n << 8 | static_cast<std::uint8_t>(c);
  return n;
}

}  // namespace holdfast

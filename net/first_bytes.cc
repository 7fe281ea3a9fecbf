#include "net/first_bytes.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast {

namespace {

constexpr std::string_view kHttpGet = "GET ";
constexpr std::string_view kTlsHandshake = "\x16\x03";

bool could_be(std::string_view whole, std::string_view first) {
  const auto common = std::min(whole.size(), first.size());
  return whole.substr(0, common) == first.substr(0, common);
}

FirstBytes detect_native(std::string_view first, std::uint32_t frame_bytes_max) {
  // The least and the greatest length that the bytes so far allow.
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  for (std::size_t i = 0; i < kFrameHeaderBytes; ++i) {
    const bool known = i < first.size();
    low = low << 8 | (known ? static_cast<unsigned char>(first[i]) : 0x00);
    high = high << 8 | (known ? static_cast<unsigned char>(first[i]) : 0xff);
  }
  if (low > frame_bytes_max || high == 0) return FirstBytes::garbage;
  return first.size() < kFrameHeaderBytes ? FirstBytes::need_more : FirstBytes::native;
}

}  // namespace

FirstBytes detect(std::string_view first, std::uint32_t frame_bytes_max) {
  HF_CHECK(frame_bytes_max < 1U << 24, "a native frame must begin with a zero byte");
  if (first.empty()) return FirstBytes::need_more;
  if (first.front() == '\0') return detect_native(first, frame_bytes_max);
  if (could_be(kTlsHandshake, first)) {
    return first.size() < kTlsHandshake.size() ? FirstBytes::need_more : FirstBytes::tls;
  }
  if (could_be(kHttpGet, first)) return first.size() < kHttpGet.size() ? FirstBytes::need_more : FirstBytes::websocket;
  return FirstBytes::garbage;
}

const char* name_of(FirstBytes kind) {
  switch (kind) {
    case FirstBytes::need_more: return "need_more";
    case FirstBytes::native: return "native";
    case FirstBytes::websocket: return "websocket";
    case FirstBytes::tls: return "tls";
    case FirstBytes::garbage: return "garbage";
  }
  return "unknown";
}

}  // namespace holdfast

// links: proto
// The frame decoder gives the same payloads however the bytes are cut, keeps no more than it was sent, and what it gives
// encodes to what it took.
//
//     input = cut *byte        ; cut: after how many bytes the stream is cut, again and again (0: not at all)
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "proto/frame.h"

namespace holdfast {
namespace {

constexpr std::uint32_t kBytesMax = 1'000;  // so that a short input reaches it

struct Decoded {
  std::vector<std::string> payloads;
  bool failed = false;
};

Decoded decode(std::string_view stream, std::size_t cut) {
  FrameDecoder decoder(kBytesMax);
  Decoded decoded;
  while (!stream.empty() && !decoded.failed) {
    std::string_view piece = stream.substr(0, cut);
    stream.remove_prefix(piece.size());
    for (;;) {
      const auto payload = decoder.next(piece);
      decoded.failed = !payload;
      if (!payload || !*payload) break;
      HF_CHECK(!(*payload)->empty() && (*payload)->size() <= kBytesMax, "a payload keeps to its bounds");
      decoded.payloads.emplace_back(**payload);
    }
    HF_CHECK(decoder.heap_bytes() <= 2 * (kBytesMax + kFrameHeaderBytes), "memory has a bound");
  }
  return decoded;
}

}  // namespace
}  // namespace holdfast

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = holdfast::decode(stream, stream.size());
  const auto pieces = holdfast::decode(stream, std::max<std::size_t>(data[0], 1));
  HF_CHECK(whole.payloads == pieces.payloads && whole.failed == pieces.failed, "cuts make no difference");
  std::string encoded;
  for (const auto& payload : whole.payloads) holdfast::append_frame(encoded, payload);
  HF_CHECK(stream.starts_with(encoded), "what is decoded encodes to the same bytes");
  return 0;
}

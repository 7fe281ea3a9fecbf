// links: net
// Detection decides once: more bytes never change what fewer had settled, four are always enough, and what it takes for
// a native frame is one to the decoder.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/first_bytes.h"
#include "proto/frame.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using holdfast::FirstBytes;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto known = FirstBytes::need_more;
  for (std::size_t length = 0; length <= bytes.size() && length <= 64; ++length) {
    const auto now = holdfast::detect(bytes.substr(0, length));
    HF_CHECK(known == FirstBytes::need_more || now == known, "what was settled stays");
    HF_CHECK(length < holdfast::kFirstBytesMax || now != FirstBytes::need_more, "four bytes are enough");
    HF_CHECK(std::string_view(holdfast::name_of(now)) != "unknown", "every kind has a name");
    known = now;
  }
  if (size < holdfast::kFrameHeaderBytes) return 0;
  holdfast::FrameDecoder decoder;
  std::string_view header = bytes.substr(0, holdfast::kFrameHeaderBytes);
  const bool decodes = static_cast<bool>(decoder.next(header));
  HF_CHECK(decodes == (known == FirstBytes::native), "native is what the decoder takes");
  return 0;
}

#include "base/uuid.h"

namespace holdfast {

RequestId make_uuid7(WallTime now, Random& random) {
  std::array<std::uint8_t, 16> bytes;
  random.fill(bytes);
  const auto ms = static_cast<std::uint64_t>(to_ms(now));
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  bytes[6] = static_cast<std::uint8_t>(0x70 | (bytes[6] & 0x0f));
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
  return RequestId(bytes);
}

WallTime time_of(const RequestId& id) {
  std::uint64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | static_cast<std::uint8_t>(id.bytes()[i]);
  return from_ms(static_cast<std::int64_t>(ms));
}

bool is_uuid7(const RequestId& id) {
  const auto bytes = id.bytes();
  return (static_cast<std::uint8_t>(bytes[6]) & 0xf0) == 0x70 && (static_cast<std::uint8_t>(bytes[8]) & 0xc0) == 0x80;
}

}  // namespace holdfast

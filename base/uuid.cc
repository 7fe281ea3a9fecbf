#include "base/uuid.h"

#include <algorithm>

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

namespace {
/// The next id of the same shape: version and variant stay, everything else counts on.
RequestId next_of(const RequestId& id) {
  std::array<std::uint8_t, 16> bytes;
  std::copy_n(id.bytes().begin(), bytes.size(), bytes.begin());
  for (std::size_t i = bytes.size(); i-- > 0;) {
    const std::uint8_t counts = i == 8 ? 0x3f : i == 6 ? 0x0f : 0xff;
    const auto up = static_cast<std::uint8_t>((bytes[i] + 1) & counts);
    bytes[i] = static_cast<std::uint8_t>((bytes[i] & ~counts) | up);
    if (up != 0) break;
  }
  return RequestId(bytes);
}
}  // namespace

RequestId make_uuid7_above(const RequestId& last, WallTime now, Random& random) {
  const RequestId id = make_uuid7(now, random);
  // If the clock was set back by more, rising ids would only be refused for lying ahead.
  if (id > last || time_of(last) > now + std::chrono::seconds(1)) return id;
  return next_of(last);
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

#include "base/uuid.h"

#include <catch2/catch.hpp>

using namespace holdfast;

TEST_CASE("UUIDv7: ids of one millisecond rise, and stay UUIDv7") {
  SeededRandom random(1);
  const WallTime now = from_ms(1'700'000'000'000);
  RequestId last;
  for (int i = 0; i < 10'000; ++i) {
    const RequestId id = make_uuid7_above(last, now, random);
    REQUIRE(id > last);
    REQUIRE(is_uuid7(id));
    last = id;
  }
  CHECK(time_of(last) == now);
}

TEST_CASE("UUIDv7: counting on carries over version and variant, and in the end into the time") {
  SeededRandom random(1);
  const WallTime now = from_ms(1'700'000'000'000);
  std::array<std::uint8_t, 16> bytes;
  bytes.fill(0xff);
  const RequestId plain = make_uuid7(now, random);
  std::copy_n(plain.bytes().begin(), 6, bytes.begin());
  bytes[6] = 0x7f;
  bytes[8] = 0xbf;
  const RequestId full(bytes);
  const RequestId next = make_uuid7_above(full, now, random);
  CHECK(next > full);
  CHECK(is_uuid7(next));
  CHECK(time_of(next) == now + std::chrono::milliseconds(1));
}

TEST_CASE("UUIDv7: after a clock that was set back, ids go by the clock") {
  SeededRandom random(1);
  const WallTime now = from_ms(1'700'000'000'000);
  const RequestId ahead = make_uuid7(now + std::chrono::hours(1), random);
  CHECK(time_of(make_uuid7_above(ahead, now, random)) == now);
}

#include "server/chat/login_throttle.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::chat;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE(
    "AddressThrottle: slows an address after its free failures, twice as long each time, and forgets in an hour") {
  AddressThrottle throttle({.failures_free = 2});
  WallTime now = from_ms(1'700'000'000'000);
  throttle.failed("a", now);
  CHECK(throttle.wait("a", now) == milliseconds(0));
  throttle.failed("a", now);
  CHECK(throttle.wait("a", now) == seconds(1));
  throttle.failed("a", now);
  CHECK(throttle.wait("a", now) == seconds(2));
  CHECK(throttle.wait("a", now + seconds(2)) == milliseconds(0));
  CHECK(throttle.wait("b", now) == milliseconds(0));
  for (int i = 0; i < 60; ++i) throttle.failed("a", now);
  CHECK(throttle.wait("a", now) == minutes(15));
  now += std::chrono::hours(1);
  throttle.failed("a", now);
  CHECK(throttle.wait("a", now) == milliseconds(0));
}

TEST_CASE("AddressThrottle: keeps so many addresses at most, and those that failed last") {
  AddressThrottle throttle({.addresses_max = 3, .failures_free = 1});
  const WallTime start = from_ms(1'700'000'000'000);
  for (int i = 0; i < 10; ++i) throttle.failed(std::to_string(i), start + milliseconds(i));
  CHECK(throttle.size() == 3);
  CHECK(throttle.wait("9", start + milliseconds(9)) > milliseconds(0));
  CHECK(throttle.wait("0", start + milliseconds(9)) == milliseconds(0));
}

#include "server/log_clock.h"

#include <catch2/catch.hpp>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

struct Clocks {
  WallTime wall = from_ms(1'700'000'000'000);
  SteadyTime steady{5h};
  LogClock log{wall, steady};

  void pass(std::chrono::milliseconds time, std::optional<bool> agrees = {}) {
    wall += time;
    steady += time;
    log.look(wall, steady, agrees);
  }
  std::chrono::milliseconds off() const { return log.now(wall, steady) - wall; }
};

TEST_CASE("LogClock: it is the system's, which may drift") {
  Clocks c;
  for (int i = 0; i < 100; ++i) {
    c.wall += 5s;
    c.pass(250ms);
    CHECK(c.off() == 0ms);
  }
}

TEST_CASE("LogClock: a jump is not followed, from the first moment on, while the others' clocks speak against it") {
  for (const auto jump : {23min, -23min}) {
    Clocks c;
    c.wall += jump;
    CHECK(c.off() == -jump);
    for (int i = 0; i < 1'000; ++i) c.pass(250ms, false);
    CHECK(c.off() == -jump);
    CHECK(c.log.holds());
    c.wall -= jump;
    CHECK(c.off() == 0ms);
    c.pass(250ms, true);
    CHECK_FALSE(c.log.holds());
  }
}

TEST_CASE("LogClock: a jump to where the others are is followed when they have had the time to say so") {
  Clocks c;
  c.wall += 1h;
  c.pass(250ms, true);
  CHECK(c.off() == -1h);
  c.pass(2s, true);
  CHECK(c.off() == 0ms);
}

TEST_CASE("LogClock: with nobody to ask a jump is followed when it has stood for a minute") {
  Clocks c;
  c.wall += 1h;
  c.pass(250ms);
  c.pass(59s);
  CHECK(c.off() == -1h);
  c.pass(2s);
  CHECK(c.off() == 0ms);
}

}  // namespace
}  // namespace holdfast

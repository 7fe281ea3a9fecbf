#include "tools/holdfastctl/duration.h"

#include <catch2/catch.hpp>

using holdfast::ctl::parse_duration;
using namespace std::chrono_literals;

TEST_CASE("Duration: seconds, minutes, hours, days") {
  CHECK(*parse_duration("90s") == 90s);
  CHECK(*parse_duration("30m") == 30min);
  CHECK(*parse_duration("12h") == 12h);
  CHECK(*parse_duration("7d") == 168h);
}

TEST_CASE("Duration: anything else is none") {
  for (const char* bad : {"", "5", "h", "-1h", "0s", "1.5h", "1w", "5 m", "99999999999999999999d", "99999999d"})
    CHECK_FALSE(parse_duration(bad));
}

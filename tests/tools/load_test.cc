#include <algorithm>
#include <cmath>
#include <vector>

#include <catch2/catch.hpp>

#include "base/random.h"
#include "tools/holdfast-load/body.h"
#include "tools/holdfast-load/checker.h"
#include "tools/holdfast-load/histogram.h"

using namespace holdfast;
using namespace holdfast::load;
using std::chrono::nanoseconds;
using Place = Checker::Place;

namespace {

constexpr Place kEverywhere[] = {Place::receiver, Place::sender, Place::history};

/// `count` messages that went well: numbers 2, 3, … behind the change that made the conversation.
Checker all_well(std::uint64_t count) {
  Checker checker;
  for (const Place place : kEverywhere) checker.seen(place, 1, std::nullopt);
  for (std::uint64_t i = 0; i < count; ++i) {
    checker.sent(SteadyTime());
    checker.acknowledged(i, i + 2);
    for (const Place place : kEverywhere) checker.seen(place, i + 2, i);
  }
  return checker;
}

}  // namespace

TEST_CASE("Checker: what went well has no findings") {
  Checker checker = all_well(100);
  CHECK(checker.settled());
  CHECK(checker.unacknowledged() == 0);
  const auto findings = checker.finish(true);
  CHECK(findings.lost == 0);
  CHECK(findings.duplicated == 0);
  CHECK(findings.out_of_order == 0);
}

TEST_CASE("Checker: an acknowledged message that one place lacks is lost, once") {
  for (const Place missing : kEverywhere) {
    Checker checker = all_well(3);
    checker.acknowledged(checker.sent(SteadyTime()), 5);
    for (const Place place : kEverywhere)
      if (place != missing) checker.seen(place, 5, 3);
    CHECK(checker.finish(true).lost == 1);
  }
}

TEST_CASE("Checker: what the history lacks counts only if it was read") {
  Checker checker;
  checker.acknowledged(checker.sent(SteadyTime()), 1);
  checker.seen(Place::receiver, 1, 0);
  checker.seen(Place::sender, 1, 0);
  CHECK(Checker(checker).finish(false).lost == 0);
  CHECK(checker.finish(true).lost == 1);
}

TEST_CASE("Checker: a message that nobody acknowledged and nobody saw is not lost; one that was shown and is gone is") {
  Checker checker = all_well(1);
  checker.sent(SteadyTime());
  CHECK(Checker(checker).finish(true).lost == 0);
  CHECK(checker.unacknowledged() == 1);
  checker.seen(Place::receiver, 3, 1);
  CHECK(checker.finish(true).lost == 1);
}

TEST_CASE("Checker: a number or a message shown again is a duplicate") {
  Checker checker = all_well(3);
  checker.seen(Place::receiver, 4, 2);
  CHECK(checker.findings().duplicated == 1);
  checker.sent(SteadyTime());
  checker.seen(Place::receiver, 5, 2);  // the same message under a new number
  CHECK(checker.findings().duplicated == 2);
}

TEST_CASE("Checker: gaps, overtaking and a second number are out of order") {
  Checker gap = all_well(3);
  gap.sent(SteadyTime());
  gap.seen(Place::receiver, 6, 3);
  CHECK(gap.findings().out_of_order == 1);

  Checker overtaken = all_well(1);
  overtaken.sent(SteadyTime());
  overtaken.sent(SteadyTime());
  overtaken.seen(Place::receiver, 3, 2);
  overtaken.seen(Place::receiver, 4, 1);
  CHECK(Checker(overtaken).finish(false).out_of_order == 1);
  overtaken.acknowledged(1, 4);
  CHECK(overtaken.finish(false).out_of_order == 1);

  Checker renumbered = all_well(1);
  renumbered.acknowledged(renumbered.sent(SteadyTime()), 9);
  renumbered.seen(Place::receiver, 3, 1);
  CHECK(renumbered.findings().out_of_order == 1);
}

TEST_CASE("Checker: only what the server refused for the moment may be overtaken, and it is missed like any other") {
  for (const bool told_before_it_is_shown : {false, true}) {
    Checker checker = all_well(1);
    checker.sent(SteadyTime());
    checker.sent(SteadyTime());
    const auto told = [&checker] {
      checker.put_off(1);
      checker.acknowledged(1, 4);
    };
    checker.acknowledged(2, 3);
    if (told_before_it_is_shown) told();
    for (const Place place : kEverywhere) checker.seen(place, 3, 2);
    CHECK(Checker(checker).finish(true).lost == (told_before_it_is_shown ? 1 : 0));
    for (const Place place : kEverywhere) checker.seen(place, 4, 1);
    if (!told_before_it_is_shown) told();
    CHECK(checker.settled());
    CHECK(checker.finish(true).none());
  }
}

TEST_CASE("Checker: latencies count from the planned moment, at each place once") {
  const SteadyTime planned = SteadyTime(std::chrono::seconds(5));
  Checker checker;
  checker.sent(planned);
  CHECK(checker.acknowledged(0, 1) == planned);
  CHECK_FALSE(checker.acknowledged(0, 1));
  CHECK(checker.seen(Place::receiver, 1, 0) == planned);
  CHECK_FALSE(checker.seen(Place::receiver, 1, 0));
}

TEST_CASE("Histogram: percentiles are within 1/128 of the exact ones") {
  SeededRandom random(7);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t value = random.below(std::uint64_t{1} << (1 + random.below(40)));
    values.push_back(value);
    histogram.add(nanoseconds(value));
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto exact = values[static_cast<std::size_t>(std::ceil(share * 20'000)) - 1];
    const auto found = static_cast<std::uint64_t>(histogram.at(share).count());
    CHECK(found >= exact);
    CHECK(found <= exact + exact / 128 + 1);
  }
  CHECK(histogram.max() == nanoseconds(values.back()));
  CHECK(histogram.count() == 20'000);
}

TEST_CASE("Histogram: nothing counted is nothing; the longest time fits") {
  Histogram histogram;
  CHECK(histogram.at(0.99) == nanoseconds(0));
  histogram.add(nanoseconds::max());
  histogram.add(nanoseconds(-1));
  CHECK(histogram.at(1) == nanoseconds::max());
  CHECK(histogram.at(0.5) == nanoseconds(0));
}

TEST_CASE("Bodies: what was sent is read back, anything else is refused") {
  for (const std::uint32_t bytes : {32u, 100u, 65'536u}) {
    const std::string body = make_body(17, 123'456, bytes);
    CHECK(body.size() == bytes);
    CHECK(read_body(body, 17, bytes) == 123'456);
    CHECK_FALSE(read_body(body, 18, bytes));
    std::string damaged = body;
    damaged.back() = '~';
    CHECK_FALSE(read_body(damaged, 17, bytes));
    CHECK_FALSE(read_body(body.substr(1), 17, bytes));
  }
  const std::string largest = make_body(UINT32_MAX, UINT64_MAX >> 1, kBodyBytesMin);
  CHECK(read_body(largest, UINT32_MAX, kBodyBytesMin) == UINT64_MAX >> 1);
}

#include <catch2/catch.hpp>

#include "tools/holdfast-chaos/outages.h"

using namespace holdfast::chaos;

namespace {

Operation answered(std::uint32_t conversation, Micros invoked, Micros completed) {
  return {0, conversation, invoked, completed, Operation::Outcome::ok, 1};
}

}  // namespace

TEST_CASE("Chaos outages: the longest wait of each disturbed conversation counts once") {
  History history;
  history.faults = {{"kill", "n1", 1'000'000, 1'000'000, 2'000'000}};
  history.sending_ended = 5'000'000;
  history.operations = {
      answered(0, 999'000, 1'400'000),    // on its way when it happened
      answered(0, 1'100'000, 1'400'000),  // waited less
      answered(1, 1'100'000, 1'104'000),  // undisturbed
      answered(2, 100'000, 900'000),      // before the fault
  };
  const auto outages = outages_of(history);
  REQUIRE(outages.size() == 1);
  REQUIRE(outages[0].outages.size() == 1);
  CHECK(outages[0].outages[0].to - outages[0].outages[0].from == 401'000);
  CHECK(outages[0].undisturbed == 2);
}

TEST_CASE("Chaos outages: a fault is not to blame for what the next one does") {
  History history;
  history.faults = {{"kill", "n1", 1'000'000, 1'000'000, 2'000'000}, {"cut", "n2", 3'000'000, 4'000'000, 5'000'000}};
  history.sending_ended = 9'000'000;
  history.operations = {answered(0, 3'100'000, 4'600'000)};
  auto kinds = by_kind(history);
  CHECK(kinds["kill"].outage.count == 0);
  CHECK(kinds["cut"].outage.max == Approx(1'500));
}

TEST_CASE("Chaos outages: who waits into the next fault waits because of the first one") {
  History history;
  history.faults = {{"kill", "n1", 1'000'000, 1'000'000, 2'000'000}, {"cut", "n2", 3'000'000, 4'000'000, 5'000'000}};
  history.sending_ended = 9'000'000;
  history.operations = {answered(0, 1'100'000, 3'900'000), answered(0, 3'100'000, 3'950'000)};
  auto kinds = by_kind(history);
  CHECK(kinds["kill"].outage.max == Approx(2'800));
  CHECK(kinds["cut"].outage.count == 0);
}

TEST_CASE("Chaos outages: the median and the percentiles are of the values there are") {
  std::vector<Micros> times;
  for (Micros i = 1; i <= 100; ++i) times.push_back(i * 1'000);
  const Figures figures = figures_of(times);
  CHECK(figures.p50 == Approx(50));
  CHECK(figures.p99 == Approx(99));
  CHECK(figures.max == Approx(100));
  CHECK(figures_of({}).count == 0);
}

TEST_CASE("Chaos outages: a missed goal is named with what it was (H13)") {
  History history;
  history.faults = {{"kill", "n1", 1'000'000, 1'000'000, 2'000'000}};
  history.sending_ended = 5'000'000;
  history.operations = {answered(0, 1'000'000, 1'499'000)};
  CHECK(missed_goals(by_kind(history)).empty());
  history.operations = {answered(0, 1'000'000, 1'600'000)};
  const auto missed = missed_goals(by_kind(history));
  REQUIRE(missed.size() == 1);
  CHECK_THAT(missed[0], Catch::Contains("took 600 ms"));
}

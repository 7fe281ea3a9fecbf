#include <catch2/catch.hpp>

#include "tools/holdfast-chaos/outages.h"

using namespace holdfast::chaos;

namespace {

History one_device() {
  History history;
  history.devices.resize(1);
  return history;
}

Operation answered(std::uint32_t conversation, Micros invoked, Micros completed) {
  return {0, conversation, invoked, completed, Operation::Outcome::ok, 1};
}

}  // namespace

TEST_CASE("Chaos outages: the longest wait of each disturbed conversation counts once") {
  History history = one_device();
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
  History history = one_device();
  history.faults = {{"kill", "n1", 1'000'000, 1'000'000, 2'000'000}, {"cut", "n2", 3'000'000, 4'000'000, 5'000'000}};
  history.sending_ended = 9'000'000;
  history.operations = {answered(0, 3'100'000, 4'600'000)};
  auto kinds = by_kind(history);
  CHECK(kinds["kill"].outage.count == 0);
  CHECK(kinds["cut"].outage.max == Approx(1'500));
}

TEST_CASE("Chaos outages: who waits into the next fault waits because of the first one") {
  History history = one_device();
  history.faults = {{"kill", "n1", 1'000'000, 1'000'000, 2'000'000}, {"cut", "n2", 3'000'000, 4'000'000, 5'000'000}};
  history.sending_ended = 9'000'000;
  history.operations = {answered(0, 1'100'000, 3'900'000), answered(0, 3'100'000, 3'950'000)};
  auto kinds = by_kind(history);
  CHECK(kinds["kill"].outage.max == Approx(2'800));
  CHECK(kinds["cut"].outage.count == 0);
}

TEST_CASE("Chaos outages: who begins to wait when all is well again waits because of the next one") {
  History history = one_device();
  history.faults = {{"kill", "n1", 1'000'000, 1'000'000, 2'000'000}, {"cut", "n2", 3'000'000, 4'000'000, 5'000'000}};
  history.sending_ended = 9'000'000;
  history.operations = {answered(0, 2'900'000, 3'900'000)};
  auto kinds = by_kind(history);
  CHECK(kinds["kill"].outage.count == 0);
  CHECK(kinds["cut"].outage.max == Approx(1'000));
}

TEST_CASE("Chaos outages: a device that noticed late was away since it was last heard") {
  History history = one_device();
  history.faults = {{"cut", "n1", 1'000'000, 9'000'000, 10'000'000}};
  history.sending_ended = 20'000'000;
  history.operations = {answered(0, 500'000, 600'000), answered(0, 1'100'000, 1'150'000)};
  history.devices[0].resumed = {{3'400'000, 200'000, 0, 0}};
  CHECK(by_kind(history)["cut"].back.max == Approx(2'250));
  history.operations.pop_back();
  CHECK(by_kind(history)["cut"].back.max == Approx(2'400));
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
  History history = one_device();
  history.faults = {{"kill", "n1", 1'000'000, 1'000'000, 2'000'000}};
  history.sending_ended = 5'000'000;
  history.operations = {answered(0, 1'000'000, 1'499'000)};
  CHECK(missed_goals(by_kind(history)).empty());
  history.operations = {answered(0, 1'000'000, 1'600'000)};
  const auto missed = missed_goals(by_kind(history));
  REQUIRE(missed.size() == 1);
  CHECK_THAT(missed[0], Catch::Contains("took 600 ms"));
}

TEST_CASE("Chaos outages: what waited for the sender's own connection is not the partition's") {
  History history = one_device();
  history.faults = {{"kill:busiest", "n1", 1'000'000, 1'000'000, 2'000'000}};
  history.sending_ended = 5'000'000;
  history.devices.resize(2);
  history.devices[0].resumed = {{1'900'000, 800'000, 0, 0}};
  history.operations = {answered(0, 1'050'000, 1'950'000), answered(0, 1'000'000, 1'300'000)};
  history.operations[1].device = 1;
  auto kinds = by_kind(history);
  CHECK(kinds["kill:busiest"].outage.max == Approx(900));
  CHECK(kinds["kill:busiest"].partition.max == Approx(300));
  CHECK(kinds["kill:busiest"].back.max == Approx(900));
  history.operations[1].completed = 1'600'000;
  const auto missed = missed_goals(by_kind(history));
  REQUIRE(missed.size() == 1);
  CHECK_THAT(missed[0], Catch::Contains("kill:busiest") && Catch::Contains("took 600 ms"));
}

TEST_CASE("Chaos outages: idle devices are counted apart") {
  History history = one_device();
  history.faults = {{"cut", "n1", 1'000'000, 2'000'000, 3'000'000}};
  history.sending_ended = 20'000'000;
  history.devices.resize(2);
  history.devices[0].resumed = {{3'000'000, 1'500'000, 0, 0}};
  history.devices[1].resumed = {{13'000'000, 200'000, 0, 0}};
  history.devices[1].idle = true;
  auto kinds = by_kind(history);
  CHECK(kinds["cut"].back.max == Approx(2'000));
  CHECK(kinds["cut"].idle_back.max == Approx(12'000));
}

TEST_CASE("Chaos outages: a message is late by all the time until it was shown, while not all is well") {
  History history = one_device();
  history.faults = {{"drain", "n1", 1'000'000, 2'000'000, 3'000'000}};
  history.sending_ended = 20'000'000;
  history.operations = {answered(0, 1'500'000, 1'501'000), answered(0, 4'000'000, 4'001'000)};
  history.devices[0].shown = {{1'750'000, 1, 0, {1, 0}}, {6'000'000, 2, 0, {2, 1}}};
  auto kinds = by_kind(history);
  CHECK(kinds["drain"].delivery.count == 1);
  CHECK(kinds["drain"].delivery.max == Approx(250));
  CHECK_THAT(missed_goals(kinds).at(0), Catch::Contains("messages are shown during a drain"));
}

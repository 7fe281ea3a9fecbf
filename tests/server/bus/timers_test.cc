#include "server/bus/timers.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "base/random.h"
#include "storage/keys.h"

namespace holdfast::bus {
namespace {

std::string at(std::int64_t ms, const std::string& what = "x") {
  return keys::due(static_cast<std::uint64_t>(ms), what);
}

constexpr std::int64_t kDay = 86'400'000;

std::vector<Row> rows_of(std::initializer_list<std::string> keys) {
  std::vector<Row> rows;
  for (const auto& key : keys) rows.push_back({key, ""});
  return rows;
}

}  // namespace

TEST_CASE("Timers: a new epoch reads what is due, and nothing more while nothing is") {
  Timers timers(4);
  REQUIRE(timers.take_read(from_ms(100)));
  CHECK_FALSE(timers.take_read(from_ms(100)));  // one at a time
  timers.read(rows_of({at(50), at(150)}));
  CHECK(timers.take(from_ms(100)) == at(50));
  CHECK_FALSE(timers.take(from_ms(100)));
  CHECK_FALSE(timers.take_read(from_ms(1'000'000)));
  CHECK(timers.take(from_ms(150)) == at(150));
}

TEST_CASE("Timers: a row that stands is handed out once, and again in the next epoch only") {
  Timers timers(4);
  timers.take_read(from_ms(100));
  timers.read(rows_of({at(50)}));
  REQUIRE(timers.take(from_ms(100)));
  timers.wrote(at(50));
  CHECK_FALSE(timers.take(from_ms(200)));
  CHECK(timers.running() == 1);
  timers.removed(at(50));
  CHECK(timers.running() == 0);
  timers.wrote(at(50));
  CHECK(timers.take(from_ms(200)) == at(50));
}

TEST_CASE("Timers: a row written earlier than all that wait comes first") {
  Timers timers(4);
  timers.take_read(from_ms(0));
  timers.read(rows_of({at(500)}));
  timers.wrote(at(100));
  CHECK(timers.take(from_ms(100)) == at(100));
}

TEST_CASE("Timers: a row that was removed while it was being read is not run") {
  Timers timers(4);
  timers.take_read(from_ms(100));
  timers.removed(at(50));
  timers.read(rows_of({at(50), at(60)}));
  CHECK(timers.take(from_ms(100)) == at(60));
  CHECK_FALSE(timers.take(from_ms(100)));
}

TEST_CASE("Timers: what a late read brings of the far future does not stand before what is due") {
  Timers timers(1);
  REQUIRE(timers.take_read(from_ms(0)));
  for (int i = 0; i < 5; ++i) timers.wrote(at(10 + i));  // one more than are kept in mind
  timers.read(rows_of({at(kDay)}));
  for (int i = 0; i < 4; ++i) {
    REQUIRE(timers.take(from_ms(100)) == at(10 + i));
    timers.removed(at(10 + i));
  }
  const auto range = timers.take_read(from_ms(100));
  REQUIRE(range);
  CHECK(range->from == at(14));
  timers.read(rows_of({at(14), at(kDay)}));
  CHECK(timers.take(from_ms(100)) == at(14));
}

TEST_CASE("Timers: rows that are not its own are passed over, however many stand before the first that is") {
  Timers timers(1, [](std::string_view what) { return what.front() != 'i'; });
  REQUIRE(timers.take_read(from_ms(100)));
  timers.wrote(at(1, "i0"));
  timers.read(rows_of({at(1, "i0"), at(2, "i1"), at(3, "i2"), at(4, "i3")}));
  CHECK_FALSE(timers.take(from_ms(100)));
  CHECK(timers.busy(from_ms(100)));
  REQUIRE(timers.take_read(from_ms(100)));
  timers.read(rows_of({at(5, "i4"), at(6, "m")}));
  CHECK(timers.take(from_ms(100)) == at(6, "m"));
  timers.removed(at(1, "i0"));
  CHECK(timers.running() == 1);
}

TEST_CASE(
    "Timers: whatever is written, removed, read late and run, every row runs once its time has come, and in bounds") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SeededRandom random(seed);
    constexpr std::size_t kRunning = 3;
    Timers timers(kRunning);
    std::map<std::string, bool> stored;  // row -> was handed out
    std::vector<Row> reading;
    bool read_open = false;
    std::int64_t now = 0;
    const auto some_row = [&](bool running) -> std::string {
      std::vector<std::string> rows;
      for (const auto& [key, ran] : stored)
        if (ran == running) rows.push_back(key);
      return rows.empty() ? std::string() : rows[random.below(rows.size())];
    };
    const auto settle = [&] {
      if (read_open) {
        timers.read(reading);
        read_open = false;
      } else if (const auto range = timers.take_read(from_ms(now))) {
        reading.clear();
        for (auto it = stored.lower_bound(range->from); it != stored.end() && reading.size() < range->limit; ++it)
          reading.push_back({it->first, ""});
        read_open = true;
      }
      while (const auto key = timers.take(from_ms(now))) {
        INFO("seed " << seed);
        const auto row = stored.find(*key);
        REQUIRE(row != stored.end());
        REQUIRE_FALSE(row->second);
        row->second = true;
        REQUIRE(timers.running() <= kRunning);
      }
    };
    for (int step = 0; step < 400; ++step) {
      switch (random.below(5)) {
        case 0:
        case 1: {
          // Most are due soon, some in a day: nothing that is far off may stand before what is near.
          const std::int64_t wait = random.below(6) == 0 ? kDay : 0;
          const std::string key = at(now + wait + static_cast<std::int64_t>(random.below(60)), std::to_string(step));
          stored[key] = false;
          timers.wrote(key);
          break;
        }
        case 2: {
          const std::string key = some_row(random.below(4) != 0);
          if (key.empty()) break;
          stored.erase(key);
          timers.removed(key);
          break;
        }
        case 3: now += static_cast<std::int64_t>(random.below(20)); break;
        default: settle();
      }
    }
    const auto due = [&] { return std::distance(stored.begin(), stored.lower_bound(at(now + 1, "!"))); };
    for (const std::int64_t later : {std::int64_t{1000}, 2 * kDay}) {
      now += later;
      for (int step = 0; step < 2000 && due() > 0; ++step) {
        settle();
        if (const std::string key = some_row(true); !key.empty()) {
          stored.erase(key);
          timers.removed(key);
        }
      }
      for (int last = 0; last < 2; ++last) settle();
      INFO("seed " << seed << " at " << now);
      CHECK(due() == 0);
      CHECK_FALSE(timers.busy(from_ms(now)));
    }
    CHECK(stored.empty());
  }
}

}  // namespace holdfast::bus

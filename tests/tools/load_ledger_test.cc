#include "tools/holdfast-load/ledger.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::load;

namespace {

/// `count` messages that went well, under the numbers 2, 3, … behind the change that made the conversation.
Ledger all_well(std::size_t viewers, std::uint64_t count) {
  Ledger ledger(viewers);
  for (std::size_t viewer = 0; viewer < viewers; ++viewer) ledger.shown(viewer, 1, std::nullopt);
  for (std::uint64_t i = 0; i < count; ++i) {
    ledger.sent(SteadyTime());
    ledger.acknowledged(i, i + 2);
    for (std::size_t viewer = 0; viewer < viewers; ++viewer) ledger.shown(viewer, i + 2, i);
  }
  return ledger;
}

}  // namespace

TEST_CASE("Ledger: what went well has no findings, however long it goes on") {
  const Ledger ledger = all_well(3, 10'000);
  CHECK(ledger.settled());
  CHECK(ledger.finish().none());
  CHECK(ledger.sent_count() == 10'000);
}

TEST_CASE("Ledger: what one viewer was never shown is lost, once for each viewer") {
  Ledger ledger = all_well(3, 2);
  ledger.acknowledged(ledger.sent(SteadyTime()), 4);
  ledger.shown(0, 4, 2);
  CHECK_FALSE(ledger.settled());
  CHECK(ledger.missing(0) == 0);
  CHECK(ledger.missing(1) == 1);
  CHECK(ledger.finish().lost == 2);
}

TEST_CASE("Ledger: a message that is skipped in the middle is out of order and lost") {
  Ledger ledger = all_well(1, 1);
  for (const std::uint64_t number : {3u, 4u}) ledger.acknowledged(ledger.sent(SteadyTime()), number);
  ledger.shown(0, 4, 2);
  const auto found = ledger.finish();
  CHECK(found.out_of_order == 1);
  CHECK(found.lost == 1);
}

TEST_CASE("Ledger: shown again is a duplicate, under the old number and under a new one") {
  Ledger ledger = all_well(2, 3);
  ledger.shown(1, 4, 2);
  CHECK(ledger.findings().duplicated == 1);
  ledger.sent(SteadyTime());
  ledger.shown(1, 5, 2);
  CHECK(ledger.findings().duplicated == 2);
}

TEST_CASE("Ledger: two numbers for one message, and a message that nobody sent, are out of order") {
  Ledger renumbered = all_well(2, 1);
  renumbered.acknowledged(renumbered.sent(SteadyTime()), 9);
  renumbered.shown(0, 3, 1);
  CHECK(renumbered.findings().out_of_order == 1);

  Ledger invented = all_well(1, 1);
  invented.shown(0, 3, 1);
  CHECK(invented.findings().out_of_order == 1);
}

TEST_CASE("Ledger: latencies count from the planned moment, for each viewer once") {
  const SteadyTime planned = SteadyTime(std::chrono::seconds(5));
  Ledger ledger(2);
  ledger.sent(planned);
  CHECK(ledger.acknowledged(0, 1) == planned);
  CHECK_FALSE(ledger.acknowledged(0, 1));
  CHECK(ledger.shown(0, 1, 0) == planned);
  CHECK(ledger.shown(1, 1, 0) == planned);
  CHECK_FALSE(ledger.shown(1, 1, 0));
}

TEST_CASE("Ledger: who comes late misses nothing before, and everything after") {
  Ledger ledger(2);
  ledger.begins_at(1, 7);
  ledger.sent(SteadyTime());
  ledger.acknowledged(0, 7);
  ledger.shown(1, 7, 0);
  CHECK(ledger.findings().none());
  CHECK(ledger.missing(0) == 1);

  Ledger too_late(1);
  too_late.begins_at(0, 7);
  too_late.shown(0, 8, std::nullopt);
  CHECK(too_late.findings().out_of_order == 1);
}

TEST_CASE("Ledger: a message that the server refused for the moment may be overtaken, and nothing is lost or doubled") {
  for (const bool told_before_it_is_shown : {false, true}) {
    Ledger ledger = all_well(2, 1);
    for (int i = 0; i < 3; ++i) ledger.sent(SteadyTime());
    // 1 is refused, 2 and 3 go before it.
    const auto told = [&ledger] {
      ledger.put_off(1);
      ledger.acknowledged(1, 5);
    };
    ledger.acknowledged(2, 3);
    ledger.acknowledged(3, 4);
    for (std::size_t viewer = 0; viewer < 2; ++viewer) {
      CHECK(ledger.shown(viewer, 3, 2));
      CHECK(ledger.shown(viewer, 4, 3));
    }
    CHECK_FALSE(ledger.settled());
    if (told_before_it_is_shown) told();
    for (std::size_t viewer = 0; viewer < 2; ++viewer) CHECK(ledger.shown(viewer, 5, 1));
    if (!told_before_it_is_shown) told();
    CHECK(ledger.settled());
    CHECK(ledger.finish().none());
  }
}

TEST_CASE("Ledger: a message that is overtaken for no reason is out of order, once, whoever is shown it first") {
  for (const bool acknowledged_first : {false, true}) {
    Ledger ledger = all_well(2, 1);
    for (int i = 0; i < 2; ++i) ledger.sent(SteadyTime());
    if (acknowledged_first) ledger.acknowledged(1, 4);
    for (std::size_t viewer = 0; viewer < 2; ++viewer) {
      ledger.shown(viewer, 3, 2);
      ledger.shown(viewer, 4, 1);
    }
    CHECK(ledger.finish().out_of_order == 1);
    ledger.acknowledged(1, 4);
    ledger.acknowledged(2, 3);
    CHECK(ledger.finish().out_of_order == 1);
    CHECK(ledger.finish().lost == 0);
    CHECK(ledger.finish().duplicated == 0);
  }
}

TEST_CASE("Ledger: a message refused for the moment is lost, doubled and misnumbered like any other") {
  Ledger ledger = all_well(2, 1);
  for (int i = 0; i < 2; ++i) ledger.sent(SteadyTime());
  ledger.put_off(1);
  ledger.acknowledged(1, 4);
  ledger.acknowledged(2, 3);
  ledger.shown(0, 3, 2);
  CHECK(ledger.finish().lost == 3);  // 1 to both, 2 to the second
  ledger.shown(0, 4, 1);
  ledger.shown(0, 5, 1);
  CHECK(ledger.findings().duplicated == 1);
  ledger.shown(1, 3, 1);
  CHECK(ledger.findings().out_of_order == 1);
}

TEST_CASE("Ledger: where only the count of the acknowledged is known, the writer's process tells who was put off") {
  for (const bool told : {false, true}) {
    Ledger ledger(1);
    for (int i = 0; i < 3; ++i) ledger.sent(SteadyTime());
    const std::uint64_t order[] = {0, 2, 1};
    for (std::uint64_t i = 0; i < 3; ++i) ledger.shown(0, i + 1, order[i]);
    ledger.acknowledged_elsewhere(3);
    if (told) ledger.put_off(1);
    CHECK(ledger.finish().out_of_order == (told ? 0 : 1));
    CHECK(ledger.finish().lost == 0);
  }
}

TEST_CASE("Ledger: thousands that overtake each other are judged, and forgotten when everybody has them") {
  Ledger ledger(2);
  constexpr std::uint64_t kMessages = 10'000;
  for (std::uint64_t i = 0; i < kMessages; ++i) ledger.sent(SteadyTime());
  // Of each two the first is refused once.
  for (std::uint64_t i = 0; i < kMessages; i += 2) {
    ledger.put_off(i);
    ledger.acknowledged(i + 1, i + 1);
    ledger.acknowledged(i, i + 2);
    for (std::size_t viewer = 0; viewer < 2; ++viewer) {
      ledger.shown(viewer, i + 1, i + 1);
      ledger.shown(viewer, i + 2, i);
    }
  }
  CHECK(ledger.settled());
  CHECK(ledger.finish().none());
  CHECK_FALSE(ledger.acknowledged(0, 2));
  ledger.shown(1, kMessages + 1, 0);  // long forgotten, and no new one
  CHECK(ledger.findings().duplicated == 1);
}

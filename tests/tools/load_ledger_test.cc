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

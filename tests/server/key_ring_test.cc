#include <catch2/catch.hpp>

#include "base/random.h"
#include "server/shared.h"

using namespace holdfast;

TEST_CASE("KeyRing: nodes that hold the same token keys seal TLS tickets alike; rotated, the new key seals") {
  SeededRandom random(1);
  const WallTime now = wall_now();
  const auto keys = chat::TokenKeys::first(now, random);
  KeyRing one(keys), other(keys);
  const auto name = [](const TicketKeys::Key& key) { return std::string(key.name.begin(), key.name.end()); };
  const std::string before = name(*one.tickets()->sealing());
  REQUIRE(other.tickets()->find(before));

  const auto rotated = keys.rotated(now, std::chrono::hours(24), random);
  one.set(rotated);
  const std::string after = name(*one.tickets()->sealing());
  CHECK(after != before);
  CHECK(one.tickets()->find(before));
  CHECK_FALSE(other.tickets()->find(after));
  other.set(rotated);
  CHECK(other.tickets()->find(after));

  one.set(rotated.rotated(now, std::chrono::hours(24), random));
  CHECK_FALSE(one.tickets()->find(before));
}

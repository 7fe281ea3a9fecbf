#include "server/gateway/rate.h"

#include <catch2/catch.hpp>

#include "base/random.h"
#include "server/gateway/admission.h"

using namespace holdfast;
using namespace holdfast::gateway;
using namespace std::chrono_literals;

TEST_CASE("Rate: over a long time it lets through what it says, and a second's worth at once") {
  Rate rate;
  SteadyTime now{1h};
  int taken = 0;
  while (rate.take(now, 1, 100).count() == 0) ++taken;
  CHECK(taken >= 100);
  CHECK(taken <= 101);
  for (int ms = 0; ms < 10'000; ++ms) {
    now += 1ms;
    if (rate.take(now, 1, 100).count() == 0) ++taken;
  }
  CHECK(taken >= 1'098);
  CHECK(taken <= 1'102);
}

TEST_CASE("Rate: after the time it names, it gives") {
  Rate rate;
  SteadyTime now{1h};
  for (int round = 0; round < 1'000; ++round) {
    const auto wait = rate.take(now, 7, 100);
    if (wait.count() == 0) continue;
    now += wait;
    CHECK(rate.take(now, 7, 100).count() == 0);
  }
}

TEST_CASE("Rate: what costs more than a second's worth is possible, and paid for") {
  Rate rate;
  const SteadyTime now{1h};
  CHECK(rate.take(now, 1'000, 100).count() == 0);
  CHECK(rate.take(now, 1, 100) == 9s);
}

TEST_CASE("Rate: the shared one counts like the other") {
  SharedRate shared;
  Rate own;
  SteadyTime now{1h};
  for (int round = 0; round < 5'000; ++round) {
    CHECK(shared.take(now, 3, 500) == own.take(now, 3, 500));
    now += 5ms;
  }
}

TEST_CASE("Admission: as many places as there are, given back when they go") {
  Admission admission({2, "key", {}});
  auto first = admission.admit();
  auto second = admission.admit();
  CHECK(first);
  CHECK_FALSE(admission.admit());
  CHECK(admission.connections() == 2);
  first.reset();
  auto third = admission.admit();
  CHECK(third);
  const Admission::Place moved = std::move(*third);
  third.reset();
  CHECK_FALSE(admission.admit());
}

TEST_CASE("Admission: a user's rate is one object while anybody holds it") {
  Admission admission({2, "key", {}});
  SeededRandom random(1);
  const auto user = random.id<UserId>();
  const auto rate = admission.rate_of(user);
  CHECK(admission.rate_of(user) == rate);
  CHECK(admission.rate_of(random.id<UserId>()) != rate);
}

TEST_CASE("Admission: without an operator key nobody is an operator") {
  CHECK_FALSE(Admission({1, "", {}}).is_operator_key(""));
  CHECK(Admission({1, "key", {}}).is_operator_key("key"));
  CHECK_FALSE(Admission({1, "key", {}}).is_operator_key("kez"));
  CHECK_FALSE(Admission({1, "key", {}}).is_operator_key("key "));
}

TEST_CASE("Admission: clients get what open files and memory leave") {
  constexpr std::uint64_t kMuch = std::uint64_t{64} << 30;
  CHECK(connections_allowed(20'000, kMuch) == 18'976);
  CHECK(connections_allowed(1'024, kMuch) == 512);
  CHECK(connections_allowed(1'000'000, std::uint64_t{24} << 20) == 512);
  CHECK(connections_allowed(1'000'000, 4'096) == 1);
}

#include "failover/generation.h"

#include <catch2/catch.hpp>

namespace holdfast::failover {
namespace {

TEST_CASE(
    "Generation: each restore has a higher number than the data it was made of, and positions beyond all of its") {
  const Generation first;
  const Generation second = first.next(from_ms(1'700'000'000'000));
  CHECK(second.number == 1'700'000'000);
  CHECK(first.first_position() == 1);
  CHECK(second.first_position() > 1'000'000'000'000);
  // The clock says less than the generation before: it rises all the same.
  const Generation third = second.next(from_ms(1'000));
  CHECK(third.number == second.number + 1);
  CHECK(third.first_position() > second.first_position());
  // Two restores of one backup are two generations, whose positions a client tells apart by the number.
  CHECK(first.next(from_ms(1'700'000'009'000)).number != second.number);
}

TEST_CASE("Generation: is read back as it was written, and nothing else is") {
  const Generation generation{17, 3};
  CHECK(parse_generation(generation.text()) == generation);
  for (const char* bad : {"", "x", "0 1", "5", "5 6 7", "5 6x"}) CHECK_FALSE(parse_generation(bad));
}

}  // namespace
}  // namespace holdfast::failover

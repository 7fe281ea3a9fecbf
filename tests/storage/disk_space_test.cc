#include "storage/disk_space.h"

#include <catch2/catch.hpp>

using namespace holdfast;

TEST_CASE("DiskSpace: full below the reserve, and not again before there is a tenth more") {
  std::uint64_t free = 2'000;
  DiskSpace space(1'000, [&]() -> Result<std::uint64_t> { return free; });
  const auto full_at = [&](std::uint64_t bytes) {
    free = bytes;
    REQUIRE(space.check());
    return space.full();
  };
  CHECK_FALSE(space.full());
  CHECK_FALSE(full_at(1'000));
  CHECK(full_at(999));
  CHECK(full_at(1'000));
  CHECK(full_at(1'099));
  CHECK_FALSE(full_at(1'100));
  CHECK_FALSE(full_at(1'001));
  CHECK(full_at(0));
  CHECK(space.free_bytes() == 0);
}

TEST_CASE("DiskSpace: when the system gives no answer nothing changes") {
  bool broken = false;
  DiskSpace space(1'000, [&]() -> Result<std::uint64_t> {
    if (broken) return Error{Errc::io, "no"};
    return std::uint64_t{10};
  });
  REQUIRE(space.check());
  broken = true;
  CHECK_FALSE(space.check());
  CHECK(space.full());
}

TEST_CASE("DiskSpace: the system's answer") {
  CHECK(free_bytes_of("/tmp")().value() > 0);
  CHECK(free_bytes_of("/nowhere at all")().error().code == Errc::io);
}

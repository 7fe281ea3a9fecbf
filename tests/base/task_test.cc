#include "base/task.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace holdfast;

namespace {

struct Flag {
  bool* gone;
  ~Flag() { *gone = true; }
};

struct Desk {
  std::vector<Awaited<int>::Resume> asked;
  Awaited<int> ask() {
    return Awaited<int>([this](Awaited<int>::Resume resume) { asked.push_back(std::move(resume)); });
  }
};

Task<int> inner(Desk* desk) {
  const int a = co_await desk->ask();
  co_return a + 1;
}

Task<int> outer(Desk* desk, bool* gone) {
  Flag flag{gone};
  Task<int> first = inner(desk);
  const int a = co_await first;
  const int b = co_await desk->ask();
  co_return a * 10 + b;
}

}  // namespace

TEST_CASE("Task: runs through nested waits and hands its value on") {
  Desk desk;
  bool gone = false;
  int result = 0;
  run_task(outer(&desk, &gone), [&](int value) { result = value; });
  REQUIRE(desk.asked.size() == 1);
  desk.asked[0](1);
  REQUIRE(desk.asked.size() == 2);
  CHECK_FALSE(gone);
  desk.asked[1](5);
  CHECK(result == 25);
  CHECK(gone);
}

TEST_CASE("Task: is destroyed when who should resume it lets go") {
  bool gone = false;
  bool ended = false;
  {
    Desk desk;
    run_task(outer(&desk, &gone), [&](int) { ended = true; });
    desk.asked[0](1);
    CHECK_FALSE(gone);
  }
  CHECK(gone);
  CHECK_FALSE(ended);
}

TEST_CASE("Task: may be answered within the call that asks") {
  struct Now {
    Awaited<int> ask() {
      return Awaited<int>([](Awaited<int>::Resume resume) { resume(7); });
    }
  };
  static const auto flow = [](Now* now) -> Task<int> { co_return co_await now->ask(); };
  Now now;
  int result = 0;
  run_task(flow(&now), [&](int value) { result = value; });
  CHECK(result == 7);
}

#include "server/chat/passwords.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

using namespace holdfast;
using namespace holdfast::chat;

namespace {
constexpr PasswordCost kCheap{1, 8192 * 2};  // for tests that don't care
}

TEST_CASE("PasswordHasher: the right password matches, others don't, and an empty hash matches nothing") {
  const PasswordHasher hasher(kCheap);
  const auto hash = hasher.hash("correct horse");
  REQUIRE(hash);
  CHECK(hash->starts_with("$argon2id$"));
  CHECK(hasher.verify(*hash, "correct horse"));
  CHECK_FALSE(hasher.verify(*hash, "correct horsf"));
  CHECK_FALSE(hasher.verify("", "correct horse"));
  CHECK_FALSE(hasher.verify("", ""));
  CHECK_FALSE(hasher.verify("not a hash", "correct horse"));
  CHECK(*hasher.hash("correct horse") != *hash);
}

TEST_CASE("PasswordHasher: costs what the configuration says, by default OWASP's minimum") {
  const PasswordHasher hasher(PasswordCost{});
  CHECK(hasher.hash("correct horse")->starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
}

TEST_CASE("PasswordPool: a full queue refuses, and as many run at once as there are threads") {
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  std::promise<void> started;
  std::atomic<int> ran = 0;
  PasswordPool pool({1, 2});
  REQUIRE(pool.submit([&, gone] {
    started.set_value();
    gone.wait();
    ++ran;
  }));
  started.get_future().wait();
  std::promise<void> last;
  REQUIRE(pool.submit([&] { ++ran; }));
  REQUIRE(pool.submit([&] {
    ++ran;
    last.set_value();
  }));
  const Status full = pool.submit([&] { ++ran; });
  REQUIRE_FALSE(full);
  CHECK(full.error().code == Errc::retry_later);
  CHECK(ran == 0);
  go.set_value();
  last.get_future().wait();
  CHECK(ran == 3);
}

TEST_CASE("PasswordPool: what is queued when it goes is dropped, not run") {
  std::promise<void> go;
  std::promise<void> started;
  std::atomic<int> ran = 0;
  const auto held = std::make_shared<int>(0);
  std::thread stopper;
  {
    PasswordPool pool({1, 8});
    REQUIRE(pool.submit([&] {
      started.set_value();
      go.get_future().wait();
    }));
    started.get_future().wait();
    REQUIRE(pool.submit([&ran, held] { ++ran; }));
    CHECK(held.use_count() == 2);
    stopper = std::thread([&] { go.set_value(); });
    // Whether the pool stops before or after the first job ends, the second may run or be dropped, but not linger.
  }
  stopper.join();
  CHECK(held.use_count() == 1);
}

#include "clients/cpp/reconnect.h"

#include <set>

#include "play.h"

using namespace holdfast;
using namespace holdfast::client;
using namespace holdfast::client::play;

TEST_CASE("Reconnect: the first wait is below 200 ms, later ones below 250 ms, 500 ms and so on, never above 20 s") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SeededRandom random(seed);
    ReconnectPolicy policy({}, random);
    CHECK(policy.next_delay(0ms) <= 200ms);
    for (int k = 1; k < 40; ++k) {
      const auto bound = k < 8 ? 250ms * (1 << (k - 1)) : 20'000ms;
      CHECK(policy.next_delay(0ms) <= bound);
    }
  }
}

TEST_CASE("Reconnect: waits are spread over the whole interval") {
  SeededRandom random(7);
  ReconnectPolicy policy({}, random);
  policy.next_delay(0ms);
  for (int i = 0; i < 20; ++i) policy.next_delay(0ms);
  int low = 0;
  for (int i = 0; i < 1000; ++i) low += policy.next_delay(0ms) < 10'000ms;
  CHECK(low > 400);
  CHECK(low < 600);
}

TEST_CASE("Reconnect: what the server asks for is a minimum, with jitter on top") {
  std::set<long> seen;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SeededRandom random(seed);
    ReconnectPolicy policy({}, random);
    const auto delay = policy.next_delay(3'000ms);
    CHECK(delay >= 3'000ms);
    CHECK(delay <= 3'200ms);
    seen.insert(delay.count());
  }
  CHECK(seen.size() > 20);
}

TEST_CASE("Reconnect: who was told when to come adds at most half of that, however often it has tried") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SeededRandom random(seed);
    ReconnectPolicy policy({}, random);
    for (int i = 0; i < 12; ++i) policy.next_delay(0ms);
    CHECK(policy.next_delay(2'000ms) <= 3'000ms);
    CHECK(policy.next_delay(100ms) <= 350ms);
  }
}

TEST_CASE("Reconnect: two tries get 1 s, later ones 5 s; a stable connection begins anew") {
  SeededRandom random(1);
  ReconnectPolicy policy({}, random);
  CHECK(policy.try_max() == 1s);
  policy.next_delay(0ms);
  CHECK(policy.try_max() == 1s);
  policy.next_delay(0ms);
  CHECK(policy.try_max() == 1s);
  policy.next_delay(0ms);
  CHECK(policy.try_max() == 5s);
  policy.lost_after(SteadyTime(10s), SteadyTime(11s));
  CHECK(policy.tries() == 0);
  CHECK(policy.next_delay(0ms) <= 200ms);
}

TEST_CASE("Reconnect: after a connection that was up for a moment only the waits begin at the base") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SeededRandom random(seed);
    ReconnectPolicy policy({}, random);
    for (int i = 0; i < 12; ++i) policy.next_delay(0ms);
    policy.lost_after(SteadyTime(10s), SteadyTime(10'001ms));
    CHECK(policy.next_delay(0ms) <= 250ms);
    CHECK(policy.next_delay(0ms) <= 500ms);
  }
}

TEST_CASE("Machine: an attempt that takes too long is given up and the next endpoint tried") {
  auto options = options_for(LogInWith{"ada", "secret"});
  options.endpoints.push_back({"two", 7400, false, false});
  Play play(options);
  play.machine.start(play.now);
  const auto first = play.machine.take_wish();
  REQUIRE(first.open);
  CHECK(first.time_max == 1s);
  play.pass(999ms);
  CHECK_FALSE(play.machine.take_wish().close);
  play.pass(1ms);
  CHECK(play.machine.take_wish().close);
  REQUIRE(play.heard.reconnecting.size() == 1);
  play.pass_to_deadline();
  const auto second = play.machine.take_wish();
  REQUIRE(second.open);
  CHECK(*second.open != *first.open);
}

TEST_CASE("Machine: a good-bye's wait is kept, with jitter") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  v1::ServerFrame goodbye;
  goodbye.mutable_goodbye()->set_reason("draining");
  goodbye.mutable_goodbye()->set_retry_after_ms(700);
  play.say(goodbye);
  CHECK(play.machine.take_wish().close);
  REQUIRE(play.heard.reconnecting.size() == 1);
  CHECK(play.heard.reconnecting[0].delay >= 700ms);
  CHECK(play.heard.reconnecting[0].delay <= 900ms);
  CHECK(play.heard.reconnecting[0].reason == "good-bye: draining");
  play.pass_to_deadline();
  play.resume();
}

TEST_CASE("Machine: a resume that is refused for a short while is asked again on the same connection, after the wait") {
  Play play(options_for(ResumeWith{"t0", 5}));
  play.machine.start(play.now);
  REQUIRE(play.machine.take_wish().open);
  play.machine.connection_open(play.now);
  auto frames = play.written();
  play.answer_hello(frames[0].request_id());
  auto resume = frames[1];
  for (int i = 0; i < 5; ++i) {
    play.answer_error(resume.request_id(), v1::RETRY, 50);
    const auto asked = play.now;
    play.pass(50ms);
    CHECK(play.written().empty());
    play.pass_to_deadline();
    CHECK(play.now - asked <= 250ms);
    resume = play.one();
    CHECK(resume.resume().token() == "t0");
  }
  play.say(Play::session(resume.request_id(), "", 5));
  CHECK(play.machine.online());
  CHECK(play.heard.reconnecting.empty());
}

TEST_CASE("Machine: a node that keeps refusing for short whiles is left at last, and one that falls silent at once") {
  Play play(options_for(ResumeWith{"t0", 5}));
  play.machine.start(play.now);
  play.machine.take_wish();
  play.machine.connection_open(play.now);
  auto frames = play.written();
  play.answer_hello(frames[0].request_id());
  auto resume = frames[1];
  SECTION("refusing") {
    const auto start = play.now;
    while (play.heard.reconnecting.empty()) {
      play.answer_error(resume.request_id(), v1::RETRY, 50);
      if (!play.heard.reconnecting.empty()) break;
      play.pass_to_deadline();
      resume = play.one();
      REQUIRE(play.now - start < 10s);
    }
  }
  SECTION("silent") {
    play.answer_error(resume.request_id(), v1::RETRY, 50);
    play.pass_to_deadline();
    CHECK(play.one().has_resume());
    play.pass(1s);
  }
  CHECK(play.heard.reconnecting.size() == 1);
  CHECK(play.machine.take_wish().close);
}

TEST_CASE("Machine: a resume that is refused for the moment is tried again after the server's wait") {
  Play play(options_for(ResumeWith{"t0", 5}));
  play.machine.start(play.now);
  REQUIRE(play.machine.take_wish().open);
  play.machine.connection_open(play.now);
  const auto frames = play.written();
  REQUIRE(frames.size() == 2);
  play.answer_hello(frames[0].request_id());
  play.answer_error(frames[1].request_id(), v1::RETRY, 2'000);
  CHECK(play.machine.take_wish().close);
  REQUIRE(play.heard.reconnecting.size() == 1);
  CHECK(play.heard.reconnecting[0].delay >= 2'000ms);
  play.pass_to_deadline();
  CHECK(play.resume().token() == "t0");
}

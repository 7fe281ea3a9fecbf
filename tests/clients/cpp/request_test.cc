#include "play.h"

using namespace holdfast;
using namespace holdfast::client;
using namespace holdfast::client::play;

TEST_CASE("Request: asked again after a reconnect, under the same idempotency id") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  int answers = 0;
  play.machine.request(play.now, ask::edit(conversation(1), 4, "x"), [&](const Reply& r) { answers += r.ok(); }, {});
  const auto first = play.one();
  REQUIRE(first.idempotency_id().size() == 16);
  play.reconnect();
  const auto second = play.one();
  CHECK(second.idempotency_id() == first.idempotency_id());
  play.answer_change(second.request_id(), 9);
  play.answer_change(second.request_id(), 9);
  CHECK(answers == 1);
}

TEST_CASE("Request: one that only reads carries no idempotency id") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  play.machine.request(play.now, ask::history(conversation(1), {}), nullptr, {});
  CHECK(play.one().idempotency_id().empty());
}

TEST_CASE("Request: not now is asked again after the wait; no is handed on") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  std::optional<Failure> failure;
  play.machine.request(play.now, ask::get_account(), [&](const Reply& r) { failure = r.failure; }, {});
  const auto first = play.one();
  play.answer_error(first.request_id(), v1::RETRY, 300);
  CHECK_FALSE(failure);
  play.pass(299ms);
  CHECK(play.written().empty());
  play.pass(202ms);
  const auto second = play.one();
  play.answer_error(second.request_id(), v1::NOT_FOUND);
  REQUIRE(failure);
  CHECK(failure->code == v1::NOT_FOUND);
}

TEST_CASE("Request: its time ends whatever happens, also while there is no connection") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  std::optional<Failure> failure;
  play.machine.request(play.now, ask::get_account(), [&](const Reply& r) { failure = r.failure; }, 100ms);
  play.machine.connection_lost(play.now, "cut");
  play.pass(100ms);
  REQUIRE(failure);
  CHECK(failure->cause == Failure::Cause::timed_out);
}

TEST_CASE("Request: a full table refuses, not from within the call") {
  auto options = options_for(LogInWith{"ada", "secret"});
  options.requests_max = 1;
  Play play(options);
  play.machine.start(play.now);
  play.log_in();
  std::optional<Failure> failure;
  play.machine.request(play.now, ask::get_account(), nullptr, {});
  play.machine.request(play.now, ask::get_account(), [&](const Reply& r) { failure = r.failure; }, {});
  CHECK_FALSE(failure);
  play.pass(0ms);
  REQUIRE(failure);
  CHECK(failure->cause == Failure::Cause::full);
}

TEST_CASE("Liveness: an unanswered send is probed after 1 s of silence and given up 1 s later") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  REQUIRE(play.post(1, "a"));
  play.written();
  play.pass(999ms);
  CHECK(play.written().empty());
  play.pass(1ms);
  CHECK(play.one().has_ping());
  play.pass(999ms);
  CHECK_FALSE(play.machine.take_wish().close);
  play.pass(1ms);
  CHECK(play.machine.take_wish().close);
  CHECK(play.heard.reconnecting.size() == 1);
}

TEST_CASE("Liveness: a probe that is answered saves the connection") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  REQUIRE(play.post(1, "a"));
  play.written();
  for (int i = 0; i < 5; ++i) {
    play.pass(1s);
    v1::ServerFrame pong;
    pong.set_request_id(play.one().request_id());
    pong.mutable_pong();
    play.say(pong);
  }
  CHECK(play.machine.online());
}

TEST_CASE("Liveness: an idle connection is pinged every 10 s and found dead within 12") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  const SteadyTime begin = play.now;
  play.pass_to_deadline();
  CHECK(play.now - begin == 10s);
  CHECK(play.one().has_ping());
  while (play.machine.online()) play.pass_to_deadline();
  CHECK(play.now - begin == 12s);
}

#include "server/router.h"

#include <catch2/catch.hpp>

namespace holdfast {
namespace {

const NodeId kSelf{1}, kOther{2}, kThird{3};
const PartitionId kPartition{0};

struct Fixture {
  Router router{kSelf, 1, 100,
                Router::Options{
                    .asks_max = 3, .give_up = std::chrono::milliseconds(1000), .again = std::chrono::milliseconds(20)}};
  SteadyTime now{};
  std::vector<std::string> answered;

  Fixture() {
    router.set_link(kOther, true);
    router.set_primary(kPartition, kOther, Epoch(1));
  }
  void ask(const std::string& name, bool client = true) {
    command::Command command;
    command.set_user(name);
    if (!client) command.mutable_source()->set_subscriber("s");
    router.ask(kPartition, std::move(command), [this, name](const command::Answer& answer) {
      answered.push_back(answer.frame().has_error() ? name + " " + v1::ErrorCode_Name(answer.frame().error().code())
                                                    : name);
    });
  }
  void answer(const Router::Ask& ask, command::Answer answer = {}) {
    router.answered(ask.id, ask.route, std::move(answer));
    hand_out();
  }
  void hand_out() {
    for (auto& [then, what] : router.take_answers()) then(std::move(what));
  }
  void tick(std::chrono::milliseconds by) {
    router.tick(now += by);
    hand_out();
  }
};

std::vector<std::string> names(const std::vector<Router::Ask>& asks) {
  std::vector<std::string> names;
  for (const auto& ask : asks) names.push_back(ask.command.user());
  return names;
}

using Names = std::vector<std::string>;

TEST_CASE("Router: what a dead primary left open is asked of the next, in order, under a new route") {
  Fixture f;
  f.ask("a");
  f.ask("b");
  const auto first = f.router.take_asks();
  REQUIRE(names(first) == Names{"a", "b"});
  f.answer(first[0]);
  f.router.set_link(kOther, false);
  f.ask("c");
  CHECK(f.router.take_asks().empty());
  f.router.set_link(kThird, true);
  f.router.set_primary(kPartition, kThird, Epoch(2));
  const auto again = f.router.take_asks();
  CHECK(names(again) == Names{"b", "c"});
  CHECK(again[0].to == kThird);
  CHECK(again[0].route > first[0].route);
  CHECK(f.answered == Names{"a"});
}

TEST_CASE("Router: news of the epoch that is known asks nothing again") {
  Fixture f;
  f.ask("a");
  f.router.take_asks();
  f.router.set_primary(kPartition, kOther, Epoch(1));
  CHECK(f.router.take_asks().empty());
}

TEST_CASE("Router: a command that was asked twice is answered once") {
  Fixture f;
  f.ask("a");
  const auto first = f.router.take_asks();
  f.router.set_primary(kPartition, kOther, Epoch(2));
  const auto second = f.router.take_asks();
  f.answer(first[0]);
  f.answer(second[0]);
  CHECK(f.answered == Names{"a"});
  CHECK(f.router.open() == 0);
}

TEST_CASE("Router: whoever does not lead is asked again a little later, with all that came meanwhile behind it") {
  Fixture f;
  f.ask("a");
  const auto first = f.router.take_asks();
  f.answer(first[0], elsewhere());
  f.ask("b");
  CHECK(f.router.take_asks().empty());
  f.tick(std::chrono::milliseconds(20));
  CHECK(names(f.router.take_asks()) == Names{"a", "b"});
}

TEST_CASE("Router: a refusal of an old route changes nothing") {
  Fixture f;
  f.ask("a");
  const auto first = f.router.take_asks();
  f.router.set_primary(kPartition, kOther, Epoch(2));
  f.router.take_asks();
  f.answer(first[0], elsewhere());
  f.ask("b");
  CHECK(names(f.router.take_asks()) == Names{"b"});
}

TEST_CASE("Router: an error of an old route is not the answer, for what was asked again may be carried out") {
  Fixture f;
  f.ask("a");
  f.ask("b");
  const auto first = f.router.take_asks();
  f.router.ask_again(kPartition);
  const auto second = f.router.take_asks();
  command::Answer refused;
  refused.mutable_frame()->mutable_error()->set_code(v1::NOT_FOUND);
  f.answer(first[0], refused);
  CHECK(f.answered.empty());
  f.answer(second[0]);
  f.answer(second[1], refused);
  CHECK(f.answered == Names{"a", "b NOT_FOUND"});
}

TEST_CASE("Router: answers that were lost with the primary's link to us are asked for again") {
  Fixture f;
  f.ask("a");
  f.router.take_asks();
  f.router.ask_again(kPartition);
  CHECK(names(f.router.take_asks()) == Names{"a"});
}

TEST_CASE("Router: what nobody answers is asked again after a while, and then more rarely") {
  Fixture f;
  f.ask("a");
  f.router.take_asks();
  f.tick(std::chrono::milliseconds(2000));
  CHECK(f.router.take_asks().empty());
  f.tick(std::chrono::milliseconds(1));
  CHECK(names(f.router.take_asks()) == Names{"a"});
  f.tick(std::chrono::milliseconds(4000));
  CHECK(f.router.take_asks().empty());
  f.tick(std::chrono::milliseconds(1));
  CHECK(names(f.router.take_asks()) == Names{"a"});
}

TEST_CASE("Router: while nobody can be asked a client is told to come again, a subscriber never") {
  Fixture f;
  f.router.set_link(kOther, false);
  f.ask("client");
  f.ask("subscriber", false);
  f.tick(std::chrono::milliseconds(1001));
  CHECK(f.answered == Names{"client RETRY"});
  CHECK(f.router.open() == 1);
  f.router.set_link(kOther, true);
  CHECK(names(f.router.take_asks()) == Names{"subscriber"});
}

TEST_CASE("Router: a lane takes so many clients and no more") {
  Fixture f;
  for (const char* name : {"a", "b", "c", "d"}) f.ask(name);
  f.hand_out();
  CHECK(f.answered == Names{"d RETRY"});
}

TEST_CASE("Routes: what was refused refuses the rest of its route and older ones, of that asker alone") {
  Routes routes;
  const Routes::From asker{kOther, 0, kPartition}, another{kOther, 1, kPartition};
  CHECK(routes.takes(asker, 5, 7, 0));
  routes.refused(asker, 5, 7);
  CHECK_FALSE(routes.takes(asker, 5, 7, 1));
  CHECK_FALSE(routes.takes(asker, 5, 6, 0));
  CHECK(routes.takes(another, 5, 7, 0));
  CHECK(routes.takes(asker, 5, 8, 0));
  CHECK(routes.takes(asker, 5, 8, 1));
}

TEST_CASE("Routes: another life of the asker begins anew") {
  Routes routes;
  const Routes::From asker{kOther, 0, kPartition};
  CHECK(routes.takes(asker, 5, 70, 0));
  CHECK(routes.takes(asker, 6, 1, 0));
}

TEST_CASE("Routes: what came behind something that was lost with a link is refused, not taken without it") {
  Routes routes;
  const Routes::From asker{kOther, 0, kPartition};
  CHECK(routes.takes(asker, 5, 7, 0));
  CHECK_FALSE(routes.takes(asker, 5, 7, 2));
  CHECK_FALSE(routes.takes(asker, 5, 7, 3));
  CHECK(routes.takes(asker, 5, 9, 0));
}

}  // namespace
}  // namespace holdfast

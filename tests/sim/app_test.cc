/// Applications with the client library in a simulated cluster: they find their way by themselves.
#include <catch2/catch.hpp>

#include "tests/sim/cluster_world.h"
#include "tests/support/requests.h"

namespace holdfast::sim {
namespace {

/// Three nodes, an application, and somebody who writes to it.
struct Town {
  explicit Town(std::uint64_t seed, bool forgets_ids = false) : world(options_of(seed, forgets_ids)) {
    for (int i = 0; i < 3; ++i) world.add_node();
    REQUIRE(world.run_until([&] { return world.is_whole(); }, Millis(30'000)));
    app = &world.add_app("app1");
    friend_of_app = &world.add_client({.username = "friend"});
    REQUIRE(world.run_until([&] { return app->is_online() && world.clients_idle(); }, Millis(5'000)));
    const std::size_t opened = friend_of_app->ask(requests::open_direct(app->user()));
    REQUIRE(world.run_until([&] { return friend_of_app->answer(opened) != nullptr; }, Millis(5'000)));
    where = *ConversationId::from_bytes(friend_of_app->answer(opened)->conversation().conversation_id());
  }
  static ClusterOptions options_of(std::uint64_t seed, bool forgets_ids) {
    ClusterOptions options = calm_cluster(seed, 3, 2);
    options.apps_forget_ids = forgets_ids;
    return options;
  }

  void talk(int times) {
    for (int i = 0; i < times; ++i) {
      app->post(where, "to a friend");
      friend_of_app->ask(requests::post(where.str(), "to the app"));
      world.run_for(Millis(20));
    }
  }
  std::vector<std::string> end() {
    const bool whole =
        world.run_until([&] { return world.is_whole() && world.clients_idle() && world.is_quiet(); }, Millis(60'000));
    if (!whole) return {"it does not become whole: " + world.describe()};
    world.run_for(Millis(500));
    return world.verdict();
  }
  std::size_t node_of_app() { return *world.index_of(app->node()->id()); }

  ClusterWorld world;
  App* app = nullptr;
  SimClient* friend_of_app = nullptr;
  ConversationId where;
};

TEST_CASE("App: when its node is killed it goes to another by itself, resumes, and misses nothing") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    INFO("seed " << seed);
    Town town(seed);
    town.talk(5);
    const std::size_t lost = town.node_of_app();
    town.world.kill(lost);
    town.talk(20);
    CHECK(town.world.run_until([&] { return town.app->is_online() && town.node_of_app() != lost; }, Millis(20'000)));
    town.world.start(lost);
    CHECK(town.end() == std::vector<std::string>{});
    CHECK(town.app->resumes() >= 1);
    CHECK(town.app->logins() == 1);
  }
}

TEST_CASE("App: asked to move it is on another node, at no moment offline, and misses nothing") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    INFO("seed " << seed);
    Town town(seed);
    const std::size_t left = town.node_of_app();
    town.app->ask_to_move(Millis(100));
    for (int i = 0; i < 20; ++i) {
      town.talk(1);
      CHECK(town.app->is_online());
    }
    CHECK(town.node_of_app() != left);
    CHECK(town.app->moves() == 1);
    CHECK(town.app->resumes() == 0);
    CHECK(town.end() == std::vector<std::string>{});
  }
}

TEST_CASE("App: switched off with posts unanswered, it sends them under the same ids when it is on again") {
  const auto run = [](bool forgets_ids) {
    Town town(1, forgets_ids);
    town.talk(3);
    town.app->post(town.where, "on its way");
    town.app->switch_off();
    town.world.run_for(Millis(500));
    town.app->switch_on();
    return town.end();
  };
  CHECK(run(false) == std::vector<std::string>{});
  CHECK(run(true) != std::vector<std::string>{});
}

}  // namespace
}  // namespace holdfast::sim

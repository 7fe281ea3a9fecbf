/// A node that was alone becomes the first of a cluster with its data, and is killed at each write on the way (2.12).
#include <catch2/catch.hpp>

#include "failover/cluster_keys.h"
#include "tests/sim/cluster_world.h"
#include "tests/support/requests.h"

namespace holdfast::sim {
namespace {

enum class Where : std::uint8_t { own_disk, store };

struct Kill {
  Where where = Where::own_disk;
  std::uint64_t at_write = 0;  ///< counted from the moment at which it is to found the cluster; 0: never
  WriteLimit::When when = WriteLimit::When::before;
};

struct Grown {
  bool killed = false;
  std::vector<std::string> wrong;  ///< empty: all is well
  std::string state;
};

/// Two people talk to a node that is alone; it founds a cluster, is killed, and two more come.
Grown grow(const Kill& kill, NodeMutant mutant = NodeMutant::none) {
  Grown grown;
  ClusterOptions options;
  options.seed = kill.at_write + 1;
  options.node.node.partitions = 2;
  options.node.node.doors = 2;
  options.node.node.log_keep_entries = 1'000'000;
  options.node.controller.balancer.cool_down = Millis(500);
  options.node.controller.flaps.first_penalty = Millis(200);
  options.node.node_mutant = mutant;
  ClusterWorld world(options);
  const auto fail = [&](const std::string& what) {
    grown.wrong = world.wrong();
    grown.wrong.push_back(what);
    grown.state = world.describe();
    return grown;
  };
  const std::size_t founder = world.add_lone_node();
  SimClient& alice = world.add_client({.username = "alice"});
  SimClient& bob = world.add_client({.username = "bob"});
  world.live_alone(founder, [&] { return world.clients_idle(); });
  const std::size_t opened = alice.ask(requests::open_direct(bob.user()));
  world.live_alone(founder, [&] { return alice.answer(opened) != nullptr; });
  const std::string where = alice.answer(opened)->conversation().conversation_id();
  for (int i = 0; i < 10; ++i) (i % 2 == 0 ? alice : bob).ask(requests::post(where, "while it is alone"));
  world.live_alone(founder, [&] { return world.clients_idle(); });

  SimNode& node = world.node(founder);
  world.end_alone(founder);
  if (kill.at_write > 0 && kill.where == Where::own_disk) node.node().limit().set(kill.at_write, kill.when);
  if (kill.at_write > 0 && kill.where == Where::store) node.limit_store_writes(kill.at_write, kill.when);
  world.start(founder);
  const auto founded = [&] { return world.store().rows().rows.contains(failover::kUuidKey); };
  if (!world.run_until(founded, Millis(20'000))) return fail("it founds no cluster");
  for (int i = 0; i < 2; ++i) world.add_node();
  for (int i = 0; i < 10; ++i) {
    (i % 2 == 0 ? alice : bob).ask(requests::post(where, "while it grows"));
    world.run_for(Millis(50));
  }
  const auto enough = [&] {
    for (std::uint16_t p = 0; p < world.partitions(); ++p)
      if (world.config(PartitionId(p))->min_isr() != 2) return false;
    return true;
  };
  if (!world.run_until([&] { return world.is_whole() && world.clients_idle() && enough(); }, Millis(60'000)))
    return fail("it does not become whole");
  for (int more = 0; more < 10; ++more) {  // acknowledgements of inboxes come late, and are entries too
    world.run_for(Millis(500));
    if (!world.run_until([&] { return world.is_quiet(); }, Millis(20'000))) return fail("it does not become quiet");
    grown.wrong = world.verdict();
    if (grown.wrong.empty()) break;
  }
  grown.killed = node.deaths() > 0;
  for (const SimClient* client : {&alice, &bob}) {  // the keys came along: nobody has to log in again
    if (client->ended() || client->logins() != 1)
      grown.wrong.push_back(client->options().username + "'s session ended");
    if (client->cursor() != 21) grown.wrong.push_back(client->options().username + " has not seen all");
  }
  if (!grown.wrong.empty()) grown.state = world.describe();
  return grown;
}

std::string name_of(const Kill& kill) {
  return std::string(kill.when == WriteLimit::When::before ? "before" : "after") + " write " +
         std::to_string(kill.at_write) + (kill.where == Where::store ? " to the store" : " to its disk");
}

/// Every kill until one comes too late to happen. Returns how many there were; stops at the first that breaks anything.
std::size_t kill_at_each(Where where, WriteLimit::When when, NodeMutant mutant, std::string& broken) {
  for (std::uint64_t write = 1;; ++write) {
    const Kill kill{where, write, when};
    const Grown grown = grow(kill, mutant);
    if (!grown.wrong.empty()) {
      broken = name_of(kill) + ": " + grown.wrong.front() + "\n" + grown.state;
      return write;
    }
    if (!grown.killed) return write - 1;
  }
}

TEST_CASE("Growing: a node that was alone becomes three with its data and its sessions, wherever it is killed") {
  for (const Where where : {Where::store, Where::own_disk}) {
    for (const auto when : {WriteLimit::When::before, WriteLimit::When::after}) {
      std::string broken;
      const std::size_t kills = kill_at_each(where, when, NodeMutant::none, broken);
      INFO(broken);
      CHECK(broken.empty());
      CHECK(kills >= (where == Where::store ? 8u : 20u));
    }
  }
}

TEST_CASE("Growing: without the note that it founds a cluster, a kill is noticed") {
  std::string broken;
  kill_at_each(Where::store, WriteLimit::When::after, NodeMutant::founds_unnoted, broken);
  CHECK(broken.find("it does not become whole") != std::string::npos);
}

TEST_CASE("Growing: with epochs that begin anew, it is noticed (I1, I2)") {
  CHECK_FALSE(grow({}, NodeMutant::founds_low_epochs).wrong.empty());
  CHECK(grow({}).wrong.empty());
}

}  // namespace
}  // namespace holdfast::sim

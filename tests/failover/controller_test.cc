#include "failover/controller.h"

#include <catch2/catch.hpp>

#include "tests/failover/control_world.h"

namespace holdfast::failover::testing {
namespace {

using Kind = Happening::Kind;

/// A cluster of `nodes` that has grown together and stands still.
void grow(World& world, std::uint32_t nodes) {
  world.start(1, true);
  REQUIRE(world.run_until([&] { return world.healthy(1); }, milliseconds(2000)));
  for (std::uint32_t node = 2; node <= nodes; ++node) world.start(node);
  REQUIRE(world.run_until([&] { return world.healthy(static_cast<int>(std::min(nodes, 3u))); }, milliseconds(30000)));
  world.run(milliseconds(15000));
}

bool leads_nothing(const World& world, std::uint32_t node) { return !world.primaries().contains(node); }

std::uint64_t highest_epoch(const World& world) {
  std::uint64_t highest = 0;
  for (const auto& [id, config] : world.configs()) highest = std::max(highest, config.epoch());
  return highest;
}

TEST_CASE("Controller: a founder grows into three nodes with three copies, min_isr 2 and even primaries") {
  World world;
  grow(world, 3);
  for (const auto& [id, config] : world.configs()) {
    CHECK(config.in_sync_size() == 3);
    CHECK(config.replicas_size() == 3);
    CHECK(config.min_isr() == 2);
  }
  for (const auto& [node, count] : world.primaries()) CHECK((count == 21 || count == 22));
  CHECK(world.largest_transaction() <= 100);
  CHECK(world.coordinator() == 1);
  CHECK(world.broken().empty());
  CHECK(world.count(1, Kind::joined) >= 2);
}

TEST_CASE("Controller: two nodes keep min_isr 1, so that either may die") {
  World world(8);
  grow(world, 2);
  for (const auto& [id, config] : world.configs()) CHECK(config.min_isr() == 1);
  world.kill(2);
  CHECK(world.run_until([&] { return leads_nothing(world, 2); }, milliseconds(300)));
}

TEST_CASE("Controller: kill -9 seen by two observers promotes all its partitions within 300 ms (F1 to F4)") {
  World world;
  grow(world, 3);
  const std::uint32_t victim = world.coordinator() == 3 ? 2 : 3;
  world.kill(victim);
  CHECK(world.run_until([&] { return leads_nothing(world, victim); }, milliseconds(100)));
  CHECK(world.run_until([&] { return world.healthy(2); }, milliseconds(300)));
  world.run(milliseconds(50));
  CHECK(world.count(1, Kind::dead) == 1);
  CHECK(world.count(1, Kind::promoted) >= 1);
  CHECK(world.broken().empty());
}

TEST_CASE("Controller: the coordinator's own death costs a change of coord and no lease (decision 6)") {
  World world;
  grow(world, 3);
  REQUIRE(world.coordinator() == 1);
  world.kill(1);
  CHECK(world.run_until([&] { return leads_nothing(world, 1); }, milliseconds(300)));
  CHECK(world.coordinator() == 2);
  CHECK(world.run_until([&] { return world.healthy(2); }, milliseconds(300)));
  world.start(1);
  CHECK(world.run_until([&] { return world.healthy(3); }, milliseconds(20000)));
  CHECK(world.broken().empty());
}

TEST_CASE("Controller: a node that is frozen is suspected after 300 ms and loses its primaries after 1.5 s") {
  World world;
  grow(world, 3);
  world.pause(3, true);
  world.run(milliseconds(700));
  CHECK_FALSE(leads_nothing(world, 3));
  CHECK(world.count(1, Kind::suspected) == 1);
  CHECK(world.run_until([&] { return leads_nothing(world, 3); }, milliseconds(2000)));
  world.pause(3, false);
  world.run(milliseconds(5000));
  CHECK(world.count(1, Kind::returned) == 1);
  CHECK(world.count(3, Kind::dead) == 0);  // what it did not hear while it did not run accuses nobody
  CHECK(world.run_until([&] { return world.healthy(3); }, milliseconds(5000)));
  CHECK(world.broken().empty());
}

TEST_CASE("Controller: a freeze shorter than a second promotes nobody") {
  World world;
  grow(world, 3);
  const auto epoch = highest_epoch(world);
  for (const std::uint32_t node : {1u, 2u, 3u}) {
    world.pause(node, true);
    world.run(milliseconds(900));
    world.pause(node, false);
    world.run(milliseconds(3000));
  }
  CHECK(highest_epoch(world) == epoch);
}

TEST_CASE("Controller: a node cut from one peer only keeps its primaries (J13)") {
  World world;
  grow(world, 3);
  const auto before = world.primaries();
  world.cut(2, 3);
  world.cut(3, 2);
  world.run(milliseconds(10000));
  CHECK(world.primaries() == before);
  CHECK(world.count(1, Kind::dead) == 0);
}

TEST_CASE("Controller: a node cut from the store only loses its primaries and stays in sync") {
  World world;
  grow(world, 3);
  world.cut_from_store(2);
  CHECK(world.run_until([&] { return leads_nothing(world, 2); }, milliseconds(4000)));
  world.run(milliseconds(3000));
  CHECK(world.healthy(3));
  CHECK(world.count(1, Kind::dead) == 0);
}

TEST_CASE(
    "Controller: while less than a majority is visible nothing is promoted; when it is again, all is (safe mode)") {
  World world;
  grow(world, 3);
  world.kill(2);
  world.run(milliseconds(1));
  world.kill(3);
  world.run(milliseconds(6000));
  CHECK(world.primaries().size() > 1);  // node 1 took nothing from the two
  world.start(3);
  CHECK(world.run_until([&] { return leads_nothing(world, 2); }, milliseconds(4000)));
  world.start(2);
  CHECK(world.run_until([&] { return world.healthy(3); }, milliseconds(60000)));
  CHECK(world.broken().empty());
}

TEST_CASE("Controller: a minority promotes nobody, also where few primaries are lost (safe mode)") {
  World world;
  grow(world, 3);
  REQUIRE(world.controller(1).drain(NodeId(2)));
  REQUIRE(world.run_until([&] { return leads_nothing(world, 2); }, milliseconds(30000)));
  world.kill(2);
  world.run(milliseconds(1));
  world.kill(3);
  world.run(milliseconds(6000));
  CHECK_FALSE(leads_nothing(world, 3));
  CHECK(world.count(1, Kind::safe_mode) == 1);
}

TEST_CASE(
    "Controller: a promotion takes the dead out of the in-sync set, and chooses no store that is not there (F3, F4)") {
  World world;
  grow(world, 3);
  std::set<PartitionId> led;
  for (const auto& [id, config] : world.configs())
    if (config.primary().node() == 3) led.insert(id);
  world.replicas_shrink = false;
  world.kill(3);
  REQUIRE(world.run_until([&] { return leads_nothing(world, 3); }, milliseconds(300)));
  for (const auto& [id, config] : world.configs()) CHECK(config.in_sync_size() == (led.contains(id) ? 2 : 3));
  world.wipe(3);
  world.start(3);
  world.run(milliseconds(3500));  // registered, once the lease of its earlier life ended
  world.kill(2);
  CHECK(world.run_until([&] { return leads_nothing(world, 2); }, milliseconds(500)));
  const std::string its_old(1, static_cast<char>(3));
  for (const auto& [id, config] : world.configs())
    CHECK_FALSE((config.primary().node() == 3 && config.primary().store_id().starts_with(its_old)));
  CHECK(world.broken().empty());
}

TEST_CASE("Controller: while the store can't be listed nobody is promoted, and afterwards all are") {
  World world;
  grow(world, 3);
  world.store_fails = true;
  world.run(milliseconds(500));
  const auto before = world.primaries();
  world.kill(3);
  world.run(milliseconds(1000));
  CHECK(world.primaries() == before);
  world.store_fails = false;
  CHECK(world.run_until([&] { return leads_nothing(world, 3); }, milliseconds(500)));
}

TEST_CASE("Controller: a restarted primary leads a new epoch or none (F7)") {
  World world;
  grow(world, 3);
  std::map<PartitionId, std::uint64_t> led;
  for (const auto& [id, config] : world.configs())
    if (config.primary().node() == 2) led[id] = config.epoch();
  REQUIRE(led.size() > 10);
  world.kill(2);
  world.start(2);  // within the same millisecond: nobody saw it refused
  CHECK(world.run_until([&] { return leads_nothing(world, 2); }, milliseconds(100)));  // others had all of it in memory
  world.run(milliseconds(1000));
  const auto after = world.configs();
  for (const auto& [id, epoch] : led) CHECK(after.at(id).epoch() > epoch);
}

TEST_CASE("Controller: after all nodes were down every partition gets a new epoch of a member of its in-sync set") {
  World world;
  grow(world, 3);
  const auto epochs = world.configs();
  for (const std::uint32_t node : {1u, 2u, 3u}) world.kill(node);
  world.run(milliseconds(5000));
  for (const std::uint32_t node : {2u, 3u, 1u}) {
    world.start(node);
    world.run(milliseconds(300));
  }
  CHECK(world.run_until([&] { return world.healthy(3); }, milliseconds(20000)));
  for (const auto& [id, config] : world.configs()) CHECK(config.epoch() > epochs.at(id).epoch());
  CHECK(world.broken().empty());
}

TEST_CASE("Controller: a node that comes back with another disk is never chosen from the in-sync set (I12)") {
  World world;
  grow(world, 3);
  world.kill(3);
  world.wipe(3);
  world.start(3);
  world.run(milliseconds(8000));
  CHECK(world.run_until([&] { return world.healthy(3); }, milliseconds(20000)));
  const std::string now_its(1, static_cast<char>(103));
  for (const auto& [id, config] : world.configs())
    for (const auto& store : config.in_sync())
      if (store.node() == 3) CHECK(store.store_id().starts_with(now_its));
}

TEST_CASE(
    "Controller: with two of three disks gone an operator goes on with the third, and the others come back empty") {
  World world(8);
  grow(world, 3);
  const auto recover_all = [&] {
    std::size_t accepted = 0;
    for (std::uint16_t p = 0; p < 8; ++p)
      accepted += world.controller(1).unsafe_recover({PartitionId(p), NodeId(1), Epoch(40), Seq(17)}) ? 1 : 0;
    return accepted;
  };
  CHECK(recover_all() == 0);  // all are there: nothing is to be recovered
  for (const std::uint32_t node : {2u, 3u}) {
    world.kill(node);
    world.wipe(node);
  }
  world.run(milliseconds(4000));
  for (const auto& [id, config] : world.configs()) CHECK(config.min_isr() == 2);  // nobody does it by himself
  CHECK(recover_all() == 8);
  world.run(milliseconds(100));
  for (const auto& [id, config] : world.configs()) {
    CHECK(config.epoch() == 41);
    CHECK(config.primary().node() == 1);
    CHECK(config.in_sync_size() == 1);
    CHECK(config.min_isr() == 1);
    CHECK(config.replicas_size() == 1);
    CHECK(config.recovered_epoch() == 41);
  }
  CHECK(world.count(1, Kind::unsafe_recovered) == 8);
  CHECK(recover_all() == 0);
  for (const std::uint32_t node : {2u, 3u}) world.start(node);
  CHECK(world.run_until([&] { return world.healthy(3); }, milliseconds(30000)));
  world.run(milliseconds(5000));
  for (const auto& [id, config] : world.configs()) {
    CHECK(config.min_isr() == 2);
    CHECK(config.recovered_epoch() == 41);  // for as long as one may come back who does not know
  }
  for (const std::string& rule : world.broken()) CHECK(rule.find("min_isr went down") != std::string::npos);
}

TEST_CASE("Controller: who dies twice within five minutes gets no primaries until it was well for 30 s (T18)") {
  World world;
  grow(world, 3);
  for (int i = 0; i < 2; ++i) {
    world.kill(3);
    world.run(milliseconds(3000));
    world.start(3);
    REQUIRE(world.run_until([&] { return world.healthy(3); }, milliseconds(10000)));
  }
  world.run(milliseconds(15000));
  CHECK(leads_nothing(world, 3));
  CHECK(world.count(1, Kind::held_back) == 1);
  CHECK(world.run_until([&] { return !leads_nothing(world, 3); }, milliseconds(30000)));
}

TEST_CASE(
    "Controller: a draining node hands everything over and is told to be drained; undrained it gets its share again") {
  World world;
  grow(world, 4);
  REQUIRE(world.controller(2).drain(NodeId(4)));
  CHECK(world.run_until([&] { return world.count(1, Kind::drained) == 1; }, milliseconds(30000)));
  for (const auto& [id, config] : world.configs()) {
    CHECK(config.in_sync_size() == 3);
    for (const std::uint32_t replica : config.replicas()) CHECK(replica != 4);
  }
  CHECK(leads_nothing(world, 4));
  CHECK(world.count(1, Kind::dead) == 0);
  REQUIRE(world.controller(2).undrain(NodeId(4)));
  CHECK(world.run_until([&] { return !leads_nothing(world, 4); }, milliseconds(30000)));
  CHECK(world.broken().empty());
}

TEST_CASE("Controller: of three nodes one can be drained: it leads nothing and keeps what nobody else could take") {
  World world;
  grow(world, 3);
  REQUIRE(world.controller(1).drain(NodeId(2)));
  CHECK(world.run_until([&] { return world.count(1, Kind::drained) == 1; }, milliseconds(30000)));
  CHECK(leads_nothing(world, 2));
  CHECK(world.healthy(3));
}

TEST_CASE("Controller: a node whose clock is more than 10 s off leads nothing, be it the coordinator's own") {
  for (const std::uint32_t wrong : {1u, 3u}) {
    World world(9);
    grow(world, 3);
    world.set_clock(wrong, milliseconds(15000));
    CHECK(world.run_until([&] { return leads_nothing(world, wrong); }, milliseconds(10000)));
    world.run(milliseconds(3000));
    CHECK(world.primaries().size() == 2);
    CHECK(world.count(1, Kind::dead) == 0);
  }
}

TEST_CASE("Controller: a node whose work stands still is not alive, though its threads could answer (T11)") {
  World world;
  grow(world, 3);
  world.controller(2).own_health(peer::Beat::OK, 0, 0, false);
  CHECK(world.run_until([&] { return leads_nothing(world, 2); }, milliseconds(4000)));
  CHECK(world.controller(1).detector().dead(NodeId(2)));
}

TEST_CASE("Controller: a node that is down for T_repl loses its copies to the others") {
  World world;
  world.adjust = [](ControllerOptions& options) { options.balancer.replace_after = milliseconds(8000); };
  grow(world, 4);
  world.kill(4);
  world.run(milliseconds(5000));
  const auto named = [&] {
    int count = 0;
    for (const auto& [id, config] : world.configs())
      for (const std::uint32_t replica : config.replicas()) count += replica == 4;
    return count;
  };
  CHECK(named() > 0);
  CHECK(world.run_until([&] { return world.healthy(3) && named() == 0; }, milliseconds(20000)));
}

bool is_in_sync(const World& world, PartitionId partition, std::uint32_t node) {
  const auto config = world.configs().at(partition);
  return std::any_of(config.in_sync().begin(), config.in_sync().end(), [&](const auto& s) { return s.node() == node; });
}

std::set<PartitionId> all_partitions(std::uint16_t count) {
  std::set<PartitionId> all;
  for (std::uint16_t p = 0; p < count; ++p) all.insert(PartitionId(p));
  return all;
}

/// A partition that the node leads.
PartitionId led_by(const World& world, std::uint32_t node) {
  for (const auto& [id, config] : world.configs())
    if (config.primary().node() == node) return id;
  FAIL("node " << node << " leads nothing");
  return {};
}

TEST_CASE("Controller: a primary whose copy is quarantined loses that lead and no other, though its node is well") {
  for (const std::uint32_t sick : {1u, 2u}) {  // the coordinator's own copy too
    World world(9);
    grow(world, 3);
    const PartitionId partition = led_by(world, sick);
    const int led = world.primaries().at(sick);
    world.controller(sick).own_quarantined({partition});
    CHECK(world.run_until([&] { return world.configs().at(partition).primary().node() != sick; }, milliseconds(100)));
    CHECK_FALSE(is_in_sync(world, partition, sick));
    CHECK(world.configs().at(partition).in_sync_size() == 2);
    CHECK(world.primaries().at(sick) == led - 1);
    world.run(milliseconds(15000));
    CHECK(world.configs().at(partition).primary().node() != sick);
    CHECK_FALSE(is_in_sync(world, partition, sick));
    for (const std::uint32_t node : {1u, 2u, 3u}) CHECK(world.count(node, Kind::quarantined) == 1);
    CHECK(world.count(1, Kind::dead) == 0);
    CHECK(world.count(1, Kind::promoted) == 1);
    CHECK(world.broken().empty());
  }
}

TEST_CASE("Controller: nobody gets a lead whose copy is quarantined, neither by a death nor for evenness nor by hand") {
  World world(9);
  grow(world, 3);
  world.controller(2).own_quarantined(all_partitions(9));
  world.run(milliseconds(100));
  CHECK(leads_nothing(world, 2));
  world.kill(3);
  world.run(milliseconds(15000));
  CHECK(world.primaries() == std::map<std::uint32_t, int>{{1, 9}});
  world.kill(2);
  world.start(2);  // whatever it found then, it has to find again
  CHECK(world.run_until([&] { return !leads_nothing(world, 2); }, milliseconds(60000)));
  CHECK(world.broken().empty());
}

TEST_CASE("Controller: a backup whose copy is quarantined is not handed the lead that an operator names it for") {
  World world(9);
  grow(world, 3);
  const PartitionId partition = led_by(world, 3);
  world.controller(2).own_quarantined({partition});
  world.run(milliseconds(100));
  REQUIRE(is_in_sync(world, partition, 2));  // to leave it out is the primary's part
  CHECK(world.controller(1).move(partition, NodeId(2)).error().message ==
        "node 2's copy of partition " + std::to_string(partition.value) +
            " is quarantined: it differs from what is committed; let the node come back with an empty disk");
}

TEST_CASE("Controller: a partition all of whose copies are quarantined gets no new epoch until an operator acts") {
  World world(8);
  grow(world, 3);
  const PartitionId partition(5);
  for (const std::uint32_t node : {1u, 2u, 3u}) world.controller(node).own_quarantined({partition});
  world.run(milliseconds(500));
  const auto epoch = world.configs().at(partition).epoch();
  world.run(milliseconds(5000));
  CHECK(world.configs().at(partition).epoch() == epoch);
  CHECK(world.configs().at(partition).in_sync_size() >= 2);
  CHECK(world.controller(1).unsafe_recover({partition, NodeId(1), Epoch(40), Seq(17)}).error().message ==
        "node 1's copy of partition 5 is quarantined: it differs from what is committed");
}

TEST_CASE("Controller: an operator may go on with the only copy that is not quarantined, and not while two are sound") {
  World world(8);
  grow(world, 3);
  const PartitionId partition(5);
  const auto recover = [&] { return world.controller(1).unsafe_recover({partition, NodeId(1), Epoch(40), Seq(17)}); };
  world.controller(2).own_quarantined({partition});
  world.run(milliseconds(500));
  CHECK_FALSE(recover());
  world.controller(3).own_quarantined({partition});
  world.run(milliseconds(500));
  CHECK(world.configs().at(partition).primary().node() == 1);
  CHECK(world.configs().at(partition).in_sync_size() >= 2);  // nobody goes below the minimum by himself (I7)
  CHECK(recover());
}

TEST_CASE("Controller: a node that starts takes no new epoch for a copy of its own that is quarantined (F7)") {
  World world(8);
  grow(world, 1);
  const auto before = world.configs();
  world.kill(1);
  world.run(milliseconds(3000));
  world.start(1);
  world.controller(1).own_quarantined({PartitionId(3)});
  world.run(milliseconds(3000));
  for (const auto& [id, config] : world.configs())
    CHECK(config.epoch() == before.at(id).epoch() + (id == PartitionId(3) ? 0 : 1));
}

TEST_CASE("Controller: a write whose outcome is unknown is found out, whether or not it was applied") {
  World world(8);
  int writes = 0;
  world.meddle = [&](const Transaction&) {
    ++writes;
    return std::pair(writes % 3 != 1, writes % 3 == 0 ? Outcome::applied : Outcome::unknown);
  };
  grow(world, 3);
  CHECK(world.healthy(3));
  CHECK(world.broken().empty());
}

TEST_CASE("Controller: another process under our id is said and not fought") {
  World world(8);
  grow(world, 1);
  log::NodeRow row = world.controller(1).view().node(NodeId(1))->row;
  row.set_boot_id(std::string(16, 'x'));
  row.set_peer_address("elsewhere:1");
  world.put("node/1", row.SerializeAsString());
  world.run(milliseconds(3000));
  CHECK_FALSE(world.controller(1).registered());
  CHECK(world.count(1, Kind::in_use) == 1);
  CHECK(world.store().rows.at("node/1").value == row.SerializeAsString());
}

TEST_CASE("Controller: a lost row of a partition is not made up again (I13)") {
  World world(8);
  grow(world, 3);
  world.erase("part/5");
  world.run(milliseconds(5000));
  CHECK_FALSE(world.store().rows.contains("part/5"));
  CHECK(world.controller(1).view().partitions().contains(PartitionId(5)));
  CHECK(world.count(1, Kind::problem) == 1);
  world.kill(1);
  world.run(milliseconds(3000));
  world.start(1, true);
  world.run(milliseconds(5000));
  CHECK(world.controller(1).registered());
  CHECK_FALSE(world.store().rows.contains("part/5"));
}

TEST_CASE("Controller: an operator's request is refused with the reason and what would be right") {
  World world(8);
  grow(world, 3);
  Controller& controller = world.controller(2);
  CHECK(controller.move(PartitionId(1), NodeId(9)).error().message ==
        "there is no node 9; the nodes are 1 (node-1), 2 (node-2), 3 (node-3)");
  CHECK(controller.move(PartitionId(99), NodeId(1)).error().message == "there is no partition 99; there are 8");
  CHECK(controller.remove(NodeId(3)).error().message == "node 3 is running: drain it, then stop it, then remove it");
  CHECK(controller.rebalance().error().message == "node 1 coordinates: ask there");
  CHECK(world.controller(1).rebalance());
  REQUIRE(controller.drain(NodeId(3)));
  world.run(milliseconds(3000));
  CHECK(controller.move(PartitionId(1), NodeId(3)).error().message == "node 3 is draining; undrain it first");
  world.kill(3);
  world.run(milliseconds(4000));
  CHECK(controller.remove(NodeId(3)).error().code == Errc::invalid_argument);
}

TEST_CASE("Controller: a partition is moved to the node that an operator names") {
  World world(9);
  grow(world, 3);
  const auto configs = world.configs();
  const NodeId to(configs.at(PartitionId(0)).primary().node() == 3 ? 2 : 3);
  REQUIRE(world.controller(1).move(PartitionId(0), to));
  CHECK(world.run_until([&] { return world.configs().at(PartitionId(0)).primary().node() == to.value; },
                        milliseconds(200)));
  CHECK(world.count(1, Kind::dead) == 0);
}

}  // namespace
}  // namespace holdfast::failover::testing

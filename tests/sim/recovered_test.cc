/// An operator goes on without what most disks had (unsafe-recover), and then nodes with the old disks come back.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/sim/cluster_world.h"
#include "tests/support/requests.h"

namespace holdfast::sim {
namespace {

ClusterOptions options_of(std::uint64_t seed) { return calm_cluster(seed, 1, 1); }

/// Three nodes; one was left behind by what two people said since, and is all that is left of them.
class Recovered {
 public:
  explicit Recovered(std::uint64_t seed) : world_(options_of(seed)), left_(seed % 3) {
    for (int i = 0; i < 3; ++i) world_.add_node();
    REQUIRE(world_.run_until([&] { return world_.is_whole(); }, Millis(30'000)));
    talk("alice", "bob", 3);
    world_.kill(left_);
    REQUIRE(world_.run_until([&] { return row().in_sync_size() == 2 && !is_in_sync(left_); }, Millis(20'000)));
    talk("carol", "dave", 5);
    before_ = world_.commits();
    for (std::size_t i = 0; i < world_.clients(); ++i) world_.client(i).leave();
    for (std::size_t i = 0; i < 3; ++i)
      if (i != left_) world_.kill(i);
    world_.start(left_);
    REQUIRE(world_.run_until([&] { return is_up(left_) && ask(); }, Millis(20'000)));
    REQUIRE(world_.run_until([&] { return world_.node(left_).node().serves(PartitionId(0)) > 0; }, Millis(20'000)));
    REQUIRE(world_.commits() < before_);  // something is lost: that is what was asked for
    world_.history() = {};                // and whoever saw it is no judge of what comes
  }

  /// Two who are new say something to each other, until all is said.
  void talk(const std::string& one, const std::string& other, int posts) {
    SimClient& first = world_.add_client({.username = one});
    SimClient& second = world_.add_client({.username = other});
    REQUIRE(world_.run_until([&] { return !first.user().is_zero() && !second.user().is_zero(); }, Millis(20'000)));
    const std::size_t opened = first.ask(requests::open_direct(second.user()));
    REQUIRE(world_.run_until([&] { return first.answer(opened) != nullptr; }, Millis(20'000)));
    const std::string where = first.answer(opened)->conversation().conversation_id();
    for (int i = 0; i < posts; ++i) first.ask(requests::post(where, "one thing"));
    REQUIRE(world_.run_until([&] { return world_.clients_idle() && world_.is_quiet(); }, Millis(20'000)));
    world_.run_for(Millis(500));
  }

  void old_nodes_come_back() {
    for (std::size_t i = 0; i < 3; ++i)
      if (i != left_) world_.start(i);
  }
  std::size_t copies_installed() {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < 3; ++i) sum += world_.node(i).copies_installed();
    return sum;
  }
  std::size_t lost_from() const { return before_; }
  ClusterWorld& world() { return world_; }

 private:
  log::PartitionConfig row() const { return *world_.config(PartitionId(0)); }
  bool is_in_sync(std::size_t index) {
    const auto config = row();
    return std::ranges::any_of(config.in_sync(),
                               [&](const auto& store) { return NodeId(store.node()) == world_.node(index).id(); });
  }
  bool is_up(std::size_t index) { return world_.node(index).is_up() && world_.node(index).controller().registered(); }
  /// As `holdfastctl unsafe-recover` does; refused for as long as leases of the dead stand.
  bool ask() {
    SimNode& node = world_.node(left_);
    const bool asked = static_cast<bool>(node.controller().unsafe_recover(
        {PartitionId(0), node.id(), Epoch(row().epoch()), node.node().copy(0).replica().last_seq()}));
    node.carry_out();
    return asked;
  }

  ClusterWorld world_;
  const std::size_t left_;
  std::size_t before_ = 0;
};

TEST_CASE("Recovered: old nodes that come back after an unsafe recovery depose nobody, and get what was gone on with") {
  std::size_t installed = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    INFO("seed " << seed);
    Recovered after(seed);
    ClusterWorld& world = after.world();
    if (seed % 2 == 0) {  // what they know as committed is other than what stands there now, and not only missing
      after.talk("erin", "frank", 40);
      REQUIRE(world.commits() > after.lost_from());
    }
    after.old_nodes_come_back();
    const bool whole = world.run_until([&] { return world.is_whole(); }, Millis(60'000));
    INFO(world.describe());
    CHECK(world.wrong() == std::vector<std::string>{});
    CHECK(whole);
    installed += after.copies_installed();
    after.talk("grace", "heidi", 3);
    CHECK(world.verdict() == std::vector<std::string>{});
  }
  // A node that had not stored the effects of what it knew as committed is brought in line by entries.
  CHECK(installed >= 8);
}

}  // namespace
}  // namespace holdfast::sim

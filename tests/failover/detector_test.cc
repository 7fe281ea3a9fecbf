#include "failover/detector.h"

#include <catch2/catch.hpp>

namespace holdfast::failover {
namespace {

using std::chrono::milliseconds;

BootId boot(std::uint32_t node, int life = 0) {
  return BootId({static_cast<std::uint8_t>(node), static_cast<std::uint8_t>(life), 7});
}

/// Node 1 (or `self`) of `nodes`, which all beat every 100 ms unless told otherwise.
class Watch {
 public:
  explicit Watch(std::uint32_t nodes, std::uint32_t self = 1) : detector(NodeId(self), {}) {
    for (std::uint32_t node = 1; node <= nodes; ++node) {
      log::NodeRow row;
      row.set_store_id(std::string(16, static_cast<char>(node)));
      row.set_boot_id(boot(node).str());
      rows_.rows["node/" + std::to_string(node)] = {row.SerializeAsString(), node};
      rows_.rows["member/" + std::to_string(node)] = {log::MemberRow{}.SerializeAsString(), node};
      if (node != self) beating.insert(node);
    }
    rows_.revision = nodes;
    advance(milliseconds(20));
    list();
    for (const std::uint32_t node : beating) detector.link_up(NodeId(node), boot(node));
    run(milliseconds(1000));
  }

  void advance(milliseconds time) {
    now_ += time;
    detector.advance(now_);
  }
  void list() {
    view_.take(rows_);
    detector.set_cluster(view_);
  }
  void registers(std::uint32_t node, int life) {
    log::NodeRow row;
    row.set_store_id(std::string(16, static_cast<char>(node)));
    row.set_boot_id(boot(node, life).str());
    rows_.rows["node/" + std::to_string(node)] = {row.SerializeAsString(), ++rows_.revision};
    list();
  }
  void row_gone(std::uint32_t node) {
    rows_.rows.erase("node/" + std::to_string(node));
    ++rows_.revision;
    list();
  }
  void run(milliseconds time) {
    for (milliseconds done{}; done < time; done += milliseconds(20)) {
      advance(milliseconds(20));
      if (++turns_ % 5 == 0) {
        for (const std::uint32_t node : beating) {
          peer::Beat beat;
          for (const std::uint32_t other : hears) beat.add_hears(other);
          if (late.contains(node)) beat.set_health(peer::Beat::LATE);
          if (clocks.contains(node)) beat.set_time_ms(to_ms(wall + clocks[node]));
          detector.beat(NodeId(node), beat);
        }
        for (const auto& [observer, about] : says_silent) say(observer, about, peer::Seen::SILENT);
      }
      for (const Verdict& verdict : detector.judge()) verdicts.push_back(verdict);
    }
  }
  void say(std::uint32_t observer, std::uint32_t about, peer::Seen::What what, int life = 0) {
    peer::Seen seen;
    seen.set_node(about);
    seen.set_boot_id(boot(about, life).str());
    seen.set_what(what);
    detector.seen(NodeId(observer), seen);
  }
  bool dead(std::uint32_t node) {
    detector.judge();
    return detector.dead(NodeId(node));
  }

  Detector detector;
  std::set<std::uint32_t> beating;
  std::set<std::uint32_t> hears;
  std::set<std::uint32_t> late;
  std::map<std::uint32_t, milliseconds> clocks;  ///< how far they are ahead of `wall`
  WallTime wall = from_ms(1'700'000'000'000);
  std::map<std::uint32_t, std::uint32_t> says_silent;
  std::vector<Verdict> verdicts;

 private:
  SteadyTime now_{std::chrono::hours(1)};
  ClusterView view_;
  ConfigRows rows_;
  int turns_ = 0;
};

TEST_CASE("Detector: one observer of a refused connection is not enough where another is left") {
  Watch watch(3);
  watch.detector.link_down(NodeId(3), LinkDown::closed);
  CHECK_FALSE(watch.dead(3));
  watch.detector.link_down(NodeId(3), LinkDown::refused);
  CHECK_FALSE(watch.dead(3));
  CHECK(watch.detector.life(NodeId(3)) == Life::suspect);
  watch.say(2, 3, peer::Seen::REFUSED);
  CHECK(watch.dead(3));
}

TEST_CASE("Detector: of two nodes the one that is left is observer enough") {
  Watch watch(2);
  watch.detector.link_down(NodeId(2), LinkDown::refused);
  CHECK(watch.dead(2));
}

TEST_CASE("Detector: of two nodes a cut between them kills nobody while the lease stands") {
  Watch watch(2);
  watch.beating.clear();
  watch.run(milliseconds(5000));
  CHECK_FALSE(watch.dead(2));
  watch.row_gone(2);
  watch.run(milliseconds(100));
  CHECK(watch.dead(2));
}

TEST_CASE("Detector: a node's quarantined copies are those of its last beat, and of this life of it") {
  Watch watch(3);
  peer::Beat beat;
  beat.add_quarantined(4);
  beat.add_quarantined(9);
  watch.detector.beat(NodeId(3), beat);
  CHECK(watch.detector.quarantined(NodeId(3), PartitionId(4)));
  CHECK(watch.detector.quarantined(NodeId(3), PartitionId(9)));
  CHECK_FALSE(watch.detector.quarantined(NodeId(3), PartitionId(5)));
  CHECK_FALSE(watch.detector.quarantined(NodeId(2), PartitionId(4)));
  CHECK_FALSE(watch.dead(3));
  beat.clear_quarantined();
  beat.add_quarantined(9);
  watch.detector.beat(NodeId(3), beat);
  CHECK_FALSE(watch.detector.quarantined(NodeId(3), PartitionId(4)));
  watch.detector.link_up(NodeId(3), boot(3, 1));
  CHECK_FALSE(watch.detector.quarantined(NodeId(3), PartitionId(9)));
  watch.detector.own_quarantined({PartitionId(1)});
  CHECK(watch.detector.quarantined(NodeId(1), PartitionId(1)));
}

TEST_CASE("Detector: what was seen of an earlier life says nothing about this one") {
  Watch watch(3);
  watch.detector.link_up(NodeId(3), boot(3, 1));
  watch.say(2, 3, peer::Seen::REFUSED, 0);
  watch.detector.link_down(NodeId(3), LinkDown::refused);
  CHECK_FALSE(watch.dead(3));
  watch.say(2, 3, peer::Seen::REFUSED, 1);
  CHECK(watch.dead(3));
}

TEST_CASE("Detector: a new boot id is a restart, and others are told that the old life is over") {
  Watch watch(3);
  watch.verdicts.clear();
  watch.detector.link_up(NodeId(3), boot(3, 1));
  watch.run(milliseconds(20));
  REQUIRE(watch.verdicts.size() == 1);
  CHECK(watch.verdicts[0].evidence == Evidence::restarted);
  CHECK(watch.detector.boot_of(NodeId(3)) == boot(3, 1));
  const auto opinions = watch.detector.opinions();
  REQUIRE(opinions.size() == 1);
  CHECK(opinions[0].what() == peer::Seen::RESTARTED);
  CHECK(opinions[0].boot_id() == boot(3, 0).str());
}

TEST_CASE("Detector: a connection heard of late does not make an ended life the present one") {
  // Seed 300546: node 2 started twice in a row, and the first of the two was heard of after the second had registered.
  Watch watch(3);
  watch.registers(2, 2);
  REQUIRE(watch.detector.boot_of(NodeId(2)) == boot(2, 2));
  watch.detector.link_up(NodeId(2), boot(2, 1));
  REQUIRE(watch.detector.boot_of(NodeId(2)) == boot(2, 1));  // it might be the latest, and not registered yet
  watch.run(milliseconds(4900));
  watch.list();
  CHECK(watch.detector.boot_of(NodeId(2)) == boot(2, 1));
  watch.run(milliseconds(200));
  watch.list();
  CHECK(watch.detector.boot_of(NodeId(2)) == boot(2, 2));
  CHECK_FALSE(watch.dead(2));
}

TEST_CASE("Detector: whoever registers is later than all lives before, also than one that was thought to be over") {
  Watch watch(3);
  watch.detector.link_up(NodeId(2), boot(2, 2));
  watch.registers(2, 1);  // a listing from before that
  REQUIRE(watch.detector.boot_of(NodeId(2)) == boot(2, 1));
  watch.registers(2, 2);
  CHECK(watch.detector.boot_of(NodeId(2)) == boot(2, 2));
}

TEST_CASE("Detector: silence kills when a majority says so, and not before 1.5 s") {
  Watch watch(3);
  watch.beating.erase(3);
  watch.says_silent[2] = 3;
  watch.run(milliseconds(1400));
  CHECK(watch.detector.life(NodeId(3)) == Life::suspect);
  watch.run(milliseconds(300));
  CHECK(watch.dead(3));
  watch.beating.insert(3);
  watch.says_silent.clear();
  watch.run(milliseconds(200));
  CHECK(watch.detector.life(NodeId(3)) == Life::alive);
}

TEST_CASE("Detector: a peer that hears the node speaks for it") {
  Watch watch(3);
  watch.beating.erase(3);
  watch.hears = {1, 3};
  watch.run(milliseconds(10000));
  CHECK_FALSE(watch.dead(3));
  CHECK(watch.detector.heard_by_anybody(NodeId(3)));
}

TEST_CASE("Detector: of two who don't hear each other, and are heard by all others, the second stands aside") {
  for (const std::uint32_t self : {1U, 3U}) {
    const std::uint32_t other = self == 1 ? 3 : 1;
    Watch watch(3, self);
    watch.hears = {1, 2, 3};
    watch.beating.erase(other);
    watch.run(milliseconds(900));
    CHECK_FALSE(watch.detector.stands_aside_for());
    watch.run(milliseconds(300));
    CHECK(watch.detector.stands_aside_for() == (self == 3 ? std::optional(NodeId(1)) : std::nullopt));
    watch.beating.insert(other);
    watch.run(milliseconds(200));
    CHECK_FALSE(watch.detector.stands_aside_for());
  }
}

TEST_CASE("Detector: nobody stands aside for one who is dead, or whom others don't hear either") {
  Watch watch(3, 3);
  watch.hears = {2, 3};
  watch.beating.erase(1);
  watch.run(milliseconds(1200));
  CHECK_FALSE(watch.detector.stands_aside_for());
  SECTION("nor does one who hears nobody") {
    watch.hears = {1, 2, 3};
    watch.run(milliseconds(200));
    CHECK(watch.detector.stands_aside_for() == NodeId(1));
    watch.beating.clear();
    watch.run(milliseconds(2000));
    CHECK_FALSE(watch.detector.stands_aside_for());
  }
}

TEST_CASE("Detector: who doesn't hear several that the others hear stands aside, whatever its number") {
  Watch watch(5);
  watch.hears = {1, 2, 3, 4, 5};
  watch.beating = {5};
  watch.run(milliseconds(1200));
  CHECK(watch.detector.stands_aside_for() == NodeId(2));
}

TEST_CASE("Detector: our clock agrees with the others' if half of those who are heard are near it") {
  Watch watch(4);
  const auto agrees = [&] {
    watch.detector.own_wall(watch.wall);
    watch.run(milliseconds(200));
    return watch.detector.own_clock_agrees(milliseconds(10'000));
  };
  watch.clocks = {{2, milliseconds(9'000)}, {3, milliseconds(-20'000)}, {4, milliseconds(20'000)}};
  CHECK(agrees() == false);
  watch.clocks[3] = milliseconds(-9'000);
  CHECK(agrees() == true);
  watch.beating = {2};
  watch.run(milliseconds(2'000));
  CHECK(agrees() == std::nullopt);
}

TEST_CASE("Detector: the word of a node that is late itself does not count") {
  Watch watch(3);
  watch.beating.erase(3);
  watch.late = {2};
  watch.says_silent[2] = 3;
  watch.run(milliseconds(10000));
  CHECK_FALSE(watch.dead(3));
  watch.late.clear();
  watch.run(milliseconds(200));
  CHECK(watch.dead(3));
}

TEST_CASE("Detector: who was late itself accuses nobody, and time it did not run in is nobody's silence") {
  Watch watch(3);
  watch.says_silent[2] = 3;
  watch.advance(milliseconds(5000));
  CHECK(watch.detector.late());
  CHECK(watch.detector.opinions().empty());
  CHECK_FALSE(watch.dead(3));
  CHECK_FALSE(watch.dead(2));
  CHECK(watch.detector.patience() == 2);
  watch.beating.erase(3);
  watch.run(milliseconds(1500));  // no longer late; what was missed is not counted, and limits are doubled
  CHECK_FALSE(watch.detector.late());
  CHECK_FALSE(watch.dead(3));
  watch.says_silent.clear();
  watch.run(milliseconds(6000));
  CHECK(watch.detector.patience() == 1);
}

TEST_CASE("Detector: five nodes need three that agree") {
  Watch watch(5);
  watch.beating.erase(5);
  watch.says_silent[2] = 5;
  watch.run(milliseconds(5000));
  CHECK_FALSE(watch.dead(5));
  watch.says_silent[3] = 5;
  watch.run(milliseconds(200));
  CHECK(watch.dead(5));
}

TEST_CASE("Detector: a lease that ended kills only who is not heard either") {
  Watch watch(3);
  watch.row_gone(3);
  watch.run(milliseconds(2000));
  CHECK_FALSE(watch.dead(3));
  watch.beating.erase(3);
  watch.run(milliseconds(400));
  CHECK(watch.dead(3));
}

}  // namespace
}  // namespace holdfast::failover

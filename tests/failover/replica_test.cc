#include "failover/replica.h"

#include <catch2/catch.hpp>

#include "tests/failover/replica_fixture.h"

namespace holdfast::failover {
namespace {

using Texts = std::vector<std::string>;
const std::vector<Member> kAll{member(1), member(2), member(3)};
const std::vector<Member> kTwo{member(1), member(2)};
const WallTime kNow = Replicas::kNow;

/// Three nodes, the first leads epoch 1 and is open.
struct Open : Replicas {
  explicit Open(const std::vector<Member>& in_sync = kAll, Replica::Options options = Replica::Options())
      : Replicas(3, options) {
    configure(row(1, 1, 1, in_sync));
    settle();
    REQUIRE((*this)[1].role() == Role::primary);
  }
};

TEST_CASE("Replica: alone, it opens its epoch and commits what its own disk has (W3, W5)") {
  Replicas one(1);
  one.at(1).disk_waits = true;
  one.configure(row(1, 1, 1, {member(1)}, 1, {1}));
  one.pump();
  CHECK(one[1].role() == Role::candidate);
  CHECK(one[1].last_seq() == Seq(0));  // F5: nothing before the promise is durable
  one.sync(one.at(1));
  one.pump();
  CHECK(one[1].last_seq() == Seq(1));
  CHECK(one.at(1).committed.empty());
  one.sync(one.at(1));
  CHECK(one[1].role() == Role::primary);
  one.append(1, "a");
  CHECK_FALSE(one[1].may_append());  // W1: one in flight
  CHECK(one[1].in_flight_since() == one.now());
  one.pump();
  one.sync(one.at(1));
  one.pump();
  CHECK(one.at(1).committed == Texts{"start 1", "a"});
  CHECK(one[1].may_append());
}

TEST_CASE("Replica: a candidate with others says nothing before its promise is durable (F5)") {
  Replicas three(3);
  three.at(1).disk_waits = true;
  three.configure(row(1, 1, 1, kAll));
  three.pump();
  CHECK(three.net().empty());
  three.sync(three.at(1));
  three.pump();
  CHECK_FALSE(three.net().empty());
}

TEST_CASE("Replica: an entry is committed when all who count have synced it, and not before (W5)") {
  Open open;
  open.at(3).disk_waits = true;
  open.append(1, "a");
  open.settle();
  CHECK(open.at(1).committed == Texts{"start 1"});
  open.sync(open.at(3));
  open.settle();
  CHECK(open.at(1).committed == Texts{"start 1", "a"});
}

TEST_CASE("Replica: the primary's own disk counts as any other (W3)") {
  Open open;
  open.at(1).disk_waits = true;
  open.append(1, "a");
  open.settle();
  CHECK(open[1].committed() == Seq(1));
  open.sync(open.at(1));
  CHECK(open[1].committed() == Seq(2));
}

TEST_CASE("Replica: backups hand out what the primary committed, once, in order (W6, I9)") {
  Open open;
  for (const std::string text : {"a", "b", "c"}) {
    open.append(1, text);
    open.settle();
  }
  open.pass(std::chrono::milliseconds(150));
  open.settle();
  CHECK(open.at(2).committed == Texts{"start 1", "a", "b", "c"});
  CHECK(open.at(3).committed == Texts{"start 1", "a", "b", "c"});
}

TEST_CASE("Replica: a backup promises a later epoch before it acknowledges anything of it (W4, I2, T4)") {
  Open open;
  open.at(3).disk_waits = true;
  open.configure(row(2, 2, 2, kAll));
  open.settle();
  CHECK(open[2].role() == Role::candidate);
  CHECK(open[3].promised() == Epoch(2));
  CHECK(open.at(3).promised == 1);
  open.sync(open.at(3));
  open.settle();
  CHECK(open.at(3).promised == 2);
  CHECK(open.log_of(2) == Texts{"start 1", "start 2"});
}

TEST_CASE("Replica: what comes with a lower epoch is refused, and ends the epoch of who sent it (I2)") {
  Open open;
  open[2].configured(row(2, 2, 2, kAll));
  open[3].configured(row(2, 2, 2, kAll));
  open.cut(1);
  open.settle();
  open.pass(std::chrono::milliseconds(300));
  open.append(1, "lost");
  open.mend(1);
  open.pump();
  open.settle();
  CHECK(open[1].role() == Role::backup);
  CHECK(open.at(1).committed == Texts{"start 1"});
  open.pass(std::chrono::milliseconds(300));
  open.settle();
  CHECK(open.log_of(1) == Texts{"start 1", "start 2"});  // 2.8: its tail is cut off
  CHECK(open.log_of(3) == Texts{"start 1", "start 2"});
  CHECK(open[2].role() == Role::primary);
}

TEST_CASE("Replica: entries are chained, whoever wrote them (I3)") {
  Open open;
  open.append(1, "a");
  open.settle();
  CHECK(open[1].last_chain() == open[2].last_chain());
  open.configure(row(2, 2, 3, kAll));
  open.settle();
  CHECK(open[3].role() == Role::primary);
  CHECK(open[1].last_chain() == open[3].last_chain());
}

TEST_CASE("Replica: log time never goes back, though the clock does") {
  Open open;
  const WallTime before = kNow - std::chrono::hours(2);
  CHECK(open[1].log_time(before) == kNow);
  CHECK(open[1].log_time(kNow + std::chrono::seconds(1)) == kNow + std::chrono::seconds(1));
}

TEST_CASE("Replica: the inherited tail is committed by the new leader once everybody has it, then it opens (F6)") {
  Open open;
  open.at(3).disk_waits = true;
  open.append(1, "a");
  open.settle();  // on 1 and 2
  open.cut(1);
  open.configure(row(2, 2, 2, {member(2), member(3)}));
  open.settle();
  CHECK(open[2].role() == Role::candidate);
  CHECK_FALSE(open[2].may_append());
  CHECK(open.at(2).committed == Texts{"start 1"});
  open.at(3).disk_waits = false;
  open.sync(open.at(3));
  open.settle();
  CHECK(open[2].role() == Role::primary);
  CHECK(open.at(2).committed == Texts{"start 1", "a", "start 2"});
}

TEST_CASE("Replica: a restarted primary does not resume its epoch, it leads the next (F7)") {
  Open open;
  open.restart(1);
  open[1].configured(row(1, 1, 1, kAll));
  open.settle();
  CHECK(open[1].role() == Role::backup);
  open.configure(row(2, 2, 1, kAll));
  open.settle();
  CHECK(open[1].role() == Role::primary);
  CHECK(open[1].epoch() == Epoch(2));
}

TEST_CASE("Replica: another store on the primary's node does not lead (I12)") {
  Replicas three(3);
  three.start(member(1, 9), {});
  three.configure(row(1, 1, 1, kAll));
  three.pump();
  CHECK(three[1].role() == Role::backup);
}

TEST_CASE("Replica: what was meant for another store of this node is dropped (I12)") {
  Open open;
  open.append(1, "a");
  open.pump();
  open.start(member(3, 9), {});
  open.settle();
  CHECK(open[3].last_seq() == Seq(0));
  CHECK(open[1].committed() == Seq(1));
}

TEST_CASE("Replica: a configuration whose epoch went back quarantines") {
  Open open;
  open[2].configured(row(5, 0, 1, kAll));
  open.pump();
  CHECK(open[2].role() == Role::quarantined);
  CHECK_FALSE(open.at(2).trouble.empty());
}

// ------------------------------------------------------------------------------------------------ 2.6

TEST_CASE("Replica: who makes no progress is asked to leave, and counts until the store agreed (SHRINK, T1)") {
  Open open;
  open.cut(3);
  open.append(1, "a");
  open.settle();
  CHECK(open.at(1).wanted.empty());
  for (int i = 0; i < 4; ++i) open.pass(std::chrono::milliseconds(250));
  open.settle();
  REQUIRE(open.at(1).wanted.size() == 1);
  CHECK(in_sync_of(open.at(1).wanted[0].wanted) == kTwo);
  CHECK(open.at(1).wanted[0].compared_revision == 1);
  CHECK(open.at(1).wanted[0].must_be_live.empty());
  CHECK(open[1].committed() == Seq(1));
  open.configure(row(2, 1, 1, kTwo));
  open[1].reconfigured(1, Outcome::applied);
  open.settle();
  CHECK(open[1].committed() == Seq(2));
}

TEST_CASE("Replica: who was frozen takes nobody for slow over that time (SHRINK)") {
  Open open;
  open.at(3).disk_waits = true;
  open.append(1, "a");
  open.settle();
  open.pass(Replicas::kTick);
  SteadyTime now = open.now() + std::chrono::milliseconds(900);
  open[1].tick(now);  // what the third has answered lies in our sockets
  open.pump();
  CHECK(open.at(1).wanted.empty());
  for (const SteadyTime end = now + std::chrono::milliseconds(700); now < end;) open[1].tick(now += Replicas::kTick);
  open.pump();
  CHECK(open.at(1).wanted.size() == 1);  // but over the time that we were there
}

TEST_CASE("Replica: evidence that promotes shrinks at once (2.6)") {
  Open open;
  open[1].gone(NodeId(3), true);
  open.settle();
  REQUIRE(open.at(1).wanted.size() == 1);
  CHECK(in_sync_of(open.at(1).wanted[0].wanted) == kTwo);
}

TEST_CASE("Replica: the set is never asked to be smaller than it must be (I7)") {
  Replicas two(2);
  two.configure(row(1, 1, 1, kTwo, 2, {1, 2}));
  two.settle();
  two[1].gone(NodeId(2), true);
  two.cut(2);
  for (int i = 0; i < 5; ++i) two.pass(std::chrono::seconds(1));
  two.settle();
  CHECK(two.at(1).wanted.empty());
  CHECK(two[1].role() == Role::primary);
}

TEST_CASE(
    "Replica: a learner joins with what is committed in this epoch, registered, and counts from the question on") {
  Replicas three(3);
  three.cut(3);
  three.configure(row(1, 1, 1, kTwo));
  three.settle();
  CHECK(three.at(1).wanted.empty());
  three.mend(3);
  three.settle();
  REQUIRE(three.at(1).wanted.size() == 1);
  CHECK(in_sync_of(three.at(1).wanted[0].wanted) == kAll);
  CHECK(three.at(1).wanted[0].must_be_live == std::vector{NodeId(3)});
  three.at(3).disk_waits = true;
  three.append(1, "a");
  three.settle();
  CHECK(three[1].committed() == Seq(1));
}

TEST_CASE("Replica: a candidate that knows of no commit lets nobody join who lacks a part of its tail (T3)") {
  Replica::Options options;
  options.append_bytes_max = 1;  // one entry a message
  Open open(kTwo, options);
  open.cut(3);
  for (const std::string text : {"a", "b", "c"}) {
    if (!open.at(1).wanted.empty()) open[1].reconfigured(1, Outcome::refused);
    open.append(1, text);
    open.settle();
  }
  open.cut(1);
  open.restart(2);
  REQUIRE(open[2].committed() == Seq(0));
  open[2].gone(NodeId(1), true);
  open.mend(3);
  open[2].link_down(NodeId(1));
  open.configure(row(2, 2, 2, kTwo));
  for (open.pump(); open.at(2).wanted.empty(); open.pump()) {
    REQUIRE_FALSE(open.net().empty());
    const Replicas::Sent sent = open.net().front();
    open.net().pop_front();
    open.deliver(sent);
  }
  CHECK(open.log_of(3) == Texts{"start 1", "a", "b", "c"});
  CHECK(in_sync_of(open.at(2).wanted[0].wanted) == std::vector{member(2), member(3)});
}

TEST_CASE("Replica: a lost member is swapped for a learner in one change where the set is as small as may be (SWAP)") {
  Open open(kTwo);
  open.settle();
  REQUIRE(open.at(1).wanted.size() == 1);  // GROW by 3
  open[1].reconfigured(1, Outcome::refused);
  open[1].gone(NodeId(2), true);
  open.pass(std::chrono::milliseconds(300));
  open.settle();
  REQUIRE(open.at(1).wanted.size() == 2);
  CHECK(in_sync_of(open.at(1).wanted[1].wanted) == std::vector{member(1), member(3)});
  CHECK(open.at(1).wanted[1].must_be_live == std::vector{NodeId(3)});
}

TEST_CASE("Replica: a candidate whose set lost a disk swaps in a learner that has its tail, then opens (F6a)") {
  Open open(kTwo);
  open.append(1, "a");
  open.settle();
  open.cut(1);
  open.configure(row(2, 2, 2, kTwo));
  open.settle();
  CHECK(open[2].role() == Role::candidate);
  CHECK(open.at(2).wanted.empty());
  open[2].gone(NodeId(1), true);
  open.settle();
  REQUIRE(open.at(2).wanted.size() == 1);
  CHECK(in_sync_of(open.at(2).wanted[0].wanted) == std::vector{member(2), member(3)});
  open.configure(row(3, 2, 2, {member(2), member(3)}));
  open.settle();
  CHECK(open[2].role() == Role::primary);
}

TEST_CASE("Replica: after an unknown outcome the union counts until the store has moved on (2.6, T2)") {
  Open open;
  open[1].gone(NodeId(3), true);
  open.settle();
  REQUIRE(open.at(1).wanted.size() == 1);
  open.cut(3);
  open.append(1, "a");
  open.settle();
  open[1].reconfigured(1, Outcome::unknown);
  open[1].configured(row(1, 1, 1, kAll));  // the old revision proves nothing
  open.pass(std::chrono::seconds(5));
  open.settle();
  CHECK(open[1].committed() == Seq(1));
  CHECK(open.at(1).wanted.size() == 1);
  open[1].configured(row(2, 1, 1, kTwo));
  CHECK(open[1].committed() == Seq(2));
}

TEST_CASE("Replica: the outcome of an older question changes nothing (2.6)") {
  Open open;
  open[1].gone(NodeId(3), true);
  open.settle();
  open[1].configured(row(4, 1, 1, kAll));
  open.settle();
  REQUIRE(open.at(1).wanted.size() == 2);
  CHECK(open.at(1).wanted[1].compared_revision == 4);
  open[1].reconfigured(1, Outcome::refused);
  open.pass(std::chrono::seconds(1));
  open.settle();
  CHECK(open.at(1).wanted.size() == 2);  // the second is still asked
}

TEST_CASE("Replica: a copy that is not placed here any more leaves once those that are suffice") {
  Replicas four(4);
  four.configure(row(1, 1, 1, kAll, 2, {1, 2, 4}));
  four.settle();
  REQUIRE(four.at(1).wanted.size() == 1);
  CHECK(in_sync_of(four.at(1).wanted[0].wanted) == std::vector{member(1), member(2), member(3), member(4)});
  four.configure(row(2, 1, 1, {member(1), member(2), member(3), member(4)}, 2, {1, 2, 4}));
  four.settle();
  REQUIRE(four.at(1).wanted.size() == 2);
  CHECK(in_sync_of(four.at(1).wanted[1].wanted) == std::vector{member(1), member(2), member(4)});
}

}  // namespace
}  // namespace holdfast::failover

#include "failover/in_sync_set.h"

#include <catch2/catch.hpp>

namespace holdfast::failover {
namespace {

const Member kA{NodeId(1), StoreId({1})};
const Member kB{NodeId(2), StoreId({2})};
const Member kC{NodeId(3), StoreId({3})};

TEST_CASE("InSyncSet: the commit point is what all members have (W5)") {
  InSyncSet set({kA, kB}, 2);
  set.durable(kA, Seq(9));
  CHECK(set.commit_point() == Seq(0));
  set.durable(kB, Seq(4));
  CHECK(set.commit_point() == Seq(4));
  set.durable(kB, Seq(12));
  CHECK(set.commit_point() == Seq(9));
}

TEST_CASE("InSyncSet: with fewer members than needed the commit point stands still (W1, I8)") {
  InSyncSet set({kA}, 2);
  CHECK_FALSE(set.large_enough());
  set.durable(kA, Seq(9));
  CHECK(set.commit_point() == Seq(0));
}

TEST_CASE("InSyncSet: who is proposed to leave counts until the store says so (T1)") {
  InSyncSet set({kA, kB, kC}, 2);
  set.propose({kA, kB});
  CHECK(set.counts(kC));
  set.durable(kA, Seq(5));
  set.durable(kB, Seq(5));
  CHECK(set.commit_point() == Seq(0));
  set.settle({kA, kB}, 2);
  CHECK_FALSE(set.counts(kC));
  CHECK(set.commit_point() == Seq(5));
}

TEST_CASE("InSyncSet: who is proposed to join counts before the store is asked (2.6, I6)") {
  InSyncSet set({kA, kB}, 2);
  set.propose({kA, kB, kC});
  CHECK(set.counts(kC));
  CHECK(set.all().size() == 3);
  CHECK(set.stored().size() == 2);
  set.durable(kA, Seq(5));
  set.durable(kB, Seq(5));
  CHECK(set.commit_point() == Seq(0));
  set.durable(kC, Seq(3));
  CHECK(set.commit_point() == Seq(3));
}

TEST_CASE("InSyncSet: what a learner had before it counted is remembered") {
  InSyncSet set({kA, kB}, 2);
  set.durable(kC, Seq(7));
  for (const Member& member : {kA, kB}) set.durable(member, Seq(7));
  set.propose({kA, kB, kC});
  set.settle({kA, kB, kC}, 2);
  set.durable(kA, Seq(8));
  set.durable(kB, Seq(8));
  CHECK(set.commit_point() == Seq(7));
}

TEST_CASE("InSyncSet: the commit point never goes back, whoever joins (I4)") {
  InSyncSet set({kA, kB}, 2);
  for (const Member& member : {kA, kB}) set.durable(member, Seq(7));
  set.settle({kA, kB, kC}, 2);
  set.durable(kC, Seq(2));
  CHECK(set.commit_point() == Seq(7));
}

TEST_CASE("InSyncSet: the same node with another disk is somebody else (I12)") {
  const Member again{kB.node, StoreId({9})};
  InSyncSet set({kA, kB}, 2);
  CHECK_FALSE(set.counts(again));
  set.durable(kA, Seq(5));
  set.durable(again, Seq(5));
  CHECK(set.commit_point() == Seq(0));
}

}  // namespace
}  // namespace holdfast::failover

#include "failover/replica.h"

#include <catch2/catch.hpp>

namespace holdfast::failover {
namespace {

const Member kSelf{NodeId(1), StoreId({1})};
const Member kOther{NodeId(2), StoreId({2})};
const WallTime kNow = from_ms(1'000'000);

InSyncSet alone() { return InSyncSet({kSelf}, 1); }
log::Entry body(const std::string& key) {
  log::Entry entry;
  entry.add_writes()->set_key(key);
  return entry;
}

Recovered at(std::uint64_t seq, std::uint64_t epoch, WallTime time = kNow) {
  return {Seq(seq), Epoch(epoch), Hash32{7}, time};
}

TEST_CASE("Replica: a new leader appends nothing before EPOCH_START is committed (F5, F6)") {
  Replica replica(PartitionId(3), kSelf, at(41, 4));
  CHECK(replica.role() == Role::idle);
  CHECK_FALSE(replica.take_epoch_start(kNow));
  replica.lead(Epoch(5), alone());
  CHECK(replica.role() == Role::candidate);
  CHECK_FALSE(replica.may_append());
  const auto start = replica.take_epoch_start(kNow);
  REQUIRE(start);
  CHECK(start->entry->kind() == log::Entry::EPOCH_START);
  CHECK(start->entry->epoch() == 5);
  CHECK(start->entry->seq() == 42);
  CHECK_FALSE(replica.take_epoch_start(kNow));
  CHECK_FALSE(replica.may_append());
  CHECK(replica.durable(Seq(42)));
  CHECK(replica.role() == Role::primary);
  CHECK(replica.may_append());
}

TEST_CASE("Replica: with others in sync the inherited tail is not committed by our disk alone (F6, W5)") {
  Replica replica(PartitionId(3), kSelf, at(41, 4));
  replica.lead(Epoch(5), InSyncSet({kSelf, kOther}, 2));
  CHECK(replica.committed() == Seq(0));
  CHECK_FALSE(replica.take_epoch_start(kNow));
}

TEST_CASE("Replica: one entry is in flight, and it commits when it is durable (W1, W3)") {
  Replica replica(PartitionId(3), kSelf, {});
  replica.lead(Epoch(1), alone());
  replica.take_epoch_start(kNow);
  CHECK(replica.committed() == Seq(0));
  replica.durable(Seq(1));
  const Appended appended = replica.append(body("k"), kNow);
  CHECK_FALSE(replica.may_append());
  CHECK(replica.last_seq() == Seq(2));
  CHECK(replica.committed() == Seq(1));
  CHECK(replica.durable(Seq(2)));
  CHECK(replica.committed() == Seq(2));
  CHECK(replica.may_append());
}

TEST_CASE("Replica: each entry is chained to the one before it, from what was recovered on (I3)") {
  Replica replica(PartitionId(3), kSelf, at(41, 4));
  replica.lead(Epoch(5), alone());
  const auto start = replica.take_epoch_start(kNow);
  const EncodedEntry expected = encode_entry(PartitionId(3), *start->entry, Hash32{7});
  CHECK(start->encoded->chain == expected.chain);
  replica.durable(Seq(42));
  const Appended next = replica.append(body("k"), kNow);
  CHECK(next.encoded->chain == encode_entry(PartitionId(3), *next.entry, expected.chain).chain);
}

TEST_CASE("Replica: log time never goes back, though the clock does") {
  Replica replica(PartitionId(3), kSelf, at(41, 4, kNow));
  replica.lead(Epoch(5), alone());
  const auto before = kNow - std::chrono::hours(2);
  const auto start = replica.take_epoch_start(before);
  CHECK(start->entry->time_ms() == to_ms(kNow));
  replica.durable(Seq(42));
  CHECK(replica.log_time(before) == kNow);
  CHECK(replica.log_time(kNow + std::chrono::seconds(1)) == kNow + std::chrono::seconds(1));
}

TEST_CASE("InSyncSet: the commit point is what all members have (W5)") {
  InSyncSet set({kSelf, kOther}, 2);
  set.durable(kSelf, Seq(9));
  CHECK(set.commit_point() == Seq(0));
  set.durable(kOther, Seq(4));
  CHECK(set.commit_point() == Seq(4));
  set.durable(kOther, Seq(12));
  CHECK(set.commit_point() == Seq(9));
}

TEST_CASE("InSyncSet: with fewer members than needed the commit point stands still (W1, I8)") {
  InSyncSet set({kSelf}, 2);
  CHECK_FALSE(set.large_enough());
  set.durable(kSelf, Seq(9));
  CHECK(set.commit_point() == Seq(0));
}

TEST_CASE("InSyncSet: the same node with another disk is somebody else (I12)") {
  CHECK_FALSE(Member{NodeId(1), StoreId({1})} == Member{NodeId(1), StoreId({2})});
}

}  // namespace
}  // namespace holdfast::failover

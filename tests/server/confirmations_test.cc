#include "server/confirmations.h"

#include <catch2/catch.hpp>

namespace holdfast {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

const NodeId kOther{2}, kThird{3};
const PartitionId kPartition{1};

/// This node, and what one other tells it.
struct Fixture {
  Confirmations here{4};
  SteadyTime now{hours(1)};

  /// The first confirmation of a boot serves nothing here, and only tells how far the clocks are apart.
  void link(NodeId node, const std::string& boot = "first") {
    here.link_up({node, StoreId{}}, boot);
    peer::Confirm first = confirm(0, now);
    first.clear_served();
    here.received(node, first, now);
  }
  peer::Confirm confirm(std::uint64_t epoch, SteadyTime sent, std::uint32_t age_ms = 10, std::uint64_t link = 1) {
    peer::Confirm out;
    out.set_link(link);
    out.set_sent_ms(std::chrono::duration_cast<milliseconds>(sent.time_since_epoch()).count());
    auto& served = *out.add_served();
    served.set_partition(kPartition.value);
    served.set_epoch(epoch);
    served.set_age_ms(age_ms);
    return out;
  }
  void hear(std::uint64_t epoch, NodeId from = kOther) { here.received(from, confirm(epoch, now), now); }
};

TEST_CASE("Confirmations: what a node says counts only as the configuration has it, and over a link that stands") {
  Fixture f;
  f.link(kOther);
  f.hear(7);
  CHECK(f.here.take_ready().certain.empty());
  f.here.configured(kPartition, kThird, Epoch(7));
  CHECK(f.here.take_ready().certain.empty());
  f.here.configured(kPartition, kOther, Epoch(7));
  auto ready = f.here.take_ready();
  REQUIRE(ready.certain.size() == 1);
  CHECK(ready.certain[0].second == f.now - milliseconds(10));
  REQUIRE(ready.reattach.size() == 1);
  CHECK(ready.reattach[0].ask_again);

  CHECK(f.here.link_down(kOther));
  CHECK_FALSE(f.here.link_down(kOther));
  f.hear(7);
  CHECK(f.here.take_ready().certain.empty());
}

TEST_CASE("Confirmations: connections attach anew when the epoch or the life of a link changes, and only then") {
  Fixture f;
  f.link(kOther);
  f.here.configured(kPartition, kOther, Epoch(7));
  f.hear(7);
  CHECK(f.here.take_ready().reattach.size() == 1);
  f.hear(7);
  CHECK(f.here.take_ready().reattach.empty());
  f.here.link_down(kOther);
  f.link(kOther);
  f.hear(7);
  CHECK(f.here.take_ready().reattach.size() == 1);
  f.here.received(kOther, f.confirm(7, f.now, 10, 2), f.now);  // its link to us was lost, and we did not see it
  CHECK(f.here.take_ready().reattach.size() == 1);
  f.here.configured(kPartition, kOther, Epoch(8));
  f.hear(8);
  CHECK(f.here.take_ready().reattach.size() == 1);
}

TEST_CASE("Confirmations: what lay in a buffer while a process was frozen is as old as that") {
  Fixture f;
  f.link(kOther);
  f.here.configured(kPartition, kOther, Epoch(7));
  f.hear(7);
  f.here.take_ready();
  const SteadyTime sent = f.now + milliseconds(250);
  f.now += std::chrono::seconds(10);
  f.here.received(kOther, f.confirm(7, sent, 0), f.now);
  const auto ready = f.here.take_ready();
  REQUIRE(ready.certain.size() == 1);
  CHECK(ready.certain[0].second <= sent + milliseconds(10));
}

TEST_CASE("Confirmations: clocks that run apart make nothing old, for days") {
  for (const std::int64_t millionth : {-500, 500}) {
    Fixture f;
    f.link(kOther);
    f.here.configured(kPartition, kOther, Epoch(7));
    const SteadyTime begin = f.now;
    for (; f.now < begin + hours(72); f.now += std::chrono::seconds(5)) {
      const auto theirs = begin + (f.now - begin) + (f.now - begin) / 1'000'000 * millionth;
      f.here.received(kOther, f.confirm(7, theirs), f.now);
      for (const auto& [partition, certain] : f.here.take_ready().certain) REQUIRE(f.now - certain <= milliseconds(20));
    }
  }
}

TEST_CASE("Confirmations: another life of a node has another clock, and its first word is no certainty") {
  Fixture f;
  f.link(kOther);
  f.here.configured(kPartition, kOther, Epoch(7));
  f.hear(7);
  f.here.link_down(kOther);
  f.here.link_up({kOther, StoreId{}}, "second");
  f.here.take_ready();
  // It may have been sent long ago, and lain in our socket while we were frozen.
  f.here.received(kOther, f.confirm(7, SteadyTime(milliseconds(3))), f.now);
  const auto first = f.here.take_ready();
  CHECK(first.certain.empty());
  CHECK(first.reattach.size() == 1);
  f.here.received(kOther, f.confirm(7, SteadyTime(milliseconds(253))), f.now + milliseconds(250));
  REQUIRE(f.here.take_ready().certain.size() == 1);
}

TEST_CASE(
    "Confirmations: what is served here is told to whoever can be reached, and our own connections attach to it") {
  Fixture f;
  f.link(kOther);
  f.link(kThird);
  f.here.link_down(kThird);
  const std::vector<Confirmations::Served> served{{kPartition, Epoch(9), f.now - milliseconds(30)}};
  const auto frames = f.here.say(served, f.now);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].first == kOther);
  CHECK(frames[0].second.confirm().served(0).epoch() == 9);
  CHECK(frames[0].second.confirm().served(0).age_ms() == 30);
  auto ready = f.here.take_ready();
  REQUIRE(ready.reattach.size() == 1);
  CHECK_FALSE(ready.reattach[0].ask_again);
  f.here.say(served, f.now);
  CHECK(f.here.take_ready().reattach.empty());
  CHECK(f.here.say({}, f.now).size() == 1);
}

TEST_CASE("Confirmations: a partition that does not exist, or a node that was never met, changes nothing") {
  Fixture f;
  f.hear(7);
  f.link(kOther);
  peer::Confirm wrong = f.confirm(7, f.now);
  wrong.mutable_served(0)->set_partition(400);
  f.here.received(kOther, wrong, f.now);
  f.here.configured(kPartition, kOther, Epoch(7));
  CHECK(f.here.take_ready().certain.empty());
}

}  // namespace
}  // namespace holdfast

#include "server/copy.h"

#include <catch2/catch.hpp>

namespace holdfast {
namespace {

using std::chrono::milliseconds;

constexpr NodeId kSelf(1), kOther(2);
const WallTime kWall = from_ms(1'000'000);

failover::Member member(NodeId node) { return {node, StoreId({static_cast<std::uint8_t>(node.value)})}; }

/// A candidate of two that count; the test is the other one, and the disk.
struct Two {
  SteadyTime now{std::chrono::hours(1)};
  chat::Limits limits;
  Copy copy;
  std::vector<peer::Replication> sent;

  Two() : copy({.id = PartitionId(5)}, limits, member(kSelf), {}) {
    copy.tick(now, kWall);
    copy.replica().link_up(member(kOther));
    lead(1);
    turn();
  }

  void lead(std::uint64_t epoch) {
    failover::PartitionRow row;
    row.revision = epoch;
    row.config.set_epoch(epoch);
    row.config.set_min_isr(2);
    for (const NodeId node : {kSelf, kOther}) {
      row.config.add_replicas(node.value);
      auto& store = *row.config.add_in_sync();
      store.set_node(node.value);
      store.set_store_id(member(node).store.str());
    }
    *row.config.mutable_primary() = row.config.in_sync(0);
    copy.replica().configured(row);
  }

  void turn() {
    for (bool again = true; again;) {
      Copy::Ready ready = copy.take_ready(kWall);
      again = !ready.writes.empty();
      for (auto& message : ready.messages) sent.push_back(std::move(message.message));
      for (const LogWrite& write : ready.writes) copy.replica().durable(write.ticket);
    }
  }

  void acknowledge(std::uint64_t seq) {
    peer::Replication message;
    message.set_epoch(copy.replica().epoch().value);
    message.mutable_ack()->set_durable(seq);
    copy.replica().received(member(kOther), message);
    turn();
  }

  std::uint64_t barrier_sent() const {
    std::uint64_t number = 0;
    for (const auto& message : sent) number = std::max(number, message.barrier().number());
    return number;
  }
};

TEST_CASE("Copy: that its epoch is open is certain as of its first entry, however late the answer is read (H9)") {
  Two two;
  two.acknowledge(0);
  REQUIRE(two.copy.replica().last_seq() == Seq(1));
  const SteadyTime appended = two.now;
  two.now += milliseconds(3000);  // frozen; the answer lies in our socket
  two.copy.tick(two.now, kWall);
  two.acknowledge(1);
  REQUIRE(two.copy.serving() != nullptr);
  CHECK(two.copy.certain_at(two.now) == appended);

  two.copy.tick(two.now, kWall);
  two.turn();
  REQUIRE(two.barrier_sent() == 1);  // asked for at once
  peer::Replication message;
  message.set_epoch(1);
  message.mutable_barrier_ok()->set_number(1);
  two.copy.replica().received(member(kOther), message);
  const SteadyTime asked = two.now;
  two.now += milliseconds(100);
  two.copy.tick(two.now, kWall);
  CHECK(two.copy.certain_at(two.now) == asked);
}

/// Whoever hears of a new epoch attaches its connections anew: to the memory of the one before they would be lost.
TEST_CASE("Copy: who gets a new epoch of its own partition serves the old one until its memory is gone (seed 743174)") {
  Two two;
  two.acknowledge(0);
  two.acknowledge(1);
  REQUIRE(two.copy.served_epoch() == Epoch(1));
  two.lead(2);
  REQUIRE(two.copy.replica().epoch() == Epoch(2));
  REQUIRE(two.copy.serving() != nullptr);
  two.copy.tick(two.now, kWall);
  CHECK(two.copy.served_epoch() == Epoch(1));
  two.turn();
  CHECK(two.copy.served_epoch() == Epoch{});
  two.acknowledge(1);
  two.acknowledge(2);
  CHECK(two.copy.served_epoch() == Epoch(2));
}

command::Command post() {
  command::Command command;
  command.mutable_request()->mutable_post()->set_client_message_id("one");
  return command;
}

TEST_CASE("Copy: a client's command at a candidate that can't open is answered RETRY, and nothing overtakes it") {
  Two two;  // the other one does not answer
  std::vector<std::string> answers;
  const auto said = [&](const std::string& who) {
    return [&answers, who](const command::Answer& answer) {
      answers.push_back(who +
                        (answer.elsewhere() ? " elsewhere" : " " + v1::ErrorCode_Name(answer.frame().error().code())));
    };
  };
  const auto turn_at = [&](milliseconds later) {
    two.now += later;
    two.copy.tick(two.now, kWall);
    for (auto& [then, answer] : two.copy.take_ready(kWall).serving.answers) then(std::move(answer));
  };
  command::Command forwarded;
  forwarded.mutable_source()->set_subscriber("delivery");
  two.copy.submit(post(), said("old"));
  two.copy.submit(forwarded, said("forwarded"));
  turn_at(milliseconds(1500));
  two.copy.submit(post(), said("young"));
  turn_at(milliseconds(500));
  CHECK(answers.empty());
  turn_at(milliseconds(1));
  // What came after the forwarded one may not be carried out before it: the one who asked has all of it to ask again.
  CHECK(answers == std::vector<std::string>{"old RETRY", "forwarded elsewhere", "young elsewhere"});
  CHECK(two.copy.idle());
  turn_at(milliseconds(5000));
  CHECK(answers.size() == 3);
}

}  // namespace
}  // namespace holdfast

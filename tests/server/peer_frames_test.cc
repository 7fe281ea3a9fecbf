#include "server/peer_frames.h"

#include <catch2/catch.hpp>

namespace holdfast {
namespace {

TEST_CASE("Peer frames: an ask comes out as it went in") {
  Router::Ask in{NodeId(2), PartitionId(3), 40, 50, 60, 70, {}};
  in.command.set_user("a user");
  peer::Frame frame = peers::ask(5, in);
  CHECK(frame.ask().worker() == 5);
  const Router::Ask out = peers::ask(NodeId(2), frame.ask());
  CHECK(out.to == NodeId(2));
  CHECK(out.partition == PartitionId(3));
  CHECK(out.id == 40);
  CHECK(out.life == 50);
  CHECK(out.route == 60);
  CHECK(out.index == 70);
  CHECK(out.command.user() == "a user");
}

TEST_CASE("Peer frames: each goes to whom it concerns, and what names nobody goes nowhere") {
  constexpr std::uint16_t kPartitions = 4;
  peer::Frame frame = peers::ask(0, {NodeId(2), PartitionId(3), 1, 1, 1, 1, {}});
  CHECK(std::get<PartitionId>(peers::destination(frame, kPartitions).value()) == PartitionId(3));
  CHECK_FALSE(peers::destination(frame, 3).has_value());

  frame = peers::answer(7, 1, 1, {});
  CHECK(std::get<peers::OneWorker>(peers::destination(frame, kPartitions).value()).worker == 7);

  const UserId user = *UserId::from_bytes("0123456789abcdef");
  peers::fill(*frame.mutable_detach(), user, {});
  CHECK(std::get<PartitionId>(peers::destination(frame, kPartitions).value()) == partition_of(user, kPartitions));
  frame.mutable_detach()->set_user("too short");
  CHECK_FALSE(peers::destination(frame, kPartitions).has_value());

  frame.mutable_deliver();
  CHECK(std::holds_alternative<peers::AllWorkers>(peers::destination(frame, kPartitions).value()));
  frame.mutable_handoff()->set_partition(kPartitions);
  CHECK_FALSE(peers::destination(frame, kPartitions).has_value());
  frame.mutable_handoff()->set_partition(kPartitions - 1);
  CHECK(std::holds_alternative<peers::ClusterItself>(peers::destination(frame, kPartitions).value()));
  frame.mutable_beat();
  CHECK(std::holds_alternative<peers::ClusterItself>(peers::destination(frame, kPartitions).value()));
}

}  // namespace
}  // namespace holdfast

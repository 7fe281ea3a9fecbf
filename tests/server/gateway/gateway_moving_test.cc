// A gateway among others: who hears of which nodes, and how one is left.
#include <set>

#include "door.h"

using namespace holdfast;
using namespace holdfast::gateway;
using namespace std::chrono_literals;

namespace {

std::vector<NodeEndpoint> three_nodes() {
  return {{NodeId(1), "one:7400", 1}, {NodeId(2), "two:7400", 1}, {NodeId(3), "three:7400", 1}};
}

UserId user(std::uint8_t n) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[1] = bytes[15] = n;
  return UserId(bytes);
}

struct Crowd {
  Crowd(Door& door, std::uint8_t count) {
    for (std::uint8_t n = 0; n < count; ++n) {
      clients.push_back(door.connect());
      door.log_in(*clients.back(), user(n));
    }
  }
  /// How many have got a frame of this kind.
  std::size_t told(v1::ServerFrame::ContentCase what) {
    std::size_t count = 0;
    for (auto& client : clients) {
      for (const auto& frame : client->frames()) count += frame.content_case() == what;
    }
    return count;
  }
  std::vector<std::unique_ptr<RawClient>> clients;
};

/// The loop's work is done: what was to be written stands in the sockets.
void settle(Door& door) {
  for (int i = 0; i < 20; ++i) {
    door.context.restart();
    door.context.poll();
  }
}

}  // namespace

TEST_CASE("Gateway: a resume is answered with the session's three endpoints") {
  Door door;
  door.gateway->set_nodes(three_nodes(), NodeId(1));
  auto client = door.connect();
  door.log_in(*client, user(1));
  const auto session = client->frames()[1].session();
  REQUIRE(session.endpoints_size() == 3);
  std::set<std::string> all;
  for (const auto& one : session.endpoints()) all.insert(one.address());
  CHECK(all == std::set<std::string>{"one:7400", "two:7400", "three:7400"});
}

TEST_CASE("Gateway: a change of nodes is told to live sessions over seconds, not at once") {
  Door door;
  door.gateway->set_nodes(three_nodes(), NodeId(1));
  Crowd crowd(door, 30);
  auto nodes = three_nodes();
  nodes.pop_back();
  door.gateway->set_nodes(nodes, NodeId(1));
  door.tick_after(100ms);
  settle(door);
  CHECK(crowd.told(v1::ServerFrame::kEndpoints) <= 3);
  for (int i = 0; i < 30; ++i) door.tick_after(100ms);
  settle(door);
  CHECK(crowd.told(v1::ServerFrame::kEndpoints) == 30);
}

TEST_CASE("Gateway: a single node tells nobody of endpoints") {
  Door door;
  Crowd crowd(door, 2);
  CHECK(crowd.clients[0]->frames()[1].session().endpoints_size() == 0);
  door.gateway->set_nodes({}, NodeId(1));
  for (int i = 0; i < 40; ++i) door.tick_after(100ms);
  settle(door);
  CHECK(crowd.told(v1::ServerFrame::kEndpoints) == 0);
}

TEST_CASE("Gateway: a drain tells so many a second to move, never to itself, and serves them until they go") {
  Door door;
  door.gateway->set_nodes(three_nodes(), NodeId(1));
  Crowd crowd(door, 20);
  DrainOptions options;
  options.deadline = 60s;
  options.sessions_per_s = 10;
  options.delay_max = 500ms;
  door.gateway->drain(options, [&] { door.empty = true; });
  settle(door);
  CHECK(crowd.told(v1::ServerFrame::kMove) == 1);
  for (int i = 0; i < 10; ++i) door.tick_after(100ms);
  settle(door);
  CHECK(crowd.told(v1::ServerFrame::kMove) >= 10);
  CHECK(crowd.told(v1::ServerFrame::kMove) <= 11);
  for (int i = 0; i < 10; ++i) door.tick_after(100ms);
  settle(door);
  CHECK(crowd.told(v1::ServerFrame::kMove) == 20);
  CHECK(crowd.told(v1::ServerFrame::kGoodbye) == 0);
  for (auto& client : crowd.clients) {
    const auto move = client->frames().back().move();
    REQUIRE(move.targets_size() == 2);
    CHECK(move.delay_ms() <= 500);
    for (const auto& target : move.targets()) CHECK(target.address() != "one:7400");
    client->send(ping_frame(9));
  }
  settle(door);
  CHECK(crowd.told(v1::ServerFrame::kPong) == 20);
  for (auto& client : crowd.clients) client->close();
  door.pump([&] {
    door.gateway->tick(door.now);
    return door.empty;
  });
}

TEST_CASE("Gateway: while it stands aside whoever comes is told to move, in waves, and who stays gets good-bye") {
  Door door;
  door.gateway->set_nodes(three_nodes(), NodeId(1));
  Crowd crowd(door, 10);
  door.gateway->stand_aside(true);
  for (int i = 0; i < 4; ++i) door.tick_after(100ms);
  settle(door);
  CHECK(crowd.told(v1::ServerFrame::kMove) == 10);
  Crowd later(door, 2);
  for (int i = 0; i < 2; ++i) door.tick_after(100ms);
  settle(door);
  CHECK(later.told(v1::ServerFrame::kMove) == 2);
  for (auto& client : later.clients) {
    const auto move = client->frames().back().move();
    for (const auto& target : move.targets()) CHECK(target.address() != "one:7400");
  }
  for (int i = 0; i < 10; ++i) door.tick_after(100ms);
  settle(door);
  CHECK(crowd.told(v1::ServerFrame::kGoodbye) == 10);
  door.gateway->stand_aside(false);
  Crowd last(door, 2);
  for (int i = 0; i < 10; ++i) door.tick_after(100ms);
  settle(door);
  CHECK(last.told(v1::ServerFrame::kMove) == 0);
}

TEST_CASE("Gateway: who does not move in time gets good-bye, without a wait") {
  Door door;
  door.gateway->set_nodes(three_nodes(), NodeId(1));
  Crowd crowd(door, 1);
  DrainOptions options;
  options.deadline = 60s;
  options.delay_max = 0ms;
  options.leave_after = 5s;
  door.gateway->drain(options, [&] { door.empty = true; });
  door.tick_after(4'900ms);
  settle(door);
  CHECK(crowd.told(v1::ServerFrame::kGoodbye) == 0);
  door.tick_after(100ms);
  door.until_ended(*crowd.clients[0]);
  CHECK(crowd.clients[0]->frames().back().goodbye().retry_after_ms() == 0);
}

TEST_CASE("Gateway: a drain with too little time for its waves says good-bye to the rest before its end") {
  Door door;
  door.gateway->set_nodes(three_nodes(), NodeId(1));
  Crowd crowd(door, 10);
  DrainOptions options;
  options.deadline = 4s;
  options.sessions_per_s = 1;
  door.gateway->drain(options, [&] { door.empty = true; });
  door.tick_after(1'900ms);
  settle(door);
  CHECK(crowd.told(v1::ServerFrame::kGoodbye) == 0);
  door.tick_after(100ms);
  for (auto& client : crowd.clients) door.until_ended(*client);
  CHECK(crowd.told(v1::ServerFrame::kGoodbye) == 10);
}

TEST_CASE("Gateway: after a change of primary the sessions of that partition, and no others, register anew") {
  Door door;
  Crowd crowd(door, 8);
  REQUIRE(door.attachments.attached.size() == 8);
  door.gateway->reattach(partition_of(user(1), 4));
  REQUIRE(door.attachments.attached.size() == 10);  // users 1 and 5 of four partitions
  CHECK(door.attachments.attached[8].user == user(1));
  CHECK(door.attachments.attached[9].user == user(5));
  v1::ServerFrame push;
  push.mutable_inbox()->add_items()->set_position(3);
  const auto to = door.attachments.attached[8].connection;
  door.gateway->deliver({chat::DeliverInbox{door.attachments.attached[1].connection, push.SerializeAsString(), 3},
                         chat::DeliverInbox{to, push.SerializeAsString(), 3}});
  settle(door);
  CHECK(crowd.told(v1::ServerFrame::kInbox) == 1);
}

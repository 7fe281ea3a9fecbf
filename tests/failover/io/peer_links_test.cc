#include "failover/io/peer_links.h"

#include <thread>

#include "tests/failover/io/peer_world.h"

namespace holdfast::failover {
namespace {

using namespace testing;

/// Both dial each other, and both links are up.
void connect(Node& one, std::uint32_t first, Node& other, std::uint32_t second) {
  one.dial({{second, other.address()}});
  other.dial({{first, one.address()}});
  REQUIRE(one.sees("up " + std::to_string(second) + " a"));
  REQUIRE(other.sees("up " + std::to_string(first) + " a"));
}

TEST_CASE("PeerLinks: what is sent arrives in order, in both directions") {
  World world;
  Node one(world, 1);
  Node two(world, 2);
  connect(one, 1, two, 2);
  constexpr std::uint64_t kFrames = 5'000;
  for (std::uint64_t i = 0; i < kFrames; ++i) {
    REQUIRE(one.links().send(NodeId(2), answer_frame(i)));
    REQUIRE(two.links().send(NodeId(1), answer_frame(i).SerializeAsString()));
  }
  REQUIRE(world.until([&] { return one.frames.size() == kFrames && two.frames.size() == kFrames; }));
  for (std::uint64_t i = 0; i < kFrames; ++i) {
    REQUIRE(two.frames[i].first == NodeId(1));
    REQUIRE(two.frames[i].second->answer().id() == i);
    REQUIRE(one.frames[i].second->answer().id() == i);
  }
  const auto out = one.figures_of(2);
  const auto in = two.figures_of(1);
  REQUIRE(out.up);
  REQUIRE(out.frames_out == kFrames);
  REQUIRE(in.frames_in == kFrames);
  REQUIRE(out.bytes_out == in.bytes_in);
  REQUIRE(out.dropped == 0);
  REQUIRE(out.queued_bytes == 0);
}

TEST_CASE("PeerLinks: frames from another thread keep their order, and a frame may have eight megabytes") {
  World world;
  Node one(world, 1);
  Node two(world, 2);
  connect(one, 1, two, 2);
  constexpr std::uint64_t kFrames = 20'000;
  bool all_taken = true;
  std::thread sender([&one, &all_taken] {
    for (std::uint64_t i = 0; i < kFrames; ++i) all_taken = one.links().send(NodeId(2), answer_frame(i)) && all_taken;
  });
  CHECK(world.until([&] { return two.frames.size() == kFrames; }));
  sender.join();
  REQUIRE(all_taken);
  for (std::uint64_t i = 0; i < kFrames; ++i) REQUIRE(two.frames[i].second->answer().id() == i);
  auto large = bulk_frame(kPeerFrameBytesMax - 100);
  REQUIRE(one.links().send(NodeId(2), large));
  REQUIRE(world.until([&] { return two.frames.size() == kFrames + 1; }));
  REQUIRE((two.frames.back().second->SerializeAsString() == large.SerializeAsString()));
}

TEST_CASE("PeerLinks: a frame on an idle link leaves in the same turn") {
  World world;
  Node one(world, 1);
  RawPeer two(world);
  one.dial({{2, two.address()}});
  auto raw = two.greet(hello_of(2));
  REQUIRE(one.sees("up 2 a"));
  world.settle();
  REQUIRE(one.links().send(NodeId(2), answer_frame(7)));
  world.settle();
  raw.read();
  REQUIRE(raw.frames.size() == 1);
  REQUIRE(raw.frames[0]->answer().id() == 7);
}

TEST_CASE("PeerLinks: without a link nothing is taken, and that is counted") {
  World world;
  Node one(world, 1);
  REQUIRE_FALSE(one.links().send(NodeId(2), answer_frame(1)));
  Node two(world, 2);
  const auto address = two.address();
  two.end();
  one.dial({{2, address}});
  REQUIRE(one.sees("down 2 refused"));
  REQUIRE_FALSE(one.links().send(NodeId(2), answer_frame(1)));
  REQUIRE(one.figures_of(2).dropped == 1);
}

TEST_CASE("PeerLinks: a link that was cut is up again, and order holds on the new one") {
  World world;
  Node one(world, 1);
  Node two(world, 2);
  connect(one, 1, two, 2);
  two.dial({});  // hangs up on who is not its peer
  REQUIRE(one.sees("down 2 closed"));
  REQUIRE(world.until([&] { return one.count("up 2 a") == 2; }));
  REQUIRE(one.links().send(NodeId(2), answer_frame(1)));
  REQUIRE(one.links().send(NodeId(2), answer_frame(2)));
  REQUIRE(world.until([&] { return two.frames.size() == 2; }));
  REQUIRE(two.frames[1].second->answer().id() == 2);
  REQUIRE(one.figures_of(2).losses == 1);
}

TEST_CASE("PeerLinks: a process that is gone is refused at once, and its next life is told by its boot id") {
  World world;
  Node one(world, 1);
  auto two = std::make_unique<Node>(world, 2);
  const auto port = two->port();
  connect(one, 1, *two, 2);
  two.reset();
  REQUIRE(one.sees("down 2 closed"));
  REQUIRE(one.sees("down 2 refused"));
  REQUIRE(one.count("down 2 closed") == 1);
  Node again(world, 2, 'b', [port](PeerLinksOptions& options) { options.listen.port = port; });
  REQUIRE(one.sees("up 2 b"));
  again.dial({{1, one.address()}});
  REQUIRE(again.sees("up 1 a"));
  REQUIRE(again.links().send(NodeId(1), answer_frame(9)));
  REQUIRE(world.until([&] { return one.frames.size() == 1; }));
}

StoreId store(char with) { return *StoreId::from_bytes(sixteen(with)); }

peer::Hello wiped(char boot, char with) {
  auto hello = hello_of(2, boot);
  hello.set_store_id(sixteen(with));
  return hello;
}

TEST_CASE("PeerLinks: a frame is of the disk that greeted on its connection, whichever was met since (I12)") {
  World world;
  Node one(world, 1);
  RawPeer two(world);
  auto old = Raw::to(world, one.port());
  old.write_hello(wiped('a', 'x'));
  REQUIRE(old.gets_frames(world, 1));
  one.dial({{2, two.address()}});
  auto first = two.greet(wiped('a', 'y'));  // as if the disk had been replaced under the process
  REQUIRE(one.sees("up 2 a"));
  old.write(answer_frame(100));
  REQUIRE(world.until([&] { return one.frames.size() == 1; }));
  CHECK(one.stores[0] == store('x'));
}

TEST_CASE("PeerLinks: when a node's next life answers, the last one's connection is closed unread (I12)") {
  World world;
  Node one(world, 1);
  RawPeer two(world);
  auto old = Raw::to(world, one.port());
  old.write_hello(wiped('a', 'x'));
  REQUIRE(old.gets_frames(world, 1));
  one.on_up_also = [&old] { old.write(answer_frame(100)); };  // what a cut held back comes now
  one.dial({{2, two.address()}});
  auto next = two.greet(wiped('b', 'y'));
  REQUIRE(one.sees("up 2 b"));
  REQUIRE(old.ends(world));
  REQUIRE(one.frames.empty());
  auto ours = Raw::to(world, one.port());
  ours.write_hello(wiped('b', 'y'));
  REQUIRE(ours.gets_frames(world, 1));
  ours.write(answer_frame(1));
  REQUIRE(world.until([&] { return one.frames.size() == 1; }));
  CHECK(one.stores[0] == store('y'));
}

TEST_CASE("PeerLinks: who is dialled by a peer does not wait to dial it again") {
  World world;
  Node early(world, 2);
  const auto port = early.port();
  early.end();
  Node one(world, 1, 'a', [](PeerLinksOptions& options) { options.backoff_min = options.backoff_max = 60s; });
  one.dial({{2, {"127.0.0.1", port}}});
  REQUIRE(one.sees("down 2 refused"));
  Node two(world, 2, 'b', [port](PeerLinksOptions& options) { options.listen.port = port; });
  two.dial({{1, one.address()}});
  REQUIRE(one.sees("up 2 b"));
}

TEST_CASE("PeerLinks: the end of an incoming connection alone changes nothing") {
  World world;
  Node one(world, 1);
  RawPeer two(world);
  one.dial({{2, two.address()}});
  auto theirs = two.greet(hello_of(2));
  REQUIRE(one.sees("up 2 a"));
  {
    auto ours = Raw::to(world, one.port());
    ours.write_hello(hello_of(2));
    REQUIRE(ours.gets_frames(world, 1));
    REQUIRE(ours.frames[0]->has_hello());
    ours.write(answer_frame(1));
    REQUIRE(world.until([&] { return one.frames.size() == 1; }));
  }
  world.settle();
  REQUIRE(one.links().send(NodeId(2), answer_frame(2)));
  REQUIRE(theirs.gets_frames(world, 1));
  REQUIRE(one.events == std::vector<std::string>{"up 2 a"});
}

TEST_CASE("PeerLinks: who accepts and says nothing has timed out") {
  World world;
  RawPeer frozen(world);  // the kernel accepts for it
  Node one(world, 1, 'a', [](PeerLinksOptions& options) { options.handshake_max = 20ms; });
  one.dial({{2, frozen.address()}});
  REQUIRE(one.sees("down 2 timed_out"));
}

TEST_CASE("PeerLinks: a changed address is dialled, a removed node is hung up on and not reported") {
  World world;
  Node one(world, 1);
  Node two(world, 2);
  Node moved(world, 2, 'b');
  one.dial({{2, two.address()}});
  REQUIRE(one.sees("up 2 a"));
  REQUIRE(one.links().send(NodeId(2), answer_frame(1)));
  one.dial({{2, moved.address()}});
  REQUIRE_FALSE(one.links().send(NodeId(2), answer_frame(2)));
  REQUIRE(one.sees("up 2 b"));
  REQUIRE(one.links().send(NodeId(2), answer_frame(3)));
  REQUIRE(world.until([&] { return moved.frames.size() == 1; }));
  one.dial({});
  world.settle();
  REQUIRE_FALSE(one.links().send(NodeId(2), answer_frame(4)));
  REQUIRE(one.events == std::vector<std::string>{"up 2 a", "up 2 b"});
}

TEST_CASE("PeerLinks: a handler may hang up on the node it is told of") {
  World world;
  Node one(world, 1);
  Node two(world, 2);
  one.on_up_also = [&one] { one.dial({}); };
  one.dial({{2, two.address()}});
  REQUIRE(one.sees("up 2 a"));
  world.settle();
  REQUIRE_FALSE(one.figures_of(2).up);
}

TEST_CASE("PeerLinks: a peer that reads nothing is cut off at the bound, and no sender ever waits") {
  World world;
  constexpr std::size_t kBound = 4 * 1024 * 1024;
  Node one(world, 1, 'a', [](PeerLinksOptions& options) { options.queue_bytes_max = kBound; });
  RawPeer two(world);
  one.dial({{2, two.address()}});
  auto raw = two.greet(hello_of(2));
  REQUIRE(one.sees("up 2 a"));
  const auto frame = bulk_frame(100'000);
  int taken = 0;
  while (one.links().send(NodeId(2), frame)) {
    ++taken;
    REQUIRE(one.figures_of(2).queued_bytes <= kBound);
    world.settle();
    REQUIRE(taken < 1'000);
  }
  REQUIRE(one.sees("down 2 closed"));
  REQUIRE(one.figures_of(2).overflows == 1);
  REQUIRE(one.figures_of(2).queued_bytes == 0);
  REQUIRE(one.figures_of(2).dropped > 1);
  auto next = two.greet(hello_of(2));
  REQUIRE(world.until([&] { return one.count("up 2 a") == 2; }));
  REQUIRE(one.links().send(NodeId(2), answer_frame(5)));
  REQUIRE(next.gets_frames(world, 1));
  REQUIRE(next.frames[0]->answer().id() == 5);
}

TEST_CASE("PeerLinks: a beat overtakes the megabytes before it") {
  World world;
  Node one(world, 1);
  RawPeer two(world);
  one.dial({{2, two.address()}});
  auto raw = two.greet(hello_of(2));
  REQUIRE(one.sees("up 2 a"));
  constexpr std::size_t kBulk = 300;
  for (std::size_t i = 0; i < kBulk; ++i) REQUIRE(one.links().send(NodeId(2), bulk_frame(100'000)));
  world.settle();  // the kernel is full
  REQUIRE(one.figures_of(2).queued_bytes > 10'000'000);
  REQUIRE(one.links().send(NodeId(2), beat_frame(1)));
  REQUIRE(raw.gets_frames(world, kBulk + 1));
  std::size_t at = 0;
  while (!raw.frames[at]->has_beat()) ++at;
  REQUIRE(at < kBulk * 2 / 3);
}

TEST_CASE("PeerLinks: close() writes what is queued") {
  World world;
  Node one(world, 1);
  Node two(world, 2);
  one.dial({{2, two.address()}});
  REQUIRE(one.sees("up 2 a"));
  for (int i = 0; i < 20; ++i) REQUIRE(one.links().send(NodeId(2), bulk_frame(1'000'000)));
  one.end();
  REQUIRE(world.until([&] { return two.frames.size() == 20; }));
}

}  // namespace
}  // namespace holdfast::failover

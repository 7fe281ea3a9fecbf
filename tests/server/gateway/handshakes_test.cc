#include "server/gateway/handshakes.h"

#include <boost/asio/post.hpp>

#include "door.h"
#include "tests/net/loop.h"

using namespace holdfast;
using namespace holdfast::gateway;
using namespace std::chrono_literals;
using holdfast::testing::Certified;

namespace {

using Turn = Handshakes::Turn;

Awaitable<void> take_turn(Handshakes& handshakes, int number, std::vector<std::pair<int, Turn>>& taken) {
  const Turn turn = co_await handshakes.turn();
  taken.emplace_back(number, turn);
}

Awaitable<void> shake(Door& door, const TlsContext& tls, int& good, int& ended) {
  tcp::socket socket(door.context);
  socket.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), door.port));
  Stream stream(std::move(socket));
  CHECK(stream.start_tls_client(tls, "localhost"));
  const auto error = co_await stream.handshake();
  if (!error) ++good;
  ++ended;
}

}  // namespace

TEST_CASE("Handshakes: each has its turn, first come first served, a few at once, and others go in between") {
  holdfast::testing::Loop loop;
  const auto handshakes = std::make_shared<Handshakes>(loop.context().get_executor(), 100);
  std::vector<std::pair<int, Turn>> taken;
  for (int i = 0; i < 20; ++i) loop.spawn(take_turn(*handshakes, i, taken));
  std::vector<std::size_t> seen;  // turns taken, each time that somebody else is served
  std::function<void()> other = [&] {
    seen.push_back(taken.size());
    if (taken.size() < 20) boost::asio::post(loop.context(), other);
  };
  boost::asio::post(loop.context(), other);
  loop.run();
  REQUIRE(taken.size() == 20);
  for (int i = 0; i < 20; ++i) CHECK(taken[static_cast<std::size_t>(i)] == std::pair(i, Turn::yes));
  for (std::size_t i = 1; i < seen.size(); ++i) CHECK(seen[i] - seen[i - 1] <= 4);
  CHECK(handshakes->waiting() == 0);
}

TEST_CASE("Handshakes: who comes when too many wait is told at once, and a place that is free again is given") {
  holdfast::testing::Loop loop;
  const auto handshakes = std::make_shared<Handshakes>(loop.context().get_executor(), 3);
  std::vector<std::pair<int, Turn>> taken;
  for (int i = 0; i < 5; ++i) loop.spawn(take_turn(*handshakes, i, taken));
  loop.run();
  REQUIRE(taken.size() == 5);
  CHECK(taken[0] == std::pair(3, Turn::full));
  CHECK(taken[1] == std::pair(4, Turn::full));
  taken.clear();
  loop.spawn(take_turn(*handshakes, 6, taken));
  loop.run();
  CHECK(taken.front() == std::pair(6, Turn::yes));
}

TEST_CASE("Handshakes: who is cancelled while waiting gives the place back") {
  boost::asio::io_context context;
  const auto handshakes = std::make_shared<Handshakes>(context.get_executor(), 20);
  std::vector<std::pair<int, Turn>> taken;
  TaskGroup tasks(context.get_executor());
  for (int i = 0; i < 20; ++i) tasks.spawn("test", take_turn(*handshakes, i, taken));
  while (handshakes->waiting() < 20) context.run_one();
  tasks.cancel();
  context.run();
  CHECK(handshakes->waiting() == 0);
  const auto cancelled = std::count_if(taken.begin(), taken.end(), [](auto& t) { return t.second == Turn::cancelled; });
  CHECK(taken.size() == 20);
  CHECK(cancelled >= 1);
}

TEST_CASE("Gateway: a crowd beyond the bound is closed before its handshakes cost anything, and counted") {
  Certified certified;
  GatewayOptions options;
  options.handshakes_waiting_max = 1;
  Door door(options, certified.server);
  int good = 0, ended = 0;
  TaskGroup clients(door.context.get_executor());
  for (int i = 0; i < 8; ++i) clients.spawn("client", shake(door, certified.client, good, ended));
  door.pump([&] { return ended == 8 && clients.size() == 0; });
  const auto figures = door.figures();
  CHECK(figures.refused_busy >= 1);
  CHECK(good >= 1);
  CHECK(figures.handshakes_anew + figures.handshakes_resumed + figures.refused_busy == 8);
  CHECK(figures.handshakes_waiting == 0);
}

TEST_CASE("Gateway: who stops half-way in a first TLS message keeps no other waiting") {
  Certified certified;
  GatewayOptions options;
  options.handshakes_waiting_max = 1;
  Door door(options, certified.server);
  auto stopped = door.connect();
  stopped->send(std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
  door.pump([&] { return door.figures().connections == 1; });
  CHECK(door.figures().handshakes_waiting == 0);
  int good = 0, ended = 0;
  TaskGroup clients(door.context.get_executor());
  clients.spawn("client", shake(door, certified.client, good, ended));
  door.pump([&] { return ended == 1 && clients.size() == 0; });
  CHECK(good == 1);
  door.tick_after(11s);
  door.until_ended(*stopped);
  CHECK(door.figures().refused_stopped == 1);
}

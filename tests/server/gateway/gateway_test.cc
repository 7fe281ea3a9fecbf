#include "server/gateway/gateway.h"

#include <ifaddrs.h>
#include <net/if.h>

#include "door.h"

using namespace holdfast;
using namespace holdfast::gateway;
using namespace std::chrono_literals;

namespace {

UserId some_user() {
  SeededRandom random(3);
  return random.id<UserId>();
}

std::string framed(const v1::ClientFrame& frame) {
  std::string bytes;
  append_frame(bytes, frame);
  return bytes;
}

/// The server's connection, as deliveries name it.
chat::ConnectionRef last_attached(const Door& door) {
  REQUIRE(!door.attachments.attached.empty());
  return door.attachments.attached.back().connection;
}

std::string push_of(std::size_t bytes) {
  v1::ServerFrame frame;
  frame.mutable_inbox()->add_items()->mutable_change()->mutable_posted()->set_body(std::string(bytes, 'x'));
  return frame.SerializeAsString();
}

/// An IPv4 address of this machine that is not loopback; 0 if it has none.
in_addr_t outward_address() {
  ifaddrs* all = nullptr;
  REQUIRE(getifaddrs(&all) == 0);
  in_addr_t found = 0;
  for (auto* one = all; one && !found; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_LOOPBACK)) continue;
    found = reinterpret_cast<sockaddr_in*>(one->ifa_addr)->sin_addr.s_addr;
  }
  freeifaddrs(all);
  return found;
}

}  // namespace

TEST_CASE("Gateway: frames are answered in order, however their bytes arrive") {
  Door door;
  auto client = door.connect();
  std::string bytes = framed(hello_frame());
  for (std::uint64_t id = 2; id <= 20; ++id) bytes += framed(ping_frame(id));
  for (char byte : bytes) {
    REQUIRE(client->send(std::string_view(&byte, 1)) == 1);
    door.context.poll();
    door.context.restart();
  }
  const auto frames = door.frames(*client, 20);
  for (std::uint64_t id = 1; id <= 20; ++id) CHECK(frames[id - 1].request_id() == id);
  CHECK(door.figures().connections_plain == 1);
}

TEST_CASE("Gateway: what one turn brings leaves in few writes") {
  Door door;
  auto client = door.connect();
  std::string bytes = framed(hello_frame());
  for (std::uint64_t id = 2; id <= 201; ++id) bytes += framed(ping_frame(id));
  REQUIRE(client->send(bytes) == bytes.size());
  CHECK(door.frames(*client, 201).size() == 201);
  CHECK(door.figures().frames_out == 201);
  CHECK(door.figures().writes <= 3);
}

TEST_CASE("Gateway: garbage before anything else is closed without an answer, and hurts nobody") {
  Door door;
  auto other = door.connect();
  other->send(hello_frame());
  door.frames(*other, 1);
  auto client = door.connect();
  client->send(std::string_view("SSH-2.0-OpenSSH_9.2\r\n"));
  door.until_ended(*client);
  CHECK(client->received.empty());
  CHECK(door.figures().refused_garbage == 1);
  other->send(ping_frame(9));
  CHECK(door.frames(*other, 2)[1].has_pong());
}

TEST_CASE("Gateway: an oversized frame is told TOO_LARGE before it was sent, and closed") {
  Door door;
  auto client = door.connect();
  client->send(hello_frame());
  door.frames(*client, 1);
  client->send(std::string_view("\x7f\xff\xff\xff", 4));
  door.until_ended(*client);
  CHECK(client->frames().back().error().code() == v1::TOO_LARGE);
}

TEST_CASE("Gateway: bytes that are no Protobuf are told INVALID_ARGUMENT, also with more behind them") {
  Door door;
  auto client = door.connect();
  client->send(hello_frame());
  door.frames(*client, 1);
  std::string bytes;
  append_frame(bytes, std::string_view("\xff\xff\xff"));
  CHECK(client->send(bytes + std::string(200'000, 'x')) > 100'000);  // more than one read takes
  door.until_ended(*client);
  CHECK_FALSE(client->reset);
  CHECK(client->frames().back().error().code() == v1::INVALID_ARGUMENT);
}

TEST_CASE("Gateway: a stopped handshake is closed after ten seconds, at whatever byte it stops") {
  const std::string tls_hello("\x16\x03\x01\x02\x00\x01", 6);
  for (const std::string& begun :
       {std::string(), framed(hello_frame()).substr(0, 2), framed(hello_frame()).substr(0, 9), std::string("GE"),
        std::string("GET / HTTP/1.1\r\n"), tls_hello}) {
    INFO("begun: " << begun.size() << " bytes");
    Door door;
    auto client = door.connect();
    if (!begun.empty()) client->send(std::string_view(begun));
    door.pump([&] { return door.admission.connections() == 1 || door.figures().refused_tls == 1; });
    if (begun.substr(0, 4) == "GET ") continue;  // has a timer of its own: WebSocketOptions::handshake_max
    if (door.figures().connections == 1) {
      door.tick_after(9'999ms);
      client->receive();
      CHECK_FALSE(client->ended);
      door.tick_after(1ms);
    }
    door.until_ended(*client);
    client->close();
    door.pump([&] { return door.figures().connections == 0; });
  }
}

TEST_CASE("Gateway: beyond the limit connections are told RETRY and closed; a place is given back") {
  Door door({}, std::nullopt, 2);
  auto first = door.connect();
  auto second = door.connect();
  for (auto* client : {first.get(), second.get()}) {
    client->send(hello_frame());
    door.frames(*client, 1);
  }
  auto third = door.connect();
  door.until_ended(*third);
  REQUIRE(third->frames().size() == 1);
  CHECK(third->frames()[0].error().code() == v1::RETRY);
  CHECK(third->frames()[0].error().retry_after_ms() == 0);  // nobody knows when there will be room
  CHECK(door.figures().refused_full == 1);
  first->close();
  door.pump([&] { return door.admission.connections() == 1; });
  auto fourth = door.connect();
  fourth->send(hello_frame());
  CHECK(door.frames(*fourth, 1)[0].has_hello());
}

TEST_CASE("Gateway: a client that does not read is paused, then dropped, and others go on") {
  GatewayOptions options;
  options.session.connection = {1'000'000'000, 1'000'000'000, 1'000'000'000};
  Door door(options);
  auto slow = door.connect();
  slow->send(hello_frame());
  auto other = door.connect();
  other->send(hello_frame());
  door.frames(*other, 1);
  // Pings until neither side moves any more: the answers are stuck, so nothing more is read.
  std::string pings;
  for (std::uint64_t id = 2; id < 2'000; ++id) pings += framed(ping_frame(id));
  const auto moves = [&] {
    const auto before = door.figures().frames_in;
    const auto sent = slow->send(std::string_view(pings));
    for (int turns = 0; turns < 50; ++turns) {
      door.context.restart();
      door.context.poll();
    }
    return sent > 0 || door.figures().frames_in > before;
  };
  for (int rounds = 0; moves(); ++rounds) REQUIRE(rounds < 20'000);
  door.tick_after(29s);
  CHECK(door.figures().dropped_slow == 0);
  other->send(ping_frame(5));
  CHECK(door.frames(*other, 2)[1].has_pong());
  door.tick_after(1s);
  CHECK(door.figures().dropped_slow == 1);
  other->send(ping_frame(6));
  CHECK(door.frames(*other, 3)[2].has_pong());
}

TEST_CASE("Gateway: deliveries reach their connection, and credit comes back when they were taken") {
  Door door;
  auto client = door.connect();
  door.log_in(*client, some_user());
  const auto to = last_attached(door);
  CHECK(to.worker == 3);
  const auto push = push_of(50'000);
  std::vector<chat::Delivery> deliveries;
  deliveries.emplace_back(chat::DeliverInbox{to, push, 1});
  deliveries.emplace_back(chat::DeliverInbox{to, push, 2});
  deliveries.emplace_back(chat::DeliverInbox{{3, to.connection + 1'000}, push, 1});  // nobody
  door.gateway->deliver(std::move(deliveries));
  const auto frames = door.frames(*client, 4);
  CHECK(frames[2].has_inbox());
  CHECK(frames[3].has_inbox());
  CHECK(door.attachments.credit == 2 * push.size());
  CHECK(door.figures().sessions == 1);
}

TEST_CASE("Gateway: an ended session hears why, then the connection closes") {
  Door door;
  auto client = door.connect();
  door.log_in(*client, some_user());
  std::vector<chat::Delivery> deliveries;
  deliveries.emplace_back(chat::EndConnection{last_attached(door), v1::SESSION_ENDED, "revoked"});
  door.gateway->deliver(std::move(deliveries));
  door.until_ended(*client);
  CHECK(client->frames().back().session_ended().reason() == "revoked");
  client->close();
  door.pump([&] { return door.figures().connections == 0; });
  CHECK(door.attachments.detached.size() == 1);
}

TEST_CASE("Gateway: an answer for a connection that is gone finds nobody, harmlessly") {
  Door door;
  auto client = door.connect();
  door.log_in(*client, some_user());
  v1::ClientFrame ack;
  ack.set_request_id(3);
  ack.mutable_ack_inbox()->set_position(1);
  client->send(ack);
  door.pump([&] { return !door.backend.asked.empty(); });
  client->close();
  door.pump([&] { return door.figures().connections == 0; });
  door.backend.asked.front().then(command::Answer());
  CHECK(door.attachments.detached.size() == 1);
}

TEST_CASE("Gateway: what was read while the session could not take it is taken later, in order") {
  GatewayOptions options;
  options.session.requests_max = 16;
  Door door(options);
  auto client = door.connect();
  door.log_in(*client, some_user());
  std::string bytes;
  for (std::uint64_t id = 10; id < 510; ++id) {
    v1::ClientFrame ack;
    ack.set_request_id(id);
    ack.mutable_ack_inbox()->set_position(id);
    bytes += framed(ack);
  }
  client->send(std::string_view(bytes));
  std::uint64_t expected = 10;
  door.pump([&] {
    CHECK(door.backend.asked.size() <= 16);
    while (!door.backend.asked.empty()) {
      auto asked = std::move(door.backend.asked.front());
      door.backend.asked.pop_front();
      REQUIRE(asked.command.request().ack_inbox().position() == expected);
      ++expected;
      command::Answer answer;
      answer.mutable_frame()->mutable_done();
      asked.then(std::move(answer));
    }
    return expected == 510;
  });
  CHECK(door.frames(*client, 502).back().request_id() == 509);
}

TEST_CASE("Gateway: commands of a silent partition wait for its word") {
  Door door;
  door.attachments.confirmed = door.now;
  auto client = door.connect();
  door.log_in(*client, some_user());
  door.tick_after(1s);
  client->send(ping_frame(3));
  door.pump([&] { return door.figures().held_back == 1; });
  CHECK(client->frames().size() == 2);
  door.attachments.confirmed = door.now;
  door.tick_after(100ms);
  CHECK(door.frames(*client, 3)[2].has_pong());
}

TEST_CASE("Gateway: a drain says good-bye and calls back when nobody is left") {
  Door door;
  auto client = door.connect();
  door.log_in(*client, some_user());
  door.drain(250ms, 10s);
  door.until_ended(*client);
  CHECK(client->frames().back().goodbye().reason() == "draining");
  CHECK(client->frames().back().goodbye().retry_after_ms() == 250);
  client->close();
  door.pump([&] { return door.figures().connections == 0; });
  door.pump([&] {
    door.gateway->tick(door.now);
    return door.empty;
  });
}

TEST_CASE("Gateway: at its deadline a drain closes who is still waiting for an answer") {
  Door door;
  auto client = door.connect();
  door.log_in(*client, some_user());
  v1::ClientFrame ack;
  ack.set_request_id(3);
  ack.mutable_ack_inbox()->set_position(1);
  client->send(ack);
  door.pump([&] { return !door.backend.asked.empty(); });
  door.drain(250ms, 10s);
  door.tick_after(9s);
  client->receive();
  CHECK_FALSE(client->ended);
  door.tick_after(1s);
  door.until_ended(*client);
  door.pump([&] {
    door.gateway->tick(door.now);
    return door.empty;
  });
}

TEST_CASE("Gateway: a connection that is silent for twice the keep-alive is told so and closed") {
  Door door;
  auto client = door.connect();
  door.log_in(*client, some_user());
  door.tick_after(119s);
  client->send(ping_frame(3));
  door.frames(*client, 3);
  door.tick_after(119s);
  client->receive();
  CHECK_FALSE(client->ended);
  door.tick_after(1s);
  door.until_ended(*client);
  CHECK(client->frames().back().goodbye().reason() == "idle");
  CHECK(door.figures().dropped_idle == 1);
}

TEST_CASE("Gateway: plain text from another address is told to use TLS, unless it is allowed") {
  const auto address = outward_address();
  if (address == 0) {
    WARN("this machine has no address but loopback");
    return;
  }
  for (const bool allowed : {false, true}) {
    GatewayOptions options;
    options.allow_plaintext = allowed;
    Door door(options);
    const auto bound = door.gateway->listen({"0.0.0.0", 0});
    REQUIRE(bound);
    auto client = door.connect(address, bound.value().port());
    client->send(hello_frame());
    const auto answer = door.frames(*client, 1)[0];
    CHECK(answer.has_hello() == allowed);
    CHECK(door.figures().refused_plaintext == (allowed ? 0 : 1));
    if (allowed) continue;
    CHECK(answer.error().code() == v1::UNSUPPORTED);
    door.until_ended(*client);
  }
}

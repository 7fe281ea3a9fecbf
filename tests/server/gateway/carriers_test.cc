/// The same conversation over everything that carries it: TLS, WebSocket, and both.
#include "door.h"
#include "net/websocket.h"
#include "tests/net/loop.h"

using namespace holdfast;
using namespace holdfast::gateway;
using namespace std::chrono_literals;
using holdfast::testing::Certified;

namespace {

struct Heard {
  std::vector<v1::ServerFrame> frames;
  std::string failure;
  bool done = false;
  std::uint16_t close_code = 0;
};

std::unique_ptr<Stream> stream_to(Door& door) {
  tcp::socket socket(door.context);
  socket.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), door.port));
  return std::make_unique<Stream>(std::move(socket));
}

Awaitable<bool> secure(Stream& stream, const TlsContext* tls, Heard& heard) {
  if (!tls) co_return true;
  if (!stream.start_tls_client(*tls, "localhost")) co_return false;
  const auto error = co_await stream.handshake();
  if (error) heard.failure = error.message();
  co_return !error;
}

/// Hello and a ping in one write; then reads until the server ends it, or both were answered.
Awaitable<void> talk_native(std::unique_ptr<Stream> stream, const TlsContext* tls, Heard& heard) {
  const bool secured = co_await secure(*stream, tls, heard);
  if (secured) {
    std::string bytes;
    append_frame(bytes, hello_frame());
    append_frame(bytes, ping_frame(2));
    const auto error = co_await stream->write_all(bytes);
    if (error) heard.failure = error.message();
  }
  FrameDecoder decoder;
  std::string buffer(4096, '\0');
  while (secured && heard.frames.size() < 2) {
    const std::span<char> room(buffer);
    const auto read = co_await stream->read_some(room);
    if (read.error) break;
    std::string_view input(buffer.data(), read.bytes);
    for (auto next = decoder.next(input); next && *next; next = decoder.next(input)) {
      heard.frames.emplace_back().ParseFromArray((*next)->data(), static_cast<int>((*next)->size()));
    }
  }
  heard.done = true;
}

/// The messages one after the other, then reads until the server closes or `enough` frames came.
Awaitable<void> talk_websocket(std::unique_ptr<Stream> stream, const TlsContext* tls, std::vector<std::string> messages,
                               std::size_t enough, Heard& heard) {
  const bool secured = co_await secure(*stream, tls, heard);
  if (!secured) {
    heard.done = true;
    co_return;
  }
  auto socket = co_await WebSocketConnection::connect(std::move(stream), "localhost", {});
  if (!socket) {
    heard.failure = socket.error().message;
    heard.done = true;
    co_return;
  }
  for (auto& message : messages) {
    const auto written = co_await (*socket)->write(std::move(message));
    if (!written) heard.failure = written.error().message;
  }
  while (heard.frames.size() < enough) {
    const auto message = co_await (*socket)->read();
    if (!message) break;
    heard.frames.emplace_back().ParseFromString(*message);
  }
  heard.close_code = (*socket)->peer_close_code();
  heard.done = true;
}

std::vector<std::string> hello_and_pings(std::uint64_t pings) {
  std::vector<std::string> messages{hello_frame().SerializeAsString()};
  for (std::uint64_t id = 2; id < 2 + pings; ++id) messages.push_back(ping_frame(id).SerializeAsString());
  return messages;
}

/// Runs `task` in a group beside the door until it is done.
void run(Door& door, const Heard& heard, Awaitable<void> task) {
  TaskGroup tasks(door.context.get_executor());
  tasks.spawn("client", std::move(task));
  door.pump([&] { return heard.done; });
  door.pump([&] { return tasks.size() == 0; });
}

/// A WebSocket message of a client (RFC 6455, 5.2), under the mask 0.
std::string masked(const v1::ClientFrame& frame) {
  const std::string bytes = frame.SerializeAsString();
  REQUIRE(bytes.size() < 126);
  return std::string("\x82") + static_cast<char>(0x80 | bytes.size()) + std::string(4, '\0') + bytes;
}

}  // namespace

TEST_CASE("Carriers: native frames over TLS") {
  Certified certified;
  Door door({}, certified.server);
  Heard heard;
  run(door, heard, talk_native(stream_to(door), &certified.client, heard));
  CHECK(heard.failure.empty());
  REQUIRE(heard.frames.size() == 2);
  CHECK(heard.frames[0].has_hello());
  CHECK(heard.frames[1].has_pong());
  CHECK(door.figures().connections_tls == 1);
}

TEST_CASE("Carriers: plain text and TLS on one port") {
  Certified certified;
  Door door({}, certified.server);
  Heard plain, tls;
  run(door, plain, talk_native(stream_to(door), nullptr, plain));
  run(door, tls, talk_native(stream_to(door), &certified.client, tls));
  CHECK(plain.frames.size() == 2);
  CHECK(tls.frames.size() == 2);
}

TEST_CASE("Carriers: one frame in each message of a WebSocket, plain and over TLS") {
  for (const bool secured : {false, true}) {
    Certified certified;
    Door door({}, certified.server);
    Heard heard;
    const auto* tls = secured ? &certified.client : nullptr;
    run(door, heard, talk_websocket(stream_to(door), tls, hello_and_pings(50), 51, heard));
    CHECK(heard.failure.empty());
    REQUIRE(heard.frames.size() == 51);
    for (std::uint64_t id = 1; id <= 51; ++id) CHECK(heard.frames[id - 1].request_id() == id);
    CHECK(door.figures().connections_websocket == 1);
  }
}

TEST_CASE("Carriers: over a WebSocket through a trusted proxy the client is who guesses, not the proxy") {
  for (const bool trusted : {true, false}) {
    GatewayOptions options;
    if (trusted) options.proxies = *TrustedProxies::parse("127.0.0.1");
    Door door(options);
    const auto client = door.connect();
    client->send(
        "GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9\r\n\r\n");
    door.pump([&] {
      client->receive();
      return client->received.find("101 Switching") != std::string::npos;
    });
    v1::ClientFrame guess;
    guess.set_request_id(7);
    guess.mutable_operator_log_in()->set_key("a guess");
    std::string sent = masked(hello_frame());
    for (int i = 0; i < 40; ++i) sent += masked(guess);
    REQUIRE(client->send(sent) == sent.size());
    const auto waits = [&](const char* address) {
      return door.admission.login_wait(address, door.backend.now()).count() > 0;
    };
    door.pump([&] { return waits("203.0.113.9") || waits("127.0.0.1"); });
    CHECK(waits("203.0.113.9") == trusted);
    CHECK(waits("127.0.0.1") != trusted);
    CHECK_FALSE(waits("6.6.6.6"));
  }
}

TEST_CASE("Carriers: an error over a WebSocket is told, then the WebSocket closed in order") {
  Door door;
  Heard heard;
  run(door, heard, talk_websocket(stream_to(door), nullptr, {ping_frame(1).SerializeAsString()}, 9, heard));
  REQUIRE(heard.frames.size() == 1);
  CHECK(heard.frames[0].error().code() == v1::UNSUPPORTED);
  CHECK(heard.close_code == 1000);
}

TEST_CASE("Carriers: an empty WebSocket message is no frame") {
  Door door;
  Heard heard;
  auto messages = hello_and_pings(0);
  messages.emplace_back();
  run(door, heard, talk_websocket(stream_to(door), nullptr, messages, 9, heard));
  REQUIRE(heard.frames.size() == 2);
  CHECK(heard.frames[1].error().code() == v1::INVALID_ARGUMENT);
}

TEST_CASE("Carriers: a WebSocket message beyond the bound ends that connection") {
  Door door;
  Heard heard;
  auto messages = hello_and_pings(0);
  messages.emplace_back(kFrameBytesMax + 1, 'x');
  run(door, heard, talk_websocket(stream_to(door), nullptr, messages, 9, heard));
  CHECK(heard.frames.size() <= 1);
  door.pump([&] { return door.figures().connections == 0; });
  Heard other;
  run(door, other, talk_native(stream_to(door), nullptr, other));
  CHECK(other.frames.size() == 2);
}

TEST_CASE("Carriers: a drain says good-bye over a WebSocket, too") {
  Door door;
  Heard heard;
  TaskGroup tasks(door.context.get_executor());
  tasks.spawn("client", talk_websocket(stream_to(door), nullptr, hello_and_pings(1), 9, heard));
  door.pump([&] { return heard.frames.size() == 2; });
  door.drain(100ms, 10s);
  door.pump([&] { return heard.done && tasks.size() == 0; });
  REQUIRE(heard.frames.size() == 3);
  CHECK(heard.frames[2].goodbye().reason() == "draining");
}

TEST_CASE("Carriers: a refused TLS handshake ends that connection only") {
  Certified certified, other;
  Door door({}, certified.server);
  Heard refused, fine;
  run(door, refused, talk_native(stream_to(door), &other.client, refused));
  CHECK_FALSE(refused.failure.empty());
  door.pump([&] { return door.figures().refused_tls == 1; });
  run(door, fine, talk_native(stream_to(door), &certified.client, fine));
  CHECK(fine.frames.size() == 2);
}

TEST_CASE("Carriers: TLS is refused where there is no certificate") {
  Certified certified;
  Door door;
  Heard heard;
  run(door, heard, talk_native(stream_to(door), &certified.client, heard));
  CHECK_FALSE(heard.failure.empty());
  CHECK(door.figures().refused_tls == 1);
}

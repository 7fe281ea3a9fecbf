#include <boost/asio/post.hpp>

#include "net/websocket.h"
#include "tests/net/loop.h"

namespace holdfast {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using Connection = std::unique_ptr<WebSocketConnection>;

/// What a server that echoes came to.
struct Served {
  std::string failure;  ///< of the opening, or of the read that ended it
  Errc code = Errc::unsupported;
  int messages = 0;
  std::uint16_t peer_close_code = 0;
};

Awaitable<void> serve_echo(std::unique_ptr<Stream> stream, WebSocketOptions options, Served& served) {
  if (stream->is_tls()) {
    const auto error = co_await stream->handshake();
    CHECK(!error);
  }
  auto accepted = co_await WebSocketConnection::accept(std::move(stream), options);
  if (!accepted) {
    served.failure = accepted.error().message;
    served.code = accepted.error().code;
    co_return;
  }
  const auto connection = std::move(accepted).value();
  for (;;) {
    auto message = co_await connection->read();
    if (!message) {
      served.failure = message.error().message;
      served.code = message.error().code;
      served.peer_close_code = connection->peer_close_code();
      co_return;
    }
    ++served.messages;
    auto written = co_await connection->write(std::move(*message));
    CHECK(written);
  }
}

Awaitable<void> talk(std::unique_ptr<Stream> stream, std::vector<std::string> sent, std::vector<std::string>& got) {
  if (stream->is_tls()) {
    const auto error = co_await stream->handshake();
    CHECK(!error);
  }
  auto connected = co_await WebSocketConnection::connect(std::move(stream), "localhost", {});
  REQUIRE(connected);
  const auto connection = std::move(connected).value();
  for (const auto& message : sent) {
    auto written = co_await connection->write(message);
    CHECK(written);
    auto answer = co_await connection->read();
    got.push_back(answer ? *answer : answer.error().message);
  }
  co_await connection->close(1000, "done");
}

TEST_CASE("WebSocket: messages of every size come back from an echo, plain and over TLS") {
  const std::vector<std::string> sent = {"a", std::string(), long_text(70'000), long_text(kFrameBytesMax), "z"};
  for (const bool tls : {false, true}) {
    Loop loop;
    Certified certified;
    auto [client, server] = connected_pair(loop);
    if (tls) {
      REQUIRE(server->start_tls_server(certified.server));
      REQUIRE(client->start_tls_client(certified.client, "localhost"));
    }
    Served served;
    std::vector<std::string> got;
    loop.spawn(serve_echo(std::move(server), {}, served));
    loop.spawn(talk(std::move(client), sent, got));
    loop.run();
    REQUIRE((got == sent));
    REQUIRE(served.messages == 5);
    REQUIRE(served.code == Errc::io);
    REQUIRE(served.peer_close_code == 1000);
  }
}

TEST_CASE("WebSocket: a message beyond the bound closes with 1009") {
  Loop loop;
  auto [client, server] = connected_pair(loop);
  WebSocketOptions options;
  options.message_bytes_max = 100;
  Served served;
  std::vector<std::string> got;
  loop.spawn(serve_echo(std::move(server), options, served));
  loop.spawn(talk(std::move(client), {std::string(100, 'x'), std::string(101, 'x')}, got));
  loop.run();
  REQUIRE(served.messages == 1);
  REQUIRE(served.code == Errc::too_large);
}

/// Sends raw bytes to an echo server and returns the raw answer up to its end.
std::string raw_exchange(const std::string& bytes, Served& served, WebSocketOptions options = {}) {
  Loop loop;
  auto [client, server] = connected_pair(loop);
  std::string got;
  error_code end;
  REQUIRE(client->write_now(bytes).bytes == bytes.size());
  loop.spawn(serve_echo(std::move(server), options, served));
  loop.spawn([](Stream& stream, std::string& into, error_code& result) -> Awaitable<void> {
    co_await read_to_end(stream, into, result);
    stream.close();
  }(*client, got, end));
  loop.run();
  return got;
}

std::string upgrade(const std::string& target, const std::string& more = "") {
  return "GET " + target +
         " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         more + "\r\n";
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("WebSocket: what is no upgrade at / or /v1 gets an HTTP answer that says so") {
  struct Row {
    std::string bytes;
    std::string status;
  };
  const Row rows[] = {
      {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "426"},
      {upgrade("/other"), "404"},
      {"GET nonsense\r\n\r\n", "400"},
      {upgrade("/") + "\x82\x80zzzz", "400"},
      {"GET / HTTP/1.1\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n", "431"},
  };
  for (const auto& row : rows) {
    Served served;
    const auto got = raw_exchange(row.bytes, served);
    INFO(got);
    REQUIRE(got.rfind("HTTP/1.1 " + row.status, 0) == 0);
    REQUIRE(served.code == Errc::invalid_argument);
  }
}

Awaitable<void> upgrade_then(Stream& stream, std::string request, std::string frames, std::string& got) {
  auto error = co_await stream.write_all(request);
  CHECK(!error);
  while (!contains(got, "\r\n\r\n")) {
    std::array<char, 1> byte;
    const std::span<char> room(byte);
    const auto read = co_await stream.read_some(room);
    REQUIRE(!read.error);
    got.append(byte.data(), 1);
  }
  error = co_await stream.write_all(frames);
  CHECK(!error);
  co_await read_to_end(stream, got, error);
  stream.close();
}

/// Upgrades, sends raw frames, and returns all raw bytes of the answer up to the end.
std::string frames_exchange(const std::string& request, const std::string& frames, Served& served,
                            WebSocketOptions options = {}) {
  Loop loop;
  auto [client, server] = connected_pair(loop);
  std::string got;
  loop.spawn(serve_echo(std::move(server), options, served));
  loop.spawn(upgrade_then(*client, request, frames, got));
  loop.run();
  return got;
}

/// A frame of a client, masked with zeros.
std::string frame(unsigned char opcode, const std::string& payload) {
  std::string bytes;
  bytes.push_back(static_cast<char>(0x80 | opcode));
  bytes.push_back(static_cast<char>(0x80 | payload.size()));
  return bytes + std::string(4, '\0') + payload;
}

const std::string kNormalClose = frame(0x8, "\x03\xe8");

TEST_CASE("WebSocket: the subprotocol is answered if it is offered, and not if it isn't") {
  Served served;
  const auto with =
      frames_exchange(upgrade("/v1", "Sec-WebSocket-Protocol: other, holdfast.v1\r\n"), kNormalClose, served);
  REQUIRE(contains(with, "101 Switching Protocols"));
  REQUIRE(contains(with, "Sec-WebSocket-Protocol: holdfast.v1\r\n"));
  REQUIRE(contains(with, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));  // RFC 6455, 1.3
  const auto without = frames_exchange(upgrade("/?token"), kNormalClose, served);
  REQUIRE(contains(without, "101 Switching Protocols"));
  REQUIRE_FALSE(contains(without, "Sec-WebSocket-Protocol"));
}

TEST_CASE("WebSocket: a ping is answered, a binary message echoed, a text message closed with 1003") {
  Served served;
  const auto got = frames_exchange(upgrade("/v1"),
                                   frame(0x9, "p") + frame(0x2, "hello") + frame(0x1, "text") + kNormalClose, served);
  REQUIRE(contains(got, std::string("\x8a\x01p", 3)));
  REQUIRE(contains(got, std::string("\x82\x05hello", 7)));
  REQUIRE(contains(got, std::string("\x03\xeb", 2) + "binary"));
  REQUIRE(served.messages == 1);
  REQUIRE(served.code == Errc::invalid_argument);
}

TEST_CASE("WebSocket: a broken frame closes with 1002") {
  Served served;
  const auto got = frames_exchange(upgrade("/v1"), std::string("\xf2\x80\0\0\0\0", 6), served);
  REQUIRE(contains(got, std::string("\x03\xea", 2)));
  REQUIRE(served.code == Errc::invalid_argument);
}

TEST_CASE("WebSocket: a stopped handshake and a silent peer are ended when their time is up") {
  WebSocketOptions options;
  options.handshake_max = 5ms;
  Served stopped;
  REQUIRE(raw_exchange("GET /v1 HTTP/1.1\r\nHo", stopped, options).empty());
  REQUIRE(stopped.code == Errc::retry_later);
  options.handshake_max = 10'000ms;
  options.idle_max = 20ms;
  Served silent;
  frames_exchange(upgrade("/v1"), frame(0x2, "x"), silent, options);
  REQUIRE(silent.messages == 1);
  REQUIRE(silent.code == Errc::retry_later);
}

}  // namespace
}  // namespace holdfast

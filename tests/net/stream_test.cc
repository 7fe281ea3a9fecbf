#include "net/stream.h"

#include <boost/asio/error.hpp>

#include "net/watchdog.h"
#include "tests/net/loop.h"

namespace holdfast {
namespace {

using namespace testing;

TEST_CASE("Stream: what is written arrives, and the end after it") {
  Loop loop;
  auto [client, server] = connected_pair(loop);
  std::string got;
  error_code end;
  loop.spawn(echo(*server));
  loop.spawn(write_and_shutdown(*client, "hello"));
  loop.spawn(read_to_end(*client, got, end));
  loop.run();
  REQUIRE(got == "hello");
  REQUIRE(end == boost::asio::error::eof);
  REQUIRE(client->remote_is_loopback());
  REQUIRE(server->remote_text().rfind("127.0.0.1:", 0) == 0);
}

TEST_CASE("Stream: a transfer larger than the socket's buffers blocks, goes on, and comes out whole") {
  Loop loop;
  auto [client, server] = connected_pair(loop);
  const auto sent = long_text(20'000'000);
  std::string_view rest = sent;
  IoResult result;
  while ((result = client->write_now(rest)).ok()) rest.remove_prefix(result.bytes);
  REQUIRE(result.state == IoResult::State::would_block_write);
  REQUIRE(!rest.empty());
  std::string got;
  error_code end;
  const std::string remaining(rest);
  loop.spawn(write_and_shutdown(*client, remaining));
  loop.spawn(read_to_end(*server, got, end));
  loop.run();
  REQUIRE((got == sent));
}

TEST_CASE("Stream: reading and writing never block and say what to wait for") {
  Loop loop;
  auto [client, server] = connected_pair(loop);
  char byte = 0;
  REQUIRE(server->read_now({&byte, 1}).state == IoResult::State::would_block_read);
  REQUIRE(client->write_now(std::string_view("x")).bytes == 1);
  error_code woken = boost::asio::error::timed_out;
  server->on_readable([&woken](error_code error) { woken = error; });
  loop.run();
  REQUIRE(!woken);
  REQUIRE(server->read_now({&byte, 1}).bytes == 1);
  REQUIRE(byte == 'x');
  client->shutdown();
  server->on_readable([](error_code) {});
  loop.run();
  REQUIRE(server->read_now({&byte, 1}).state == IoResult::State::end);
  client->close();
  REQUIRE(client->read_now({&byte, 1}).state == IoResult::State::failed);
  REQUIRE(client->write_now({&byte, 1}).state == IoResult::State::failed);
}

Awaitable<void> wait_for_bytes(Stream& stream, error_code& error) { error = co_await stream.wait_readable(); }

TEST_CASE("Stream: cancel wakes a wait and leaves the stream good; close ends it") {
  Loop loop;
  auto [client, server] = connected_pair(loop);
  error_code error;
  loop.spawn(wait_for_bytes(*server, error));
  loop.poll();
  server->cancel();
  loop.run();
  REQUIRE(error == boost::asio::error::operation_aborted);
  REQUIRE(client->write_now(std::string_view("x")).ok());
  loop.spawn(wait_for_bytes(*server, error));
  loop.run();
  REQUIRE(!error);
  char byte = 0;
  REQUIRE(server->read_now({&byte, 1}).ok());
  loop.spawn(wait_for_bytes(*server, error));
  loop.poll();
  server->close();
  server->close();
  loop.run();
  REQUIRE(error == boost::asio::error::operation_aborted);
}

TEST_CASE("Watchdog: closes the stream when the time is up, but not when disarmed or gone") {
  using namespace std::chrono_literals;
  Loop loop;
  auto [client, server] = connected_pair(loop);
  error_code error;
  {
    Watchdog gone(*server);
    gone.arm(0ms);
  }
  Watchdog watchdog(*server);
  watchdog.arm(0ms);
  watchdog.disarm();
  loop.run();
  REQUIRE(server->is_open());
  REQUIRE_FALSE(watchdog.barked());
  loop.spawn(wait_for_bytes(*server, error));
  loop.poll();
  watchdog.arm(1ms);
  loop.run();
  REQUIRE(watchdog.barked());
  REQUIRE(error == boost::asio::error::operation_aborted);
  REQUIRE_FALSE(server->is_open());
}

Awaitable<void> detect_into(Stream& stream, std::string& kind) {
  auto detected = co_await stream.detect_protocol();
  kind = detected ? name_of(*detected) : detected.error().message;
}

TEST_CASE("Stream: the protocol is detected byte by byte, without spinning, and its bytes are left to be read") {
  Loop loop;
  auto [client, server] = connected_pair(loop);
  std::string kind;
  loop.spawn(detect_into(*server, kind));
  for (const char* byte : {"G", "E", "T"}) {
    REQUIRE(client->write_now(std::string_view(byte)).ok());
    std::size_t turns = 0;
    while (loop.poll() > 0) REQUIRE(++turns < 20);
    REQUIRE(kind.empty());
  }
  REQUIRE(client->write_now(std::string_view(" /")).ok());
  loop.run();
  REQUIRE(kind == "websocket");
  char bytes[8];
  const auto read = server->read_now(bytes);
  REQUIRE(std::string_view(bytes, read.bytes) == "GET /");
}

TEST_CASE("Stream: detection fails when the peer ends first, with or without a byte") {
  for (const std::string_view before : {"", "G"}) {
    Loop loop;
    auto [client, server] = connected_pair(loop);
    std::string kind;
    if (!before.empty()) REQUIRE(client->write_now(before).ok());
    loop.spawn(detect_into(*server, kind));
    loop.poll();
    client->close();
    loop.run();
    REQUIRE(kind.find("ended before its first bytes") != std::string::npos);
  }
}

}  // namespace
}  // namespace holdfast

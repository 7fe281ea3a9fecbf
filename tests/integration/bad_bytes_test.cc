/// What is not the protocol at all: each with its answer or its close, and others go on undisturbed.
#include <catch2/catch.hpp>

#include "tests/integration/raw_client.h"
#include "tests/integration/shared_server.h"

namespace holdfast {
namespace {

using testing::Bystanders;
using testing::RawClient;
using testing::shared_server;
using namespace std::string_literals;
using namespace std::string_view_literals;

/// The start of a TLS 1.3 client hello: a record that says it has 512 bytes, and 40 of them.
std::string half_a_client_hello() { return "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s + std::string(34, 'r'); }

v1::ClientFrame ping() {
  v1::ClientFrame frame;
  frame.mutable_ping();
  return frame;
}

}  // namespace

TEST_CASE("Bad bytes: garbage before the handshake is closed without an answer") {
  Bystanders others(shared_server().port());
  const std::string garbage[] = {"\xff\xfe\xfd\xfc"s,
                                 "SSH-2.0-OpenSSH_9.2\r\n"s,
                                 "POST / HTTP/1.1\r\n\r\n"s,
                                 std::string(100'000, 'A'),
                                 "\0\0\0\0"s,          // a frame of length 0
                                 "\0\xff\xff\xff"s,    // a frame of 16 MiB
                                 "\x16\x02\x00\x00"s,  // SSL 2
                                 "\x80\x2e\x01\x03\x01"s};
  for (const auto& bytes : garbage) {
    INFO(bytes.substr(0, 20));
    RawClient client(shared_server().port());
    client.send_bytes(bytes);
    CHECK(client.read_to_end().empty());
    others.go_on();
  }
}

TEST_CASE("Bad bytes: HTTP that is no WebSocket upgrade gets an HTTP error") {
  Bystanders others(shared_server().port());
  for (const std::string request :
       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /elsewhere HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
        "GET nonsense\r\n\r\n"}) {
    INFO(request);
    RawClient client(shared_server().port());
    client.send_bytes(request);
    client.finish_sending();
    CHECK(client.read_to_end().starts_with("HTTP/1.1 4"));
    others.go_on();
  }
}

TEST_CASE("Bad bytes: a frame beyond the bound is TOO_LARGE as soon as its length is seen") {
  Bystanders others(shared_server().port());
  RawClient client(shared_server().port());
  const auto hello = client.hello().hello();
  CHECK(hello.frame_bytes_max() == kFrameBytesMax);
  const std::uint32_t length = hello.frame_bytes_max() + 1;
  const std::string header{0, static_cast<char>(length >> 16), static_cast<char>(length >> 8 & 0xff),
                           static_cast<char>(length & 0xff)};
  client.send_bytes(header);
  const auto error = client.read_last_error();
  CHECK(error.code() == v1::TOO_LARGE);
  CHECK(error.message().find("131072") != std::string::npos);
  others.go_on();
}

TEST_CASE("Bad bytes: the largest frame is taken, and one of length 0 ends the connection") {
  RawClient client(shared_server().port());
  client.hello();
  v1::ClientFrame frame = ping();
  frame.set_idempotency_id(std::string(131'072 - 16, 'x'));
  while (frame.ByteSizeLong() + 2 < kFrameBytesMax) frame.mutable_idempotency_id()->push_back('x');
  CHECK(client.ask(std::move(frame)).has_pong());
  client.send_bytes("\0\0\0\0"s);
  CHECK(client.read_last_error().code() == v1::INVALID_ARGUMENT);
}

TEST_CASE("Bad bytes: what is no Protobuf is INVALID_ARGUMENT and closed") {
  Bystanders others(shared_server().port());
  for (const std::string& payload : {"\xff\xff\xff"s, "\x08"s, std::string(5'000, '\x0f')}) {
    RawClient client(shared_server().port());
    client.hello();
    std::string bytes;
    append_frame(bytes, payload);
    client.send_bytes(bytes);
    CHECK(client.read_last_error().code() == v1::INVALID_ARGUMENT);
    others.go_on();
  }
}

TEST_CASE("Bad bytes: the first frame must be Hello, in a version that both speak") {
  RawClient impatient(shared_server().port());
  impatient.send(ping());
  CHECK(impatient.read_last_error().code() == v1::UNSUPPORTED);

  RawClient from_the_future(shared_server().port());
  v1::ClientFrame hello;
  hello.set_request_id(1);
  hello.mutable_hello()->set_protocol_min(2);
  hello.mutable_hello()->set_protocol_max(9);
  from_the_future.send(hello);
  CHECK(from_the_future.read_last_error().code() == v1::UNSUPPORTED);

  RawClient talkative(shared_server().port());
  hello.mutable_hello()->set_protocol_min(1);
  hello.mutable_hello()->set_client(std::string(129, 'x'));
  talkative.send(hello);
  CHECK(talkative.read_last_error().code() == v1::INVALID_ARGUMENT);

  RawClient twice(shared_server().port());
  twice.hello();
  hello.mutable_hello()->set_client("again");
  CHECK(twice.refused(hello).code() == v1::PRECONDITION_FAILED);
  CHECK(twice.ask(ping()).has_pong());
}

TEST_CASE("Bad bytes: an operation that the server does not know is UNSUPPORTED, and the connection goes on") {
  RawClient client(shared_server().port());
  client.register_as(testing::fresh_name("curious"));
  // request_id 100, and operation 1000 with an empty message.
  std::string bytes;
  append_frame(bytes, "\x08\x64\xc2\x3e\x00"sv);
  client.send_bytes(bytes);
  const auto answer = client.read_frame();
  CHECK(answer.request_id() == 100);
  CHECK(answer.error().code() == v1::UNSUPPORTED);
  CHECK(client.ask(ping()).has_pong());
}

TEST_CASE("Bad bytes: a TLS client hello on a half-open socket hurts nobody") {
  Bystanders others(shared_server().port());
  RawClient closes_half(shared_server().port());
  closes_half.send_bytes(half_a_client_hello());
  closes_half.finish_sending();
  others.go_on();

  RawClient stops(shared_server().port());
  stops.send_bytes(half_a_client_hello().substr(0, 5));
  others.go_on();

  RawClient resets(shared_server().port());
  resets.send_bytes(half_a_client_hello());
  resets.reset();
  others.go_on();

  RawClient wrong(shared_server().port());
  wrong.send_bytes(half_a_client_hello() + std::string(2'000, 'w'));
  wrong.read_to_end();  // an alert, perhaps, and the end
  others.go_on();
  closes_half.read_to_end();
}

TEST_CASE("Bad bytes: connections that vanish in the middle of a frame leave nothing behind") {
  Bystanders others(shared_server().port());
  for (int i = 0; i < 50; ++i) {
    RawClient client(shared_server().port());
    client.hello();
    client.send_bytes("\0\0\x10\0half"s);
    if (i % 2 == 0) client.reset();
  }
  others.go_on();
}

}  // namespace holdfast

/// Clients that take too long, want too much or are too many: bounded, and others go on undisturbed.
#include <catch2/catch.hpp>

#include "clients/cpp/ask.h"
#include "tests/support/http_get.h"
#include "tests/integration/raw_client.h"
#include "tests/support/process.h"

namespace holdfast {
namespace {

namespace ask = client::ask;
using testing::Bystanders;
using testing::fresh_name;
using testing::metric;
using testing::post_frame;
using testing::RawClient;
using testing::ServerProcess;
using namespace std::string_literals;

}  // namespace

TEST_CASE("Limits: a handshake that stops is closed in time") {
  ServerProcess server({.config = "[clients]\nhandshake_max_s = 1\nlogin_max_s = 1\n"});
  Bystanders others(server.port());
  RawClient silent(server.port()), half_a_length(server.port()), half_a_frame(server.port()), half_tls(server.port()),
      half_http(server.port()), no_login(server.port());
  half_a_length.send_bytes("\0\0"s);
  half_a_frame.send_bytes("\0\0\0\x20\x08\x01"s);
  half_tls.send_bytes("\x16\x03\x01\x02\x00\x01"s);
  half_http.send_bytes("GET / HTTP/1.1\r\nHost: "s);
  no_login.hello();
  CHECK(silent.read_to_end().empty());
  CHECK(half_a_length.read_to_end().empty());
  CHECK(half_a_frame.read_last_error().code() == v1::INVALID_ARGUMENT);
  CHECK(half_tls.read_to_end().empty());
  half_http.read_to_end();
  CHECK(no_login.read_frame().goodbye().reason() == "idle");
  CHECK(no_login.read_to_end().empty());
  others.go_on();
}

TEST_CASE("Limits: a client that does not read is dropped, and resumes where it was") {
  ServerProcess server({.config = "[clients]\nwrite_stall_max_s = 1\n"});
  Bystanders others(server.port());
  RawClient writer(server.port());
  writer.register_as(fresh_name("writer"));
  RawClient reader(server.port(), {.receive_buffer_bytes = 4'096});
  reader.register_as(fresh_name("reader"));
  const auto opened = writer.ask(ask::open_direct(*UserId::from_bytes(reader.user_id))).conversation();
  const std::string id = opened.conversation_id();

  // Until the server has nowhere left to put it: 900 bytes stand whole in the inbox, and how much the kernel takes
  // differs.
  std::uint64_t messages = 0;
  const auto write_some = [&] {
    constexpr std::uint64_t kAtOnce = 50;
    for (std::uint64_t i = 0; i < kAtOnce; ++i) {
      v1::ClientFrame frame = post_frame(id, std::string(900, 'm'));
      frame.set_request_id(1'000'000 + i);
      writer.send(frame);
    }
    for (std::uint64_t answered = 0; answered < kAtOnce;) {
      const auto frame = writer.read_frame();
      if (frame.request_id() == 0) continue;
      REQUIRE(frame.has_change());
      ++answered;
    }
    messages += kAtOnce;
    return metric(server.admin_port(), "dropped_total{reason=\"slow\"") >= 1;
  };
  for (int rounds = 0; rounds < 600 && !write_some(); ++rounds) continue;
  REQUIRE(testing::eventually([&] { return metric(server.admin_port(), "dropped_total{reason=\"slow\"") >= 1; }));
  others.go_on();

  RawClient again(server.port());
  again.hello();
  v1::ClientFrame resume;
  resume.mutable_resume()->set_token(reader.token);
  REQUIRE(again.ask(resume).has_session());
  std::uint64_t expected = 1;
  while (expected <= messages + 1) {
    const auto push = again.await_push([](const auto& frame) { return frame.has_inbox(); });
    for (const auto& item : push.inbox().items()) REQUIRE(item.change().number() == expected++);
  }
}

TEST_CASE("Limits: what was missed comes in frames within the bound") {
  ServerProcess server;
  RawClient writer(server.port());
  writer.register_as(fresh_name("writer"));
  std::string id, token;
  {
    RawClient reader(server.port());
    reader.register_as(fresh_name("away"));
    token = reader.token;
    id = writer.ask(ask::open_direct(*UserId::from_bytes(reader.user_id))).conversation().conversation_id();
  }
  for (int i = 0; i < 300; ++i) REQUIRE(writer.ask(post_frame(id, std::string(950, 'm'))).has_change());
  RawClient back(server.port());
  back.hello();
  v1::ClientFrame resume;
  resume.mutable_resume()->set_token(token);
  REQUIRE(back.ask(resume).has_session());
  back.await_change(id, 301);  // the decoder refuses what is beyond
}

TEST_CASE("Limits: who asks too fast is RATE_LIMITED with a wait, and nobody else is") {
  ServerProcess server({.config = "[rates]\nconnection_requests_per_s = 10\n"});
  Bystanders others(server.port());
  RawClient client(server.port());
  client.register_as(fresh_name("hasty"));
  constexpr int kRequests = 60;
  for (int i = 0; i < kRequests; ++i) {
    v1::ClientFrame frame = ask::get_account();
    frame.set_request_id(1'000 + static_cast<std::uint64_t>(i));
    client.send(frame);
  }
  int limited = 0, served = 0;
  for (int i = 0; i < kRequests; ++i) {
    const auto answer = client.read_frame();
    if (answer.has_account()) ++served;
    if (!answer.has_error()) continue;
    CHECK(answer.error().code() == v1::RATE_LIMITED);
    CHECK(answer.error().retry_after_ms() > 0);
    ++limited;
  }
  CHECK(limited + served == kRequests);
  CHECK(limited > 0);
  CHECK(served > 0);
  others.go_on();
  v1::ClientFrame ping;
  ping.mutable_ping();
  CHECK(client.ask(ping).has_pong());
}

TEST_CASE("Limits: more connections than file descriptors are told RETRY, and those inside go on") {
  ServerProcess server({.files_max = 160});
  Bystanders others(server.port());
  std::vector<std::unique_ptr<RawClient>> crowd;
  std::size_t refused = 0;
  for (int i = 0; i < 300; ++i) crowd.push_back(std::make_unique<RawClient>(server.port()));
  for (auto& client : crowd) {
    v1::ClientFrame hello;
    hello.set_request_id(1);
    hello.mutable_hello()->set_protocol_min(1);
    hello.mutable_hello()->set_protocol_max(1);
    std::string bytes;
    append_frame(bytes, hello);
    client->send_bytes(bytes);
    const auto answer = client->read_frame_or_end();  // nothing: its answer was lost to the reset that came with it
    if (answer && answer->has_hello()) continue;
    if (answer) CHECK(answer->error().code() == v1::RETRY);
    ++refused;
  }
  CHECK(refused > 100);
  CHECK(refused < 300);
  others.go_on();
  crowd.clear();
  // The server sees that they are gone when it sees it; a later connection finds room.
  CHECK(testing::eventually([&] {
    RawClient late(server.port());
    v1::ClientFrame hello;
    hello.set_request_id(1);
    hello.mutable_hello()->set_protocol_min(1);
    hello.mutable_hello()->set_protocol_max(1);
    std::string bytes;
    append_frame(bytes, hello);
    late.send_bytes(bytes);
    const auto answer = late.read_frame_or_end();
    return answer && answer->has_hello();
  }));
  others.go_on();
}

TEST_CASE("Limits: guessing a password is slowed, then locked, and never ends a session") {
  ServerProcess server;
  RawClient user(server.port());
  const std::string name = fresh_name("guarded");
  user.register_as(name);
  RawClient guesser(server.port());
  guesser.hello();
  v1::ClientFrame guess;
  guess.mutable_log_in()->set_username(name);
  guess.mutable_log_in()->set_password("wrong password");
  for (int i = 0; i < 3; ++i) CHECK(guesser.refused(guess).code() == v1::WRONG_CREDENTIALS);
  const auto slowed = guesser.refused(guess);
  CHECK(slowed.code() == v1::RATE_LIMITED);
  CHECK(slowed.retry_after_ms() > 0);
  // Not even the right one, before the wait is over.
  guess.mutable_log_in()->set_password(RawClient::kPassword);
  CHECK(guesser.refused(guess).code() == v1::RATE_LIMITED);
  CHECK(user.ask(ask::get_account()).has_account());
  RawClient again(server.port());
  again.hello();
  v1::ClientFrame resume;
  resume.mutable_resume()->set_token(user.token);
  CHECK(again.ask(resume).has_session());
  // A name that nobody has is answered in the same words.
  guess.mutable_log_in()->set_username(fresh_name("nobody"));
  const auto unknown = guesser.refused(guess);
  CHECK(unknown.code() == v1::WRONG_CREDENTIALS);
}

}  // namespace holdfast

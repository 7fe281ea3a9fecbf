/// A gateway with real sockets on loopback, in one thread, before a backend that the test plays. Time is made up.
#pragma once

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <deque>

#include "fakes.h"
#include "proto/frame.h"
#include "server/chat/mail_key.h"
#include "server/chat/tokens.h"
#include "server/gateway/gateway.h"

namespace holdfast::gateway {

class FakeBackend final : public chat::Backend {
 public:
  void ask(PartitionId, command::Command command, std::function<void(command::Answer)> then) override {
    asked.push_back({std::move(command), std::move(then)});
  }
  void hash_password(std::string, std::function<void(Result<std::string>)>) override {}
  void verify_password(std::string, std::string, std::function<void(Result<bool>)>) override {}
  std::uint16_t partitions() const override { return 4; }
  const chat::Limits& limits() const override { return limits_; }
  const chat::TokenKeys& token_keys() const override { return keys_; }
  const chat::MailKey& mail_key() const override { return mail_key_; }
  void rotate_token_key(std::function<void(Status)>) override {}
  WallTime now() const override { return from_ms(1'700'000'000'000); }
  Random& random() override { return random_; }

  struct Asked {
    command::Command command;
    std::function<void(command::Answer)> then;
  };
  std::deque<Asked> asked;

 private:
  SeededRandom random_{1};
  chat::Limits limits_;
  chat::TokenKeys keys_ = chat::TokenKeys::first(from_ms(1'700'000'000'000), random_);
  chat::MailKey mail_key_ = chat::MailKey::fresh(random_);
};

/// A client's socket. Everything that came stands in `received`.
struct RawClient {
  explicit RawClient(int fd) : descriptor(fd) {}
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void close() {
    if (descriptor >= 0) ::close(std::exchange(descriptor, -1));
  }
  /// As much as the socket takes at once.
  std::size_t send(std::string_view bytes) {
    const auto sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  void send(const v1::ClientFrame& frame) {
    std::string bytes;
    append_frame(bytes, frame);
    REQUIRE(send(std::string_view(bytes)) == bytes.size());
  }
  void receive() {
    char buffer[65'536];
    while (descriptor >= 0 && !ended) {
      const auto count = ::recv(descriptor, buffer, sizeof buffer, MSG_DONTWAIT);
      if (count > 0) {
        received.append(buffer, static_cast<std::size_t>(count));
      } else {
        reset = count < 0 && errno != EAGAIN;
        ended = count == 0 || reset;
        return;
      }
    }
  }
  /// The whole frames that came so far.
  std::vector<v1::ServerFrame> frames() {
    receive();
    std::vector<v1::ServerFrame> out;
    std::string_view input(received);
    FrameDecoder decoder(64 << 20);
    for (auto next = decoder.next(input); next && *next; next = decoder.next(input)) {
      REQUIRE(out.emplace_back().ParseFromArray((*next)->data(), static_cast<int>((*next)->size())));
    }
    return out;
  }

  int descriptor;
  std::string received;
  bool ended = false;
  bool reset = false;  ///< ended, and not in order
};

struct Door {
  explicit Door(GatewayOptions wanted = {}, std::optional<TlsContext> tls = std::nullopt, std::size_t connections = 100)
      : admission({connections, "key", {}}) {
    wanted.own_timer = false;
    gateway.emplace(wanted, GatewayParts{backend, attachments, admission, std::move(tls), [this] { return now; }},
                    context.get_executor(), 3);
    auto bound = gateway->listen({"127.0.0.1", 0});
    REQUIRE(bound);
    port = bound->port();
  }
  ~Door() {
    drain(std::chrono::milliseconds(0), std::chrono::milliseconds(0));
    pump([&] {
      gateway->tick(now);
      return empty;
    });
    gateway.reset();
  }

  void drain(std::chrono::milliseconds retry_after, std::chrono::milliseconds deadline) {
    gateway->drain(retry_after, deadline, [this] { empty = true; });
  }
  std::unique_ptr<RawClient> connect() { return connect(htonl(INADDR_LOOPBACK), port); }
  std::unique_ptr<RawClient> connect(in_addr_t address, std::uint16_t to_port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(to_port);
    to.sin_addr.s_addr = address;
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    return std::make_unique<RawClient>(fd);
  }
  /// Turns the loop until `done`; fails if that takes ten seconds.
  template <class Done>
  void pump(Done done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      context.restart();
      context.run_one_for(std::chrono::milliseconds(1));
      context.poll();
    }
  }
  std::vector<v1::ServerFrame> frames(RawClient& client, std::size_t count) {
    std::vector<v1::ServerFrame> out;
    pump([&] { return (out = client.frames()).size() >= count; });
    return out;
  }
  void until_ended(RawClient& client) {
    pump([&] {
      client.receive();
      return client.ended;
    });
  }
  void tick_after(std::chrono::milliseconds time) {
    now += time;
    gateway->tick(now);
  }
  /// Says Hello and resumes as `user`.
  void log_in(RawClient& client, UserId user);
  GatewayFigures figures() const { return gateway->figures(); }

  boost::asio::io_context context;
  FakeBackend backend;
  FakeAttachments attachments;
  Admission admission;
  SteadyTime now{std::chrono::hours(1)};
  std::optional<Gateway> gateway;
  std::uint16_t port = 0;
  bool empty = false;  ///< the drain is through
};

inline v1::ClientFrame hello_frame(std::uint64_t id = 1) {
  v1::ClientFrame frame;
  frame.set_request_id(id);
  frame.mutable_hello()->set_protocol_min(1);
  frame.mutable_hello()->set_protocol_max(1);
  return frame;
}

inline v1::ClientFrame ping_frame(std::uint64_t id) {
  v1::ClientFrame frame;
  frame.set_request_id(id);
  frame.mutable_ping();
  return frame;
}

inline void Door::log_in(RawClient& client, UserId user) {
  client.send(hello_frame());
  const chat::TokenClaims claims{partition_of(user, backend.partitions()), user, SessionId(), 1};
  v1::ClientFrame resume;
  resume.set_request_id(2);
  resume.mutable_resume()->set_token(chat::make_token(backend.token_keys(), claims, backend.random()));
  client.send(resume);
  pump([&] { return !backend.asked.empty(); });
  auto asked = std::move(backend.asked.front());
  backend.asked.pop_front();
  REQUIRE(asked.command.has_begin_resume());
  command::Answer answer;
  answer.mutable_resume_state()->set_username("ann");
  answer.mutable_frame()->mutable_done();
  asked.then(std::move(answer));
  REQUIRE(frames(client, 2)[1].has_session());
}

}  // namespace holdfast::gateway

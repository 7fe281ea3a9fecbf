#include "tests/integration/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

#include "base/random.h"
#include "base/uuid.h"
#include "clients/cpp/ask.h"
#include "clients/cpp/request_table.h"

namespace holdfast::testing {

namespace ask = client::ask;

std::string fresh_id(std::int64_t offset_ms) {
  SystemRandom random;
  return make_uuid7(wall_now() + std::chrono::milliseconds(offset_ms), random).str();
}

std::string fresh_name(const std::string& stem) {
  static int count = 0;
  return stem + std::to_string(++count);
}

v1::ClientFrame post_frame(const std::string& conversation, const std::string& body) {
  v1::ClientFrame frame = ask::post(*ConversationId::from_bytes(conversation), body);
  frame.mutable_post()->set_client_message_id(fresh_id());
  return frame;
}

RawClient::RawClient(std::uint16_t port) : RawClient(port, Options()) {}

RawClient::RawClient(std::uint16_t port, const Options& options) : decoder_(kFrameBytesMax) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(socket_ >= 0);
  if (options.receive_buffer_bytes > 0)
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer_bytes, sizeof(int));
  const timeval patience{20, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  REQUIRE(::inet_pton(AF_INET, options.host.c_str(), &where.sin_addr) == 1);
  REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
}

RawClient::~RawClient() {
  if (socket_ >= 0) ::close(socket_);
}

bool RawClient::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) FAIL("the server takes nothing");
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::send(const v1::ClientFrame& frame) {
  std::string bytes;
  append_frame(bytes, frame);
  REQUIRE(send_bytes(bytes));
}

void RawClient::finish_sending() { ::shutdown(socket_, SHUT_WR); }

void RawClient::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(std::exchange(socket_, -1));
}

/// False at the end of the stream.
bool RawClient::receive() {
  std::array<char, 65536> some;
  const auto got = ::recv(socket_, some.data(), some.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) FAIL("the server says nothing");
  if (got <= 0) return false;
  unread_.append(some.data(), static_cast<std::size_t>(got));
  return true;
}

std::optional<v1::ServerFrame> RawClient::decode() {
  std::string_view rest = unread_;
  const auto payload = decoder_.next(rest);
  INFO("the server keeps to the framing");
  REQUIRE(payload);
  std::optional<v1::ServerFrame> frame;
  if (*payload) REQUIRE(frame.emplace().ParseFromArray((*payload)->data(), static_cast<int>((*payload)->size())));
  unread_.erase(0, unread_.size() - rest.size());
  return frame;
}

std::optional<v1::ServerFrame> RawClient::read_frame_or_end() {
  for (;;) {
    if (auto frame = decode()) return frame;
    if (!receive()) return std::nullopt;
  }
}

v1::ServerFrame RawClient::read_frame() {
  auto frame = read_frame_or_end();
  if (!frame) FAIL("the server has closed the connection");
  return std::move(*frame);
}

std::string RawClient::read_to_end() {
  while (receive()) continue;
  return std::move(unread_);
}

v1::Error RawClient::read_last_error() {
  const v1::ServerFrame frame = read_frame();
  INFO(frame.ShortDebugString());
  REQUIRE(frame.request_id() == 0);
  REQUIRE(frame.has_error());
  REQUIRE(read_to_end().empty());
  return frame.error();
}

v1::ServerFrame RawClient::hello() {
  v1::ClientFrame frame;
  frame.mutable_hello()->set_protocol_min(1);
  frame.mutable_hello()->set_protocol_max(1);
  frame.mutable_hello()->set_client("test/1");
  v1::ServerFrame answer = ask(std::move(frame));
  REQUIRE(answer.has_hello());
  return answer;
}

v1::ServerFrame RawClient::ask(v1::ClientFrame frame) {
  const std::uint64_t id = next_request_id();
  frame.set_request_id(id);
  if (client::changes_something(frame) && frame.idempotency_id().empty()) frame.set_idempotency_id(fresh_id());
  send(frame);
  for (;;) {
    v1::ServerFrame answer = read_frame();
    if (answer.request_id() == id) return answer;
    INFO(answer.ShortDebugString());
    REQUIRE(answer.request_id() == 0);
    pushes_.push_back(std::move(answer));
  }
}

v1::Error RawClient::refused(v1::ClientFrame frame) {
  INFO(frame.ShortDebugString().substr(0, 300));
  const v1::ServerFrame answer = ask(std::move(frame));
  INFO(answer.ShortDebugString());
  REQUIRE(answer.has_error());
  return answer.error();
}

v1::ServerFrame RawClient::await_push(const std::function<bool(const v1::ServerFrame&)>& wanted) {
  for (;;) {
    v1::ServerFrame frame;
    if (pushes_.empty()) {
      frame = read_frame();
    } else {
      frame = std::move(pushes_.front());
      pushes_.pop_front();
    }
    if (frame.request_id() == 0 && wanted(frame)) return frame;
  }
}

v1::Change RawClient::await_change(const std::string& conversation, std::uint64_t number) {
  v1::Change found;
  await_push([&](const v1::ServerFrame& frame) {
    for (const auto& item : frame.inbox().items()) {
      if (item.conversation_id() != conversation || item.change().number() != number) continue;
      found = item.change();
      return true;
    }
    return false;
  });
  return found;
}

void RawClient::register_as(const std::string& username) {
  hello();
  v1::ClientFrame frame;
  frame.mutable_register_()->set_username(username);
  frame.mutable_register_()->set_password(kPassword);
  frame.mutable_register_()->set_device_name("a test's");
  const v1::ServerFrame answer = ask(std::move(frame));
  INFO(answer.ShortDebugString());
  REQUIRE(answer.has_session());
  user_id = answer.session().user_id();
  session_id = answer.session().session_id();
  token = answer.session().token();
}

Bystanders::Bystanders(std::uint16_t port) : speaker_(port), listener_(port) {
  speaker_.register_as(fresh_name("speaker"));
  listener_.register_as(fresh_name("listener"));
  const auto opened = speaker_.ask(ask::open_direct(*UserId::from_bytes(listener_.user_id)));
  conversation_ = opened.conversation().conversation_id();
  number_ = opened.conversation().number();
}

void Bystanders::go_on() {
  const auto posted = speaker_.ask(post_frame(conversation_, "we go on"));
  REQUIRE(posted.change().number() == ++number_);
  REQUIRE(listener_.await_change(conversation_, number_).posted().body() == "we go on");
}

}  // namespace holdfast::testing

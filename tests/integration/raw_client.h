/// A client without the library: one plain socket, frames by hand, so that it can do everything wrong.
///
/// For tests only: blocking; what doesn't come within 20 s fails the test. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "proto/client.pb.h"
#include "proto/frame.h"

namespace holdfast::testing {

class RawClient {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    int receive_buffer_bytes = 0;  ///< SO_RCVBUF; 0: as it comes
  };
  explicit RawClient(std::uint16_t port);
  RawClient(std::uint16_t port, const Options& options);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// As they are. False: the server has closed.
  bool send_bytes(std::string_view bytes);
  void send(const v1::ClientFrame& frame);
  /// The end of our sending side.
  void finish_sending();
  /// Closes so that the server sees a reset.
  void reset();

  /// The next frame, whatever it is. Fails the test at the end of the stream.
  v1::ServerFrame read_frame();
  /// The same, or nothing at the end.
  std::optional<v1::ServerFrame> read_frame_or_end();
  /// All bytes up to the end.
  std::string read_to_end();
  /// An error that is about the connection, and then its end.
  v1::Error read_last_error();

  v1::ServerFrame hello();
  /// Sends it under a fresh request id (and a fresh idempotency id, if it wants one) and gives its answer. Pushes that
  /// come before are kept.
  v1::ServerFrame ask(v1::ClientFrame frame);
  /// The same, and the answer is an error.
  v1::Error refused(v1::ClientFrame frame);
  /// The first push, kept or coming, that it says yes to; those before it are dropped.
  v1::ServerFrame await_push(const std::function<bool(const v1::ServerFrame&)>& wanted);
  /// Waits until the change is in the inbox.
  v1::Change await_change(const std::string& conversation, std::uint64_t number);

  /// Hello, and a new user with this session. The password is kPassword.
  void register_as(const std::string& username);
  std::string user_id, session_id, token;
  static constexpr const char* kPassword = "correct horse battery";

  std::uint64_t next_request_id() { return ++last_request_id_; }

 private:
  std::optional<v1::ServerFrame> decode();
  bool receive();

  int socket_ = -1;
  std::uint64_t last_request_id_ = 0;
  std::string unread_;
  FrameDecoder decoder_;
  std::deque<v1::ServerFrame> pushes_;
};

/// A UUIDv7 of now, plus `offset_ms`.
std::string fresh_id(std::int64_t offset_ms = 0);
/// A name that no other test has.
std::string fresh_name(const std::string& stem);
v1::ClientFrame post_frame(const std::string& conversation, const std::string& body);

/// Two users who talk while others misbehave.
class Bystanders {
 public:
  explicit Bystanders(std::uint16_t port);
  /// On the connections that they had from the start: one says something, and the other hears it.
  void go_on();

 private:
  RawClient speaker_, listener_;
  std::string conversation_;
  std::uint64_t number_ = 0;
};

}  // namespace holdfast::testing

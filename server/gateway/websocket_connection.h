/// A client that speaks one frame in each binary message of a WebSocket.
///
/// Two coroutines in the gateway's task group, one reading and, while there is something to write, one writing; both
/// count as waits, so the object outlives them.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "net/task_group.h"
#include "net/websocket.h"
#include "server/gateway/connection.h"

namespace holdfast::gateway {

class WebSocketClient final : public Connection {
 public:
  WebSocketClient(ConnectionOwner& owner, SessionParts parts, chat::ConnectionRef self, std::string peer_address,
                  Admission::Place place, SteadyTime accepted, std::unique_ptr<WebSocketConnection> socket,
                  TaskGroup& tasks);

  void start() override;
  void flush() override;
  void resume() override;
  void on_tick(SteadyTime now) override;

 private:
  /// Counts a coroutine among the waits. A parameter, so that it lives and dies with the frame, started or not.
  class Wait {
   public:
    explicit Wait(std::uint32_t& count) : count_(&count) { ++*count_; }
    Wait(Wait&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    Wait& operator=(Wait&&) = delete;
    ~Wait() {
      if (count_) --*count_;
    }

   private:
    std::uint32_t* count_;
  };

  void close_carrier() override;
  Awaitable<void> read_messages(Wait wait);
  Awaitable<void> write_messages(Wait wait);
  /// Returns when the session can take a frame, or will never again.
  Awaitable<void> until_it_can_take();
  void on_message(const std::string& message);

  std::unique_ptr<WebSocketConnection> socket_;
  TaskGroup& tasks_;
  boost::asio::steady_timer resumed_;  ///< never expires; cancelled by resume()
  bool paused_ = false;
  bool writing_ = false;
};

}  // namespace holdfast::gateway

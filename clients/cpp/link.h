/// One connection of a client, from the attempt to its end; for the files of this folder.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "clients/cpp/client_core.h"
#include "net/stream.h"
#include "net/websocket.h"
#include "proto/frame.h"

namespace holdfast::client {

/// Shared by its client's core and its own coroutines, which outlive a drop by a moment: `core` is null from then on
/// and nothing reaches the client any more. On the runtime's thread.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(Client::Core& core, Endpoint endpoint, std::chrono::milliseconds time_max);

  /// Connects, tells the core, then reads until the end.
  static Awaitable<void> run(std::shared_ptr<Link> link);

  /// Writes what the machine has put out, as much as goes now; the rest follows by itself.
  void write();
  /// The client wants nothing more of it. `write_first`: try to get out what is there, once.
  void drop(bool write_first);
  bool tls_resumed() const { return tls_resumed_; }

 private:
  static Awaitable<Status> open(std::shared_ptr<Link> link);
  static Awaitable<Status> open_tls(std::shared_ptr<Link> link);
  static Awaitable<Status> open_websocket(std::shared_ptr<Link> link);
  static Awaitable<std::string> read_native(std::shared_ptr<Link> link);
  static Awaitable<std::string> read_websocket(std::shared_ptr<Link> link);
  static Awaitable<void> write_websocket(std::shared_ptr<Link> link);
  /// Writes `last` and says good-bye.
  static Awaitable<void> close_websocket(std::shared_ptr<Link> link, std::string last);
  static Awaitable<bool> write_frames(std::shared_ptr<Link> link, std::string frames);

  /// What came of one go at the socket: go on waiting, or the reason of the end.
  struct Turn {
    bool ended = false;
    std::string reason;
  };
  Error take_plain_answer();
  Turn read_turn();
  Turn take_bytes(std::string_view bytes);
  void write_native();
  void wait_to_write();

  Client::Core* core_;
  ClientRuntime::Impl& runtime_;
  const Endpoint endpoint_;
  const std::chrono::milliseconds time_max_;
  std::unique_ptr<Stream> stream_;  ///< native; a WebSocket's belongs to websocket_
  std::unique_ptr<WebSocketConnection> websocket_;
  std::chrono::milliseconds retry_after_{0};  ///< what the server asked for that let us in not even to TLS
  FrameDecoder decoder_;
  std::string writing_;      ///< frames taken from the machine and not yet written
  std::size_t written_ = 0;  ///< of them
  bool tls_resumed_ = false;
  bool write_waits_ = false;  ///< a wait or a coroutine will go on with writing_
};

}  // namespace holdfast::client

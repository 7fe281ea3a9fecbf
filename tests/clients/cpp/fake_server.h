/// A server of a hundred lines over real sockets, so that the driver is tested without the real one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/listener.h"
#include "net/stream.h"
#include "net/task_group.h"
#include "net/tls.h"
#include "net/websocket.h"
#include "proto/client.pb.h"
#include "proto/frame.h"

namespace holdfast::client::play {

/// Numbers posts by their ids, pushes each to everyone, keeps the inbox for resumes. On the test's io_context.
class FakeServer {
 public:
  /// `twin`: another node of the same cluster, which has the messages of both. Outlives this one.
  explicit FakeServer(any_io_executor executor, std::optional<TlsContext> tls = std::nullopt,
                      FakeServer* twin = nullptr);
  ~FakeServer();

  std::uint16_t port() const { return port_; }
  /// Cuts every connection; new ones are welcome.
  void cut();
  /// Cuts every connection, and takes no new ones. To be called, and the loop run, before destruction.
  void stop();
  /// Tells every client (native ones) to move to this port, at once.
  void tell_to_move(std::uint16_t port);
  /// Connections that have a session.
  std::size_t live() const;
  /// The next so many posts are stored, but the connection is cut instead of an answer.
  void swallow_answers(int count) { swallow_ = count; }

  std::vector<std::string> bodies;  ///< stored posts in order
  int logins = 0;
  int resumes = 0;

 private:
  struct Peer {
    std::unique_ptr<Stream> stream;
    std::unique_ptr<WebSocketConnection> websocket;
    std::string out;
    bool live = false;
    void close();
  };
  static Awaitable<void> serve(FakeServer* server, std::shared_ptr<Peer> peer);
  static Awaitable<void> serve_native(FakeServer* server, std::shared_ptr<Peer> peer);
  static Awaitable<void> serve_websocket(FakeServer* server, std::shared_ptr<Peer> peer);
  bool answer(Peer& peer, std::string_view payload);
  bool answer_post(Peer& peer, std::uint64_t request_id, const v1::Post& post);
  void push_after(Peer& peer, std::uint64_t cursor);
  /// A message stored for one is for all who are connected, here and at the twin.
  void push_to_others(const Peer& author, std::uint64_t cursor);
  FakeServer& book() { return twin_ ? *twin_ : *this; }

  TaskGroup tasks_;
  std::unique_ptr<Listener> listener_;
  std::uint16_t port_ = 0;
  std::optional<TlsContext> tls_;
  std::set<std::shared_ptr<Peer>> peers_;
  std::vector<std::string> ids_;
  int swallow_ = 0;
  FakeServer* twin_;
  std::vector<FakeServer*> nodes_;  ///< of the book: all that share it
};

}  // namespace holdfast::client::play

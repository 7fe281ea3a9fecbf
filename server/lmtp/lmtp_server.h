/// The LMTP listener: takes mail that a mail server hands over, and makes posts of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/result.h"
#include "net/asio.h"
#include "net/listener.h"
#include "net/task_group.h"
#include "server/lmtp/lmtp_session.h"

namespace holdfast::lmtp {

/// What stands behind the listener. Called on its thread, and must not block. `then` is called once, at any time, from
/// any thread, for as long as the listener's loop exists; after SessionOptions::answer_max nobody waits for it any more.
struct Parts {
  /// Whose answers come to this token? not_found: nobody's, or not any more. Any other error: for later.
  std::function<void(ReplyToken token, std::function<void(Result<ReplyTarget>)> then)> find;
  /// Posts `text` as that user. The same `message_id` twice for one target is one post: a mail server that had no reply
  /// hands the same mail over again. Which error tells the sender what: lmtp_delivery.cc.
  std::function<void(ReplyTarget target, std::string message_id, std::string text, std::function<void(Status)> then)>
      post;
};

struct LmtpServerOptions {
  SessionOptions session;
  std::size_t connections_max = 64;             ///< more are told 421 and closed
  std::chrono::milliseconds write_max{60'000};  ///< for replies to be taken by the peer: else close
  std::chrono::milliseconds drain_max{10'000};  ///< for posts under way when the server stops: else close
};

/// Whoever reaches the port may hand over mail; only the secret in the recipient's address makes a post of it. It belongs
/// on loopback or into a private network all the same. No TLS.
///
/// Owned by a node, on its executor's thread (or used while that does not run). After listen(), it may only be destroyed
/// when stop() has called back. Memory: for each connection one message, and its text for each recipient.
class LmtpServer {
 public:
  LmtpServer(any_io_executor executor, Parts parts, LmtpServerOptions options = {});
  ~LmtpServer();
  LmtpServer(const LmtpServer&) = delete;
  LmtpServer& operator=(const LmtpServer&) = delete;

  /// Fails as Listener::open does. Once.
  Result<tcp::endpoint> listen(const HostPort& where);
  /// Takes no further connection, ends those that post nothing with 421, and those that do when their reply is out, or
  /// after drain_max. `stopped` is called later, when all is gone. Once.
  void stop(std::function<void()> stopped);

  struct Figures {
    Session::Figures messages;
    std::uint64_t connections = 0;          ///< open now
    std::uint64_t connections_refused = 0;  ///< there were too many
  };
  Figures figures() const;

 private:
  struct Connection;

  void accept(tcp::socket socket);
  Awaitable<void> serve(std::shared_ptr<Connection> connection);
  Awaitable<void> converse(std::shared_ptr<Connection> connection);
  Awaitable<void> linger(std::shared_ptr<Connection> connection);
  Awaitable<void> tell_when_stopped(std::function<void()> stopped);
  void carry_out_asks(const std::shared_ptr<Connection>& connection);

  const Parts parts_;
  const LmtpServerOptions options_;
  std::unique_ptr<Listener> listener_;
  std::set<Connection*> connections_;  ///< each owned by its coroutine
  Session::Figures ended_;             ///< of connections that are gone
  std::uint64_t refused_ = 0;
  bool stopping_ = false;
  TaskGroup tasks_;   ///< the accept loop and connections
  TaskGroup ending_;  ///< what awaits tasks_
};

}  // namespace holdfast::lmtp

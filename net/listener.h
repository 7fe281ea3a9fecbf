/// A listening TCP socket that outlives storms and a full descriptor table; and its opposite, connecting.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/asio.h"

namespace holdfast {

/// "host:port" cut in two. An IPv6 address has brackets in text and none here.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  std::string str() const;  ///< back to text, with brackets where needed
};

/// `host:port`, `[v6]:port`; the port is required and 0 to 65535. Fails with invalid_argument and an example.
Result<HostPort> parse_host_port(std::string_view text);

struct ListenOptions {
  bool reuse_port = false;  ///< SO_REUSEPORT: several workers listen on one port and the kernel spreads
  int backlog = 16384;      ///< bounded by net.core.somaxconn
  /// TCP_DEFER_ACCEPT: who connects is accepted with the first bytes, or a second later without any: until then it costs
  /// neither a descriptor nor a turn of the loop. For protocols in which the client speaks first.
  bool after_first_bytes = false;
};

/// Takes a socket that was accepted, non-blocking and without Nagle's delay, and whose it is. Must not block.
using OnAccept = std::function<void(tcp::socket, const tcp::endpoint& remote)>;
/// Connections that the system has set up and nobody has accepted yet; it drops who comes beyond `max`.
struct Backlog {
  std::size_t waiting = 0, max = 0;
};
/// How many are accepted next, and after how long. Behind them everything else that is ready has its turn.
struct AcceptGo {
  std::size_t count = 0;  ///< 0: none as yet, ask again then
  std::chrono::microseconds after{0};
};
/// Asked before each go. Where the last go took all that came, nobody waits.
using AcceptPace = std::function<AcceptGo(const Backlog&)>;

/// Owned by a worker or a node; on its executor's thread. The accept loop is a task of the owner's task group, which
/// keeps the listener alive until the loop has ended.
class Listener {
 public:
  /// Opens, binds and listens. The host is an address or localhost; port 0 lets the system choose. Fails with
  /// invalid_argument (not an address of this machine), in_use or permission_denied, and says what to do.
  static Result<std::unique_ptr<Listener>> open(any_io_executor executor, const HostPort& where,
                                                ListenOptions options = {});
  ~Listener();

  /// The bound address, with the real port.
  const tcp::endpoint& local() const { return local_; }
  std::uint16_t port() const { return local_.port(); }
  bool is_loopback() const { return local_.address().is_loopback(); }

  /// Hands over every accepted socket until close() or cancellation, also a gentle one; returns then. Without a free
  /// descriptor it takes one connection at a time with a reserved one and closes it, so that the peer learns at once,
  /// and pauses in between; it never spins.
  Awaitable<void> accept_loop(OnAccept on_accept, AcceptPace pace = {});

  /// Stops listening; connections in the backlog are reset. Idempotent.
  void close();

  std::uint64_t accepted() const { return accepted_; }
  /// Connections closed unserved because no descriptor was free.
  std::uint64_t refused() const { return refused_; }

 private:
  explicit Listener(tcp::acceptor acceptor);
  enum class Turn { wait, more, pause, stop };
  Turn accept_some(std::size_t count, const OnAccept& on_accept);
  Turn refuse_one(const error_code& shortage);
  Backlog backlog();

  tcp::acceptor acceptor_;
  tcp::endpoint local_;
  int reserve_ = -1;  ///< an open descriptor to give up when there is no other
  std::uint64_t accepted_ = 0;
  std::uint64_t refused_ = 0;
  bool reported_ = false;  ///< the shortage was logged; once until an accept works again
};

/// Resolves and connects, trying each address in turn. Fails with io (and what the system said) or retry_later (the
/// time is up). The time is for all of it. On the caller's executor.
Awaitable<Result<tcp::socket>> connect(HostPort where, std::chrono::milliseconds time_max);

}  // namespace holdfast

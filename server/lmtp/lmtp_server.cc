#include "server/lmtp/lmtp_server.h"

#include <array>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <span>

#include "base/check.h"
#include "net/stream.h"
#include "net/watchdog.h"

namespace holdfast::lmtp {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kPieceBytes = 16 << 10;
constexpr int kPiecesInARow = 16;  ///< then others on the thread get their turn
constexpr std::chrono::seconds kLingerMax{2};
constexpr std::size_t kLingerBytesMax = 1 << 20;

void add(Session::Figures& to, const Session::Figures& more) {
  to.posted += more.posted;
  to.refused += more.refused;
  to.later += more.later;
}

}  // namespace

/// One connection: its coroutine owns it; what comes back from outside only knows it for as long as that lasts.
struct LmtpServer::Connection {
  Connection(tcp::socket socket, const SessionOptions& options)
      : stream(std::move(socket)), session(options, steady_now()), wakes(stream.executor()) {}

  /// Whatever the coroutine waits for, it looks again.
  void wake() {
    woken = true;
    wakes.cancel();
  }
  /// Returns when something happened, or at the session's deadline.
  Awaitable<void> wait() {
    if (!std::exchange(woken, false)) {
      wakes.expires_at(session.deadline());
      co_await wakes.async_wait(asio::experimental::as_tuple(asio::use_awaitable));
      woken = false;
    }
  }

  Stream stream;
  Session session;
  asio::steady_timer wakes;
  bool woken = false;
  bool waits_for_input = false;
};

LmtpServer::LmtpServer(any_io_executor executor, Parts parts, LmtpServerOptions options)
    : parts_(std::move(parts)), options_(std::move(options)), tasks_(executor), ending_(executor) {}

LmtpServer::~LmtpServer() = default;

Result<tcp::endpoint> LmtpServer::listen(const HostPort& where) {
  HF_CHECK(!listener_, "an LMTP server listens once");
  auto listener = Listener::open(tasks_.executor(), where);
  if (!listener) return listener.error();
  listener_ = std::move(*listener);
  tasks_.spawn("lmtp_accept",
               listener_->accept_loop([this](tcp::socket socket, const tcp::endpoint&) { accept(std::move(socket)); }));
  return listener_->local();
}

void LmtpServer::accept(tcp::socket socket) {
  auto connection = std::make_shared<Connection>(std::move(socket), options_.session);
  if (tasks_.size() > options_.connections_max) {  // the accept loop is one of them
    ++refused_;
    connection->stream.write_now("421 4.3.2 too many connections; come back later\r\n");
    connection->stream.shutdown();
    return;
  }
  tasks_.spawn("lmtp", serve(std::move(connection)));
}

Awaitable<void> LmtpServer::serve(std::shared_ptr<Connection> connection) {
  /// However the conversation ends, also by cancellation.
  struct Registered {
    Registered(LmtpServer& s, Connection& c) : server(s), its(c) { server.connections_.insert(&its); }
    ~Registered() {
      server.connections_.erase(&its);
      add(server.ended_, its.session.figures());
    }
    LmtpServer& server;
    Connection& its;
  };
  const Registered registered(*this, *connection);
  if (stopping_) connection->session.drain();
  co_await converse(connection);
}

Awaitable<void> LmtpServer::converse(std::shared_ptr<Connection> connection) {
  Session& session = connection->session;
  Stream& stream = connection->stream;
  std::array<char, kPieceBytes> piece;
  int pieces = 0;
  for (;;) {
    carry_out_asks(connection);
    const std::string output = session.take_output();
    if (!output.empty()) {
      Watchdog watchdog(stream);
      watchdog.arm(options_.write_max);
      const auto error = co_await stream.write_all(output);
      if (error) co_return;
    }
    if (session.ended()) break;
    if (session.wants_input() && !connection->waits_for_input) {
      const std::span<char> room(piece);
      const auto read = stream.read_now(room);
      if (read.ok()) {
        session.receive(std::string_view(piece.data(), read.bytes), steady_now());
        if (++pieces % kPiecesInARow == 0) co_await asio::post(stream.executor(), asio::use_awaitable);
        continue;
      }
      if (!read.would_block()) co_return;  // the peer is gone: whatever it did not hear, it asks again
      connection->waits_for_input = true;
      stream.on_readable([weak = std::weak_ptr(connection)](error_code) {
        const auto its = weak.lock();
        if (!its) return;
        its->waits_for_input = false;
        its->wake();
      });
    }
    co_await connection->wait();
    session.tick(steady_now());
  }
  co_await linger(connection);
}

/// Lets the peer have the last reply: closing with unread bytes resets the connection, and that could overtake it.
Awaitable<void> LmtpServer::linger(std::shared_ptr<Connection> connection) {
  Stream& stream = connection->stream;
  stream.cancel();  // a wait for input may be under way
  stream.shutdown();
  Watchdog watchdog(stream);
  watchdog.arm(kLingerMax);
  std::array<char, kPieceBytes> piece;
  for (std::size_t bytes = 0; bytes < kLingerBytesMax;) {
    const std::span<char> room(piece);
    const auto read = co_await stream.read_some(room);
    if (read.error) co_return;
    bytes += read.bytes;
  }
}

/// Answers come on any thread; each finds its way to the session over the connection's loop, if there still is one.
void LmtpServer::carry_out_asks(const std::shared_ptr<Connection>& connection) {
  const auto answer = [executor = connection->stream.executor(), weak = std::weak_ptr(connection)](auto deliver) {
    asio::post(executor, [weak, deliver = std::move(deliver)]() mutable {
      const auto its = weak.lock();
      if (!its) return;
      deliver(its->session);
      its->wake();
    });
  };
  for (Ask& ask : connection->session.take_asks()) {
    if (const auto* find = std::get_if<AskTarget>(&ask)) {
      parts_.find(find->token, [answer, question = find->question](Result<ReplyTarget> target) {
        answer([question, target = std::move(target)](Session& session) mutable {
          session.found(question, std::move(target), steady_now());
        });
      });
      continue;
    }
    auto& post = std::get<AskPost>(ask);
    parts_.post(std::move(post.target), std::move(post.message_id), std::move(post.text),
                [answer, question = post.question](Status status) {
                  answer([question, status = std::move(status)](Session& session) {
                    session.posted(question, status, steady_now());
                  });
                });
  }
}

void LmtpServer::stop(std::function<void()> stopped) {
  stopping_ = true;
  if (listener_) listener_->close();
  for (Connection* connection : connections_) {
    connection->session.drain();
    connection->wake();
  }
  ending_.spawn("lmtp_stop", tell_when_stopped(std::move(stopped)));
}

Awaitable<void> LmtpServer::tell_when_stopped(std::function<void()> stopped) {
  asio::steady_timer overdue(ending_.executor());
  overdue.expires_after(options_.drain_max);
  overdue.async_wait([this](error_code error) {
    if (!error) tasks_.cancel();
  });
  co_await tasks_.join();
  overdue.cancel();
  // Behind the end of this coroutine: `stopped` may destroy the server.
  asio::post(ending_.executor(), [executor = ending_.executor(), stopped = std::move(stopped)]() mutable {
    asio::post(executor, std::move(stopped));
  });
}

LmtpServer::Figures LmtpServer::figures() const {
  Figures figures{ended_, connections_.size(), refused_};
  for (const Connection* connection : connections_) add(figures.messages, connection->session.figures());
  return figures;
}

}  // namespace holdfast::lmtp

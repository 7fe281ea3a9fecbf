#include "failover/io/peer_accept.h"

#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "failover/io/peer_dial.h"
#include "failover/io/peer_dial_back.h"
#include "failover/io/peer_hello.h"

namespace holdfast::failover {

namespace asio = boost::asio;

namespace {

constexpr auto kAsTuple = asio::experimental::as_tuple(asio::use_awaitable);
constexpr int kStrangersMax = 64;
constexpr int kReadsInARow = 16;  ///< before others on the thread get their turn

/// Lets the peer have our last words: closing with unread bytes resets the connection, which takes them away. Below TLS,
/// which may have failed. A watchdog ends it.
Awaitable<void> hang_up(Stream& stream) {
  stream.shutdown();
  std::array<char, 1024> sink;
  while (stream.is_open()) {
    auto [error] = co_await stream.socket().async_wait(tcp::socket::wait_read, kAsTuple);
    if (error || !stream.is_open()) break;
    const auto read = ::recv(stream.native_handle(), sink.data(), sink.size(), MSG_DONTWAIT);
    if (read == 0 || (read < 0 && errno != EAGAIN)) break;
  }
}

}  // namespace

Result<std::uint16_t> PeerAccept::listen() {
  auto opened = Listener::open(shared_.executor, shared_.options.listen);
  if (!opened) return opened.error();
  listener_ = std::move(*opened);
  shared_.tasks.spawn("peer_listener", listener_->accept_loop([this](tcp::socket socket, const tcp::endpoint&) {
    take(std::move(socket));
  }));
  return listener_->port();
}

void PeerAccept::close() {
  if (listener_) listener_->close();
  for (Stream* stream : open_) stream->close();
}

void PeerAccept::take(tcp::socket socket) {
  if (shared_.closing || strangers_ >= kStrangersMax) return;
  set_peer_socket_options(socket);
  ++strangers_;
  shared_.tasks.spawn("peer_accepted", serve(std::make_unique<Stream>(std::move(socket))));
}

Awaitable<void> PeerAccept::serve(std::unique_ptr<Stream> stream) {
  co_await asio::this_coro::throw_if_cancelled(false);  // close() ends everything it waits for
  open_.insert(stream.get());
  if (shared_.closing) stream->close();
  std::optional<Greeted> greeted;
  {
    Watchdog watchdog(*stream);
    watchdog.arm(shared_.options.handshake_max);
    greeted = co_await greet(*stream, watchdog);
  }
  --strangers_;
  if (greeted) {
    auto peer = std::move(*greeted);
    co_await read(*stream, std::move(peer));
  }
  open_.erase(stream.get());
}

// ------------------------------------------------------------------------------------------------ both Hellos

Awaitable<bool> PeerAccept::start_tls(Stream& stream) {
  const auto started = stream.start_tls_server(*shared_.options.tls_server);
  if (!started) co_return false;
  const auto failed = co_await stream.handshake();
  if (!failed) co_return true;
  if (failed.category() == certificate_category() || failed.category() == tls_category()) {
    shared_.refused(NodeId(0), stream.remote_text(),
                    "TLS failed: " + failed.message() +
                        "; a node needs TLS on, and a certificate of this cluster's authority (holdfastctl certs) that "
                        "is still valid");
    co_await hang_up(stream);
  }
  co_return false;
}

Awaitable<std::optional<PeerAccept::Greeted>> PeerAccept::greet(Stream& stream, Watchdog& watchdog) {
  if (shared_.options.tls_server) {
    const bool secured = co_await start_tls(stream);
    if (!secured) co_return std::nullopt;
  }
  auto first = co_await read_first_frame(stream);
  if (first) {
    auto greeted = co_await answer(stream, watchdog, std::move(*first));
    co_return greeted;
  }
  if (first.error().code != Errc::io) {
    const char* hint = stream.is_tls() ? "" : "; is TLS on at the other end only?";
    shared_.garbage(NodeId(0), stream.remote_text(), "no Hello: " + first.error().message + hint);
  }
  co_return std::nullopt;
}

/// Another process with the same id may be the peer's next life, or a second one. The old one's connections break when
/// it ends, within seconds at worst: as long as they stand, it is a second one.
std::optional<std::string> PeerAccept::why_not(const peer::Hello& theirs) const {
  if (auto wrong = why_refused(shared_.options.own, theirs, shared_.options.clock())) return wrong;
  const auto peer = shared_.find(NodeId(theirs.node()));
  if (!peer) return std::nullopt;
  if (peer->dial) peer->dial->peer_went();
  const std::string* dialled = peer->dial ? peer->dial->boot_id() : nullptr;
  const bool other =
      (dialled && *dialled != theirs.boot_id()) || (peer->accepted && peer->accepted_boot != theirs.boot_id());
  if (!other) return std::nullopt;
  return "node id " + std::to_string(theirs.node()) +
         " is in use: another process has it and is connected; if it just died, this passes by itself, else one of the "
         "two runs on a copy of the data directory";
}

Awaitable<std::optional<PeerAccept::Greeted>> PeerAccept::answer(Stream& stream, Watchdog& watchdog, FirstFrame first) {
  if (!first.frame->has_hello()) {
    shared_.garbage(NodeId(0), stream.remote_text(), "the first frame is no Hello");
    co_return std::nullopt;
  }
  const auto& theirs = first.frame->hello();
  auto wrong = why_not(theirs);
  if (!wrong && !theirs.dial_back().empty()) {
    watchdog.arm(kDialBackMax + shared_.options.handshake_max);
    wrong = co_await why_out_of_reach(shared_, theirs);
  }
  if (wrong) shared_.refused(NodeId(theirs.node()), stream.remote_text(), *wrong);
  const auto bytes = wrong ? framed_refusal(*wrong) : shared_.hello();
  const auto failed = co_await stream.write_all(bytes);
  if (wrong && !failed) co_await hang_up(stream);
  if (!wrong && !failed && !shared_.dial_back.empty()) co_await hang_up(stream);  // a newcomer shows itself, no more
  if (wrong || failed || !shared_.dial_back.empty()) co_return std::nullopt;
  co_return Greeted{shared_.peer_of(NodeId(theirs.node())), theirs, std::move(first.rest)};
}

// ------------------------------------------------------------------------------------------------ while it stands

Awaitable<void> PeerAccept::read(Stream& stream, Greeted greeted) {
  const auto peer = std::move(greeted.peer);
  if (peer->accepted) peer->accepted->close();  // the peer gave it up: it dialled anew
  peer->accepted = &stream;
  peer->accepted_boot = greeted.hello.boot_id();
  const Member from = member_of(greeted.hello);
  if (peer->dial) peer->dial->peer_came();
  PeerFrames frames(shared_.options.frame_bytes_max);
  bool good = feed(stream, *peer, from, frames, greeted.rest);
  for (int reads = 0; good && stream.is_open(); ++reads) {
    const auto result = stream.read_now(shared_.read_buffer);
    if (result.ok()) {
      good = feed(stream, *peer, from, frames, {shared_.read_buffer.data(), result.bytes});
      if (reads % kReadsInARow != kReadsInARow - 1) continue;
    } else if (!result.would_block()) {
      break;
    }
    if (!good || !stream.is_open()) break;
    const auto error = result.ok() ? co_await stream.wait_readable() : co_await stream.wait_for(result);
    if (error) break;
  }
  stream.close();
  if (peer->accepted != &stream) co_return;
  peer->accepted = nullptr;
  if (peer->dial && !shared_.closing) peer->dial->peer_went();
}

bool PeerAccept::feed(Stream& stream, Peer& peer, const Member& from, PeerFrames& frames, std::string_view input) {
  peer.bytes_in.fetch_add(input.size(), std::memory_order_relaxed);
  while (stream.is_open()) {
    auto frame = frames.next(input);
    if (!frame) {
      shared_.garbage(peer.node, stream.remote_text(), frame.error().message);
      return false;
    }
    if (!*frame) return true;
    if ((*frame)->has_refused()) {
      shared_.refused(peer.node, stream.remote_text(), "refused by the peer: " + for_log((*frame)->refused().reason()));
      return false;
    }
    if ((*frame)->has_hello()) {
      shared_.garbage(peer.node, stream.remote_text(), "a second Hello");
      return false;
    }
    peer.frames_in.fetch_add(1, std::memory_order_relaxed);
    shared_.handlers.on_frame(from, std::move(*frame));
  }
  return false;
}

}  // namespace holdfast::failover

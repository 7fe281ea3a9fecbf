#include "failover/io/peer_dial.h"

#include <spdlog/spdlog.h>
#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "failover/io/peer_hello.h"
#include "net/watchdog.h"

namespace holdfast::failover {

namespace asio = boost::asio;

namespace {

constexpr auto kAsTuple = asio::experimental::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kStable{1};
constexpr const char* kTlsAdvice =
    "; both nodes need certificates of the same authority (holdfastctl certs), still valid, and TLS on";

LinkDown evidence_of_failed_connect(const error_code& error) {
  return error == asio::error::connection_refused ? LinkDown::refused : LinkDown::timed_out;
}

LinkDown evidence_of_loss(const error_code& error) {
  const bool silent = error == asio::error::timed_out || error == asio::error::host_unreachable ||
                      error == asio::error::network_unreachable;
  return silent ? LinkDown::timed_out : LinkDown::closed;
}

/// Alive while connect() runs: the timer's end may be on its way already when that is done.
struct Deadline {
  explicit Deadline(tcp::socket* of) : socket(of) {}
  void pass() {
    passed = true;
    error_code ignored;
    socket->close(ignored);
  }
  tcp::socket* socket;
  bool passed = false;
};

}  // namespace

PeerDial::PeerDial(PeerShared& shared, std::shared_ptr<Peer> peer, HostPort where)
    : shared_(shared),
      peer_(std::move(peer)),
      where_(std::move(where)),
      timer_(shared.executor),
      wake_(shared.executor, asio::steady_timer::time_point::max()) {}

Awaitable<void> PeerDial::run(std::shared_ptr<PeerDial> self) {
  co_await asio::this_coro::throw_if_cancelled(false);  // stop() ends everything it waits for
  while (!self->stopped_ && !self->draining_) {
    const auto began = steady_now();
    const auto end = co_await self->attempt();
    if (self->stopped_ || self->draining_) break;
    if (end.evidence) self->shared_.handlers.on_down(self->peer_->node, *end.evidence);
    if (end.was_up && steady_now() - began >= kStable) self->quick_losses_ = 0;
    // At once after a loss, unless it keeps coming to nothing.
    const auto delay = self->backoff(end.was_up ? self->quick_losses_++ : ++self->failures_);
    co_await self->pause(delay);
  }
}

std::chrono::milliseconds PeerDial::backoff(int tries) {
  if (tries == 0) return std::chrono::milliseconds(0);
  const auto least = shared_.options.backoff_min.count();
  const auto most = std::min(least << std::min(tries - 1, 16), shared_.options.backoff_max.count());
  const auto half = static_cast<std::uint64_t>(most / 2 + 1);
  return std::chrono::milliseconds(most / 2 + static_cast<std::int64_t>(random_.below(half)));
}

Awaitable<void> PeerDial::pause(std::chrono::milliseconds delay) {
  if (stopped_ || draining_ || delay.count() == 0) co_return;
  pausing_ = true;
  timer_.expires_after(delay);
  co_await timer_.async_wait(kAsTuple);
  pausing_ = false;
}

Awaitable<PeerDial::End> PeerDial::attempt() {
  tcp::socket socket(shared_.executor);
  const auto failed = co_await connect(socket);
  if (stopped_ || draining_) co_return End{};
  if (failed) {
    shared_.unreachable(peer_->node, where_.str(), failed.message());
    co_return End{false, evidence_of_failed_connect(failed)};
  }
  set_peer_socket_options(socket);
  Stream stream(std::move(socket));
  stream_ = &stream;
  end_.reset();
  End end;
  Watchdog watchdog(stream);
  watchdog.arm(shared_.options.handshake_max);
  const auto theirs = co_await greet(stream);
  watchdog.disarm();
  if (theirs && !stopped_ && !draining_) {
    co_await converse(stream, *theirs);
    end = {true, evidence_of_loss(end_.value_or(error_code()))};
  } else if (watchdog.barked()) {
    end.evidence = LinkDown::timed_out;
  }
  stream_ = nullptr;
  co_return end;
}

// ------------------------------------------------------------------------------------------------ connecting

Awaitable<error_code> PeerDial::connect(tcp::socket& socket) {
  connecting_ = &socket;
  const auto deadline = std::make_shared<Deadline>(&socket);
  timer_.expires_after(shared_.options.connect_max);
  timer_.async_wait([weak = std::weak_ptr(deadline)](error_code error) {
    if (const auto connecting = weak.lock(); connecting && !error) connecting->pass();
  });
  error_code error;
  const auto known = std::exchange(last_, std::nullopt);
  const auto address = asio::ip::make_address(where_.host, error);
  if (known || !error) {
    const tcp::endpoint to = known ? *known : tcp::endpoint(address, where_.port);
    error = co_await connect_to(socket, to);
  } else {
    tcp::resolver resolver(shared_.executor);
    auto [unknown, found] = co_await resolver.async_resolve(where_.host, std::to_string(where_.port), kAsTuple);
    error = unknown;
    for (auto at = found.begin(); at != found.end() && !deadline->passed && !stopped_ && !draining_; ++at) {
      const tcp::endpoint to = at->endpoint();
      error = co_await connect_to(socket, to);
      if (!error) break;
    }
  }
  connecting_ = nullptr;
  timer_.cancel();
  if (deadline->passed) co_return asio::error::timed_out;
  co_return error;
}

Awaitable<error_code> PeerDial::connect_to(tcp::socket& socket, tcp::endpoint to) {
  error_code error;
  if (socket.is_open()) socket.close(error);
  socket.open(to.protocol(), error);
  if (error) co_return error;
  auto [failed] = co_await socket.async_connect(to, kAsTuple);
  // On one machine, a port that nobody listens on may be the one that the kernel chose for us.
  if (!failed && socket.local_endpoint(error) == to) co_return asio::error::connection_refused;
  co_return failed;
}

// ------------------------------------------------------------------------------------------------ both Hellos

Awaitable<bool> PeerDial::start_tls(Stream& stream) {
  const auto started = stream.start_tls_client(*shared_.options.tls_client, where_.host);
  if (!started) {
    shared_.refused(peer_->node, where_.str(), started.error().message);
    co_return false;
  }
  const auto failed = co_await stream.handshake();
  const bool is_verdict = failed.category() == certificate_category() || failed.category() == tls_category();
  if (failed && is_verdict) shared_.refused(peer_->node, where_.str(), "TLS failed: " + failed.message() + kTlsAdvice);
  co_return !failed;
}

Awaitable<std::optional<peer::Hello>> PeerDial::greet(Stream& stream) {
  if (shared_.options.tls_client) {
    const bool secured = co_await start_tls(stream);
    if (!secured) co_return std::nullopt;
  }
  const auto hello = shared_.hello();
  const auto unsent = co_await stream.write_all(hello);
  if (unsent) co_return std::nullopt;
  auto first = co_await read_first_frame(stream);
  if (first) {
    auto theirs = co_await take_answer(stream, std::move(*first));
    co_return theirs;
  }
  const auto& error = first.error();
  if (error.code == Errc::permission_denied) {  // in TLS 1.3 the verdict on our certificate comes behind the handshake
    shared_.refused(peer_->node, where_.str(), "the peer refused our certificate: " + error.message + kTlsAdvice);
  } else if (error.code != Errc::io) {
    shared_.garbage(peer_->node, where_.str(), error.message);
  }
  co_return std::nullopt;
}

Awaitable<std::optional<peer::Hello>> PeerDial::take_answer(Stream& stream, FirstFrame first) {
  const auto peer = where_.str();
  if (first.frame->has_refused()) {
    shared_.refused(peer_->node, peer, "refused by the peer: " + for_log(first.frame->refused().reason()));
    co_return std::nullopt;
  }
  if (!first.frame->has_hello() || !first.rest.empty()) {
    shared_.garbage(peer_->node, peer, "no Hello for an answer");
    co_return std::nullopt;
  }
  const auto& theirs = first.frame->hello();
  const auto wrong = why_refused(shared_.options.own, theirs, shared_.options.clock(), peer_->node);
  if (!wrong) co_return theirs;
  shared_.refused(peer_->node, peer, *wrong);
  const auto refusal = framed_refusal(*wrong);  // for the other's log
  static_cast<void>(co_await stream.write_all(refusal));
  stream.shutdown();
  co_return std::nullopt;
}

// ------------------------------------------------------------------------------------------------ while it is up

Awaitable<void> PeerDial::converse(Stream& stream, peer::Hello theirs) {
  boot_id_ = theirs.boot_id();
  failures_ = 0;
  last_ = stream.remote();
  up_ = true;
  peer_->outbox.open();
  peer_->up = true;
  spdlog::info("peer_up node={} version={} tls={}", peer_->node.value, for_log(theirs.version()), stream.is_tls());
  // Who answers is another process than the one whose connection still stands: that one is gone, and what it sent last,
  // which a cut may have held back, is not to come between what this one says.
  if (peer_->accepted && peer_->accepted_boot != boot_id_) peer_->accepted->close();
  shared_.handlers.on_up(theirs);
  TaskGroup writer(shared_.executor);
  if (!stopped_) writer.spawn("peer_writer", write(stream));
  co_await read_to_end(stream);
  if (!stopped_ && !draining_) {
    peer_->losses.fetch_add(1, std::memory_order_relaxed);
    spdlog::info("peer_down node={} reason=\"{}\"", peer_->node.value, end_.value_or(error_code()).message());
  }
  go_down();
  stream.close();
  wake_.cancel();
  co_await writer.join();
}

void PeerDial::go_down() {
  if (!up_) return;
  up_ = false;
  peer_->up = false;
  peer_->dropped.fetch_add(peer_->outbox.close(), std::memory_order_relaxed);
}

Awaitable<void> PeerDial::write(Stream& stream) {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (up_ && stream.is_open()) {
    const auto chunk = peer_->outbox.next();
    if (chunk.empty()) {
      if (draining_) co_return stream.shutdown();
      wake_.expires_at(asio::steady_timer::time_point::max());
      co_await wake_.async_wait(kAsTuple);
      continue;
    }
    const auto result = stream.write_now(chunk);
    if (result.ok()) {
      const auto took = peer_->outbox.took(result.bytes);
      peer_->bytes_out.fetch_add(result.bytes, std::memory_order_relaxed);
      peer_->frames_out.fetch_add(took.frames, std::memory_order_relaxed);
    } else if (result.would_block()) {
      static_cast<void>(co_await stream.wait_for(result));  // the next try tells what it was
    } else {
      ended(stream, result.error);
    }
  }
}

/// Nothing comes back on a connection that we dialled, but its end.
Awaitable<void> PeerDial::read_to_end(Stream& stream) {
  std::array<char, 256> buffer;
  const std::span<char> room(buffer);
  const auto read = co_await stream.read_some(room);
  if (read.bytes > 0) shared_.garbage(peer_->node, where_.str(), "frames where none are due");
  ended(stream, read.error);
}

/// The first reason stands: closing makes others.
void PeerDial::ended(Stream& stream, const error_code& error) {
  if (!end_) end_ = error;
  stream.close();
}

void PeerDial::turn() {
  if (peer_->outbox.turn() && up_ && stream_ && stream_->is_open()) {
    peer_->overflows.fetch_add(1, std::memory_order_relaxed);
    spdlog::warn("peer_overflow node={} queued_bytes={} done=closed", peer_->node.value, peer_->outbox.queued_bytes());
    ended(*stream_, asio::error::no_buffer_space);
  }
  wake_.cancel();
}

void PeerDial::peer_came() {
  if (pausing_) timer_.cancel();
}

void PeerDial::peer_went() {
  if (up_ && stream_ && stream_->is_open() && has_ended(*stream_)) ended(*stream_, asio::error::eof);
}

void PeerDial::drain() {
  draining_ = true;
  if (!up_) return stop();
  wake_.cancel();
}

void PeerDial::stop() {
  stopped_ = true;
  go_down();
  if (stream_) stream_->close();
  if (connecting_) {
    error_code ignored;
    connecting_->close(ignored);
  }
  timer_.cancel();
  wake_.cancel();
}

}  // namespace holdfast::failover

#include "clients/cpp/link.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>

#include "net/connect.h"

namespace holdfast::client {

namespace {
/// Reads of one connection before others get their turn.
constexpr int kReadsPerTurn = 4;
/// A write buffer larger than this is given back when it is empty.
constexpr std::size_t kKeptBytesMax = 16 * 1024;
/// Longest wait that a server may ask for before TLS.
constexpr std::uint64_t kPlainRetryMaxMs = 10'000;

std::string text_of(const error_code& error) {
  if (error == boost::asio::error::eof) return "the server closed the connection";
  return error.message();
}
}  // namespace

Link::Link(Client::Core& core, Endpoint endpoint, std::chrono::milliseconds time_max)
    : core_(&core), runtime_(core.runtime), endpoint_(std::move(endpoint)), time_max_(time_max) {}

// ------------------------------------------------------------------------------------------------ opening

Awaitable<Status> Link::open_tls(std::shared_ptr<Link> link) {
  auto context = link->runtime_.tls(link->core_->trust);
  if (!context) co_return context.error();
  if (link->core_->tls_tickets) context = context->with_tickets(link->core_->tls_tickets);
  auto started = link->stream_->start_tls_client(*context, link->endpoint_.host);
  if (!started) co_return started.error();
  const error_code error = co_await link->stream_->handshake();
  if (error == boost::system::errc::bad_message && link->core_ != nullptr) co_return link->take_plain_answer();
  if (error) co_return Error{Errc::io, "TLS: " + text_of(error)};
  link->tls_resumed_ = link->stream_->tls_resumed();
  co_return Ok{};
}

/// Of what nobody vouches for only this is believed: that there is no room as yet, for some seconds.
Error Link::take_plain_answer() {
  const std::string answer = stream_->plain_answer();
  std::string_view bytes(answer);
  auto payload = decoder_.next(bytes);
  v1::ServerFrame frame;
  const bool whole =
      payload && *payload && frame.ParseFromArray((*payload)->data(), static_cast<int>((*payload)->size()));
  if (!whole || frame.error().code() != v1::RETRY) return {Errc::io, "the server did not answer by TLS"};
  const auto wait = std::min<std::uint64_t>(frame.error().retry_after_ms(), kPlainRetryMaxMs);
  retry_after_ = std::chrono::milliseconds(wait);
  return {Errc::io, "the server has no room as yet: " + frame.error().message()};
}

Awaitable<Status> Link::open_websocket(std::shared_ptr<Link> link) {
  WebSocketOptions options;
  options.handshake_max = link->time_max_;
  auto opened = co_await WebSocketConnection::connect(std::move(link->stream_), link->endpoint_.authority(), options);
  if (!opened) co_return opened.error();
  link->websocket_ = std::move(*opened);
  if (link->core_ == nullptr) link->websocket_->abort();
  co_return Ok{};
}

Awaitable<Status> Link::open(std::shared_ptr<Link> link) {
  HostPort where{link->endpoint_.host, link->endpoint_.port};
  std::string source = link->core_->source_address;
  auto socket = co_await connect_from(std::move(source), std::move(where), link->time_max_);
  if (!socket) co_return socket.error();
  if (link->core_ == nullptr) co_return Ok{};
  link->stream_ = std::make_unique<Stream>(std::move(*socket));
  if (link->endpoint_.tls) {
    auto secured = co_await open_tls(link);
    if (!secured || link->core_ == nullptr) co_return secured;
  }
  if (link->endpoint_.websocket) {
    auto upgraded = co_await open_websocket(link);
    co_return upgraded;
  }
  co_return Ok{};
}

Awaitable<void> Link::run(std::shared_ptr<Link> link) {
  auto opened = co_await open(link);
  if (link->core_ == nullptr) co_return;
  if (!opened) {
    link->core_->on_lost(*link, opened.error().message, link->retry_after_);
    co_return;
  }
  link->core_->on_open(*link);
  std::string reason;
  if (link->websocket_)
    reason = co_await read_websocket(link);
  else
    reason = co_await read_native(link);
  if (link->core_ != nullptr) link->core_->on_lost(*link, std::move(reason));
}

// ------------------------------------------------------------------------------------------------ reading

Link::Turn Link::take_bytes(std::string_view bytes) {
  const SteadyTime now = steady_now();
  while (true) {
    auto payload = decoder_.next(bytes);
    if (!payload) return {true, payload.error().message};
    if (!*payload) return {};
    if (!core_->on_payload(*this, now, **payload)) return {true, ""};
  }
}

Link::Turn Link::read_turn() {
  auto& buffer = runtime_.read_buffer;
  for (int i = 0; i < kReadsPerTurn; ++i) {
    const IoResult got = stream_->read_now(buffer);
    if (got.would_block()) return {};
    if (got.state == IoResult::State::end) return {true, "the server closed the connection"};
    if (!got.ok()) return {true, text_of(got.error)};
    runtime_.traffic.read_bytes += got.bytes;
    Turn turn = take_bytes({buffer.data(), got.bytes});
    if (turn.ended) return turn;
    // A short read means the socket is empty: one more call would only find that out. TLS may hold more.
    if (got.bytes < buffer.size() && !stream_->is_tls()) return {};
  }
  return {};
}

Awaitable<std::string> Link::read_native(std::shared_ptr<Link> link) {
  while (link->core_ != nullptr) {
    const error_code error = co_await link->stream_->wait_readable();
    if (link->core_ == nullptr) break;
    if (error) co_return text_of(error);
    Turn turn = link->read_turn();
    if (link->core_ == nullptr) break;
    if (turn.ended) co_return std::move(turn.reason);
    link->core_->after();
  }
  co_return std::string();
}

Awaitable<std::string> Link::read_websocket(std::shared_ptr<Link> link) {
  while (link->core_ != nullptr) {
    auto message = co_await link->websocket_->read();
    if (link->core_ == nullptr) break;
    if (!message) co_return message.error().message;
    if (!link->core_->on_payload(*link, steady_now(), *message)) break;
    link->core_->after();
  }
  co_return std::string();
}

// ------------------------------------------------------------------------------------------------ writing

void Link::write() {
  if (write_waits_ || core_ == nullptr) return;
  if (websocket_) {
    if (core_->output_of(*this).empty()) return;
    write_waits_ = true;
    runtime_.tasks.spawn("client websocket write", write_websocket(shared_from_this()));
  } else if (stream_) {
    write_native();
  }
}

void Link::write_native() {
  while (true) {
    if (written_ == writing_.size()) {
      writing_.clear();
      written_ = 0;
      if (core_ == nullptr || core_->output_of(*this).empty()) break;
      std::swap(writing_, core_->output_of(*this));
    }
    const IoResult put = stream_->write_now(std::string_view(writing_).substr(written_));
    if (put.would_block()) return wait_to_write();
    if (!put.ok()) return;  // the reader sees the same end and says so
    written_ += put.bytes;
    runtime_.traffic.written_bytes += put.bytes;
  }
  if (writing_.capacity() > kKeptBytesMax) writing_ = std::string();
}

void Link::wait_to_write() {
  write_waits_ = true;
  stream_->on_writable([weak = weak_from_this()](error_code error) {
    const auto link = weak.lock();
    if (!link) return;
    link->write_waits_ = false;
    if (!error && link->core_ != nullptr) link->write_native();
  });
}

/// False: the connection is gone. The reader sees the same end and says so.
Awaitable<bool> Link::write_frames(std::shared_ptr<Link> link, std::string frames) {
  FrameDecoder cutter;
  std::string_view rest = frames;
  while (true) {
    auto payload = cutter.next(rest);
    if (!payload || !*payload) co_return true;
    auto written = co_await link->websocket_->write(std::string(**payload));
    if (!written) co_return false;
  }
}

Awaitable<void> Link::write_websocket(std::shared_ptr<Link> link) {
  bool good = true;
  while (good && link->core_ != nullptr && !link->core_->output_of(*link).empty()) {
    std::string frames = std::exchange(link->core_->output_of(*link), {});
    good = co_await write_frames(link, std::move(frames));
  }
  link->write_waits_ = !good;  // of a connection that is gone nothing is asked any more
}

Awaitable<void> Link::close_websocket(std::shared_ptr<Link> link, std::string last) {
  constexpr std::uint16_t kNormalClosure = 1000;
  if (!link->write_waits_) co_await write_frames(link, std::move(last));
  std::string reason;
  co_await link->websocket_->close(kNormalClosure, std::move(reason));
}

void Link::drop(bool write_first) {
  if (stream_) {
    if (write_first) write_native();
    core_ = nullptr;
    if (write_first) stream_->shutdown();
    stream_->close();
    return;
  }
  auto* core = std::exchange(core_, nullptr);
  if (!websocket_) return;
  if (write_first)
    runtime_.tasks.spawn("client websocket close", close_websocket(shared_from_this(), core->output_of(*this)));
  else
    websocket_->abort();
}

}  // namespace holdfast::client

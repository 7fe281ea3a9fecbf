/// From an accepted socket to a connection: who speaks what, and who is refused.
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

#include <algorithm>

#include "server/gateway/gateway_impl.h"
#include "server/gateway/native_connection.h"
#include "server/gateway/websocket_connection.h"

namespace holdfast::gateway {
namespace {

/// Some 0.3 ms of work: who is connected waits for no more of them at a time.
constexpr std::size_t kAcceptsAtOnce = 4;
/// Two turns of handshakes: more would only wait here instead of with the system.
constexpr std::size_t kHandshakesReady = 8;
/// To who finds no room and nobody knows when there will be: the client's own back-off does better than any number.
constexpr std::chrono::milliseconds kWhenYouLike{0};
constexpr int kReadsMax = 16;  ///< of input that is thrown away

std::string error_bytes(v1::ErrorCode code, const char* message, std::chrono::milliseconds retry_after) {
  v1::ServerFrame frame;
  frame.mutable_error()->set_code(code);
  frame.mutable_error()->set_message(message);
  frame.mutable_error()->set_retry_after_ms(static_cast<std::uint64_t>(retry_after.count()));
  std::string bytes;
  append_frame(bytes, frame);
  return bytes;
}

std::string unavailable(std::chrono::milliseconds retry_after) {
  return fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      std::chrono::ceil<std::chrono::seconds>(retry_after).count());
}

/// Closing on unread bytes would take back what was said. What it begins with comes back.
std::string throw_away_input(int descriptor) {
  char buffer[4096];
  auto count = ::recv(descriptor, buffer, sizeof buffer, MSG_DONTWAIT);
  std::string first(buffer, static_cast<std::size_t>(std::clamp<ssize_t>(count, 0, kFirstBytesMax)));
  for (int more = 0; more < kReadsMax && count == sizeof buffer; ++more)
    count = ::recv(descriptor, buffer, sizeof buffer, MSG_DONTWAIT);
  return first;
}

/// To a peer that gets no session, as far as the socket takes it at once. In plain text to who wanted TLS, too: our
/// clients look for it, to others it is as good as a closed connection.
void refuse(int descriptor, const char* why, std::chrono::milliseconds retry_after) {
  const bool http = detect(throw_away_input(descriptor)) == FirstBytes::websocket;
  const std::string answer = http ? unavailable(retry_after) : error_bytes(v1::RETRY, why, retry_after);
  (void)!::send(descriptor, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/// Forgets an opening when its coroutine ends or hands the stream on.
template <class Map>
class Entry {
 public:
  Entry(Map& map, std::uint64_t id) : map_(map), id_(id) {}
  ~Entry() { map_.erase(id_); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  Map& map_;
  std::uint64_t id_;
};

}  // namespace

/// A few milliseconds of computing, then all that is ready has its turn; and no more are accepted than have theirs soon:
/// to wait in the system's hands costs nothing.
AcceptGo Gateway::Impl::next_accepts(const Backlog& backlog) {
  if (handshakes_->waiting() >= kHandshakesReady) return {};
  crowd_.look(backlog.waiting, backlog.max, now());
  return {.count = kAcceptsAtOnce + crowd_.surplus(), .after = crowd_.rest(session_counters_.settled_at, now())};
}

void Gateway::Impl::adopt(tcp::socket socket, const tcp::endpoint& remote) {
  if (draining_ || is_sent_away(socket.native_handle())) return;  // the socket closes
  auto place = parts_.admission.admit();
  if (!place) {
    ++refused_.full;
    return refuse(socket.native_handle(), "no more connections", kWhenYouLike);
  }
  const auto id = next_id_++;
  auto stream = std::make_unique<Stream>(std::move(socket), remote);
  const auto since = now();
  if (stream->protocol_by_now(options_.session.frame_bytes_max) == FirstBytes::native) {
    if (may_go_on(*stream, FirstBytes::native)) add_native(id, std::move(stream), std::move(*place), since);
    return;
  }
  openings_.emplace(id, Opening{stream.get(), since});
  tasks_.spawn("open", open(id, std::move(stream), std::move(*place), since));
}

bool Gateway::Impl::is_sent_away(int descriptor) {
  if (!crowd_.is_there()) return false;
  if (has_hung_up(descriptor)) {
    ++refused_.gone;
    return true;
  }
  const auto retry_after = crowd_.next(now());
  if (!retry_after) return false;
  ++refused_.busy;
  refuse(descriptor, "too many come at once", *retry_after);
  return true;
}

void Gateway::Impl::add_native(std::uint64_t id, std::unique_ptr<Stream> stream, Admission::Place place,
                               SteadyTime since) {
  ++(stream->is_tls() ? spoken_.tls : spoken_.plain);
  auto address = stream->remote().address().to_string();
  add(std::make_unique<NativeConnection>(*this, session_parts(), ref(id), std::move(address), std::move(place), since,
                                         std::move(stream)));
}

Awaitable<void> Gateway::Impl::open(std::uint64_t id, std::unique_ptr<Stream> stream, Admission::Place place,
                                    SteadyTime since) {
  std::optional<Entry<decltype(openings_)>> entry;
  entry.emplace(openings_, id);
  const auto kind = co_await first_bytes(*stream);
  if (!kind || !may_go_on(*stream, *kind)) co_return;
  entry.reset();
  if (*kind == FirstBytes::websocket) {
    co_await open_websocket(id, std::move(stream), std::move(place), since);
    co_return;
  }
  add_native(id, std::move(stream), std::move(place), since);
}

/// Nothing: the peer went, or the handshake failed or took too long (the tick closes the stream then).
Awaitable<std::optional<FirstBytes>> Gateway::Impl::first_bytes(Stream& stream) {
  auto kind = co_await stream.detect_protocol(options_.session.frame_bytes_max);
  if (!kind) co_return std::nullopt;
  if (*kind != FirstBytes::tls) co_return *kind;
  const bool secured = co_await secure(stream);
  if (!secured) co_return std::nullopt;
  kind = co_await stream.detect_protocol(options_.session.frame_bytes_max);
  if (!kind) co_return std::nullopt;
  co_return *kind;
}

/// What computes waits for its turn, and for its input before that: who sends it slowly keeps nobody waiting.
Awaitable<bool> Gateway::Impl::secure(Stream& stream) {
  if (!parts_.tls) {
    ++refused_.tls;
    co_return false;
  }
  const auto unready = co_await stream.wait_first_record();
  if (unready) co_return false;
  const auto turn = co_await handshakes_->turn();
  if (turn == Handshakes::Turn::full) {
    ++refused_.busy;
    refuse(stream.native_handle(), "too many TLS handshakes wait", kWhenYouLike);
  }
  if (turn != Handshakes::Turn::yes || !stream.is_open()) co_return false;
  if (stream.has_hung_up()) {
    ++refused_.gone;
    co_return false;
  }
  if (!stream.start_tls_server(*parts_.tls)) {
    ++refused_.tls;
    co_return false;
  }
  const auto error = co_await stream.handshake();
  if (error) {
    if (stream.is_open()) ++refused_.tls;
    co_return false;
  }
  ++(stream.tls_resumed() ? secured_.resumed : secured_.anew);
  co_return true;
}

bool Gateway::Impl::may_go_on(Stream& stream, FirstBytes kind) {
  if (draining_ || !stream.is_open()) return false;
  if (kind != FirstBytes::native && kind != FirstBytes::websocket) {  // TLS within TLS is garbage, too
    ++refused_.garbage;
    return false;
  }
  if (stream.is_tls() || options_.allow_plaintext || stream.remote_is_loopback()) return true;
  ++refused_.plaintext;
  if (kind != FirstBytes::native) return false;
  throw_away_input(stream.native_handle());
  stream.write_now(error_bytes(v1::UNSUPPORTED, "plain text is refused here: use TLS", {}));
  stream.shutdown();
  return false;
}

Awaitable<void> Gateway::Impl::open_websocket(std::uint64_t id, std::unique_ptr<Stream> stream, Admission::Place place,
                                              SteadyTime since) {
  auto address = stream->remote().address().to_string();
  WebSocketOptions wanted;
  wanted.message_bytes_max = options_.session.frame_bytes_max;
  wanted.handshake_max = options_.session.hello_max;
  wanted.idle_max = 2 * options_.session.keepalive;
  auto socket = co_await WebSocketConnection::accept(std::move(stream), wanted);
  if (!socket) {
    ++refused_.garbage;
    co_return;
  }
  if (draining_) {
    (*socket)->abort();
    co_return;
  }
  ++spoken_.websocket;
  address = options_.proxies.client_of(address, (*socket)->forwarded_for());
  add(std::make_unique<WebSocketClient>(*this, session_parts(), ref(id), std::move(address), std::move(place), since,
                                        std::move(*socket), tasks_));
}

}  // namespace holdfast::gateway

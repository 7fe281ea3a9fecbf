/// From an accepted socket to a connection: who speaks what, and who is refused.
#include <sys/socket.h>

#include "server/gateway/gateway_impl.h"
#include "server/gateway/native_connection.h"
#include "server/gateway/websocket_connection.h"

namespace holdfast::gateway {
namespace {

/// One frame to a peer that gets no session, as far as the socket takes it at once. What the peer sent already is
/// thrown away first: closing on unread bytes would take the frame back.
template <class Writer>
void say_error(v1::ErrorCode code, const char* message, std::chrono::milliseconds retry_after, Writer write) {
  v1::ServerFrame frame;
  frame.mutable_error()->set_code(code);
  frame.mutable_error()->set_message(message);
  frame.mutable_error()->set_retry_after_ms(static_cast<std::uint64_t>(retry_after.count()));
  std::string bytes;
  append_frame(bytes, frame);
  write(bytes);
}

void throw_away_input(int descriptor) {
  char buffer[4096];
  while (::recv(descriptor, buffer, sizeof buffer, MSG_DONTWAIT) == sizeof buffer) continue;
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

void Gateway::Impl::adopt(tcp::socket socket) {
  if (draining_) return;  // the socket closes
  auto place = parts_.admission.admit();
  if (!place) return refuse_full(std::move(socket));
  const auto id = next_id_++;
  auto stream = std::make_unique<Stream>(std::move(socket));
  const auto since = now();
  openings_.emplace(id, Opening{stream.get(), since});
  tasks_.spawn("open", open(id, std::move(stream), std::move(*place), since));
}

void Gateway::Impl::refuse_full(tcp::socket socket) {
  ++refused_.full;
  throw_away_input(socket.native_handle());
  // Right for native clients in plain text, and as good as nothing to the others.
  say_error(v1::RETRY, "no more connections", options_.session.retry_after, [&](const std::string& bytes) {
    (void)!::send(socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  });
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
  ++(stream->is_tls() ? spoken_.tls : spoken_.plain);
  auto address = stream->remote().address().to_string();
  add(std::make_unique<NativeConnection>(*this, session_parts(), ref(id), std::move(address), std::move(place), since,
                                         std::move(stream)));
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
  if (turn == Handshakes::Turn::full) ++refused_.busy;
  if (turn != Handshakes::Turn::yes || !stream.is_open()) co_return false;
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
  say_error(v1::UNSUPPORTED, "plain text is refused here: use TLS", {},
            [&](const std::string& bytes) { stream.write_now(bytes); });
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

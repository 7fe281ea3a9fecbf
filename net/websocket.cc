#include "net/websocket.h"

#include <algorithm>
#include <boost/asio/compose.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <optional>
#include <utility>

#include "net/http_wire.h"
#include "net/watchdog.h"

namespace holdfast {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

namespace {

constexpr auto kAsTuple = asio::experimental::as_tuple(asio::use_awaitable);

// ------------------------------------------------------------------------------------ a Stream as Beast wants it

/// One asynchronous read or write of a Stream, with Asio's rule that nothing completes within its own start.
class StreamOp {
 public:
  StreamOp(Stream& stream, std::span<char> into) : stream_(&stream), into_(into) {}
  StreamOp(Stream& stream, std::string from) : stream_(&stream), from_(std::move(from)), writes_(true) {}

  template <class Self>
  void operator()(Self& self, error_code waited = {}) {
    if (posted_) return self.complete(result_.error, result_.bytes);
    if (!waited) result_ = attempt();
    if (!waited && result_.would_block()) {
      suspended_ = true;
      const auto what = result_.state == IoResult::State::would_block_read ? tcp::socket::wait_read  //
                                                                           : tcp::socket::wait_write;
      return stream_->socket().async_wait(what, std::move(self));
    }
    if (waited) result_ = {IoResult::State::failed, 0, waited};
    if (result_.state == IoResult::State::end) result_.error = asio::error::eof;
    if (suspended_) return self.complete(result_.error, result_.bytes);
    posted_ = true;
    const auto executor = stream_->executor();
    asio::post(executor, std::move(self));
  }

 private:
  IoResult attempt() {
    if (writes_) return from_.empty() ? IoResult{IoResult::State::ok, 0, {}} : stream_->write_now(from_);
    return into_.empty() ? IoResult{IoResult::State::ok, 0, {}} : stream_->read_now(into_);
  }

  Stream* stream_;
  std::span<char> into_;
  std::string from_;
  bool writes_ = false;
  bool suspended_ = false;
  bool posted_ = false;
  IoResult result_;
};

/// Beast's AsyncStream over a Stream that outlives it.
class StreamAdapter {
 public:
  using executor_type = any_io_executor;
  explicit StreamAdapter(Stream& stream) : stream_(&stream) {}

  executor_type get_executor() { return stream_->executor(); }
  Stream& stream() { return *stream_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    std::span<char> into;
    for (const asio::mutable_buffer buffer : beast::buffers_range_ref(buffers)) {
      if (buffer.size() == 0) continue;
      into = {static_cast<char*>(buffer.data()), buffer.size()};
      break;
    }
    return asio::async_compose<Token, void(error_code, std::size_t)>(StreamOp(*stream_, into), token,
                                                                     stream_->socket());
  }

  /// A frame comes as header and payload: joined they are one packet and one TLS record.
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    constexpr std::size_t kOneRecord = 16 * 1024;
    std::string from;
    for (const asio::const_buffer buffer : beast::buffers_range_ref(buffers)) {
      from.append(static_cast<const char*>(buffer.data()), std::min(buffer.size(), kOneRecord - from.size()));
    }
    return asio::async_compose<Token, void(error_code, std::size_t)>(StreamOp(*stream_, std::move(from)), token,
                                                                     stream_->socket());
  }

 private:
  Stream* stream_;
};

// Found by Beast through argument-dependent look-up: how a connection ends, in order and not.
[[maybe_unused]] void teardown(beast::role_type, StreamAdapter& adapter, error_code& error) {
  adapter.stream().shutdown();
  error = {};
}

template <class Handler>
void async_teardown(beast::role_type, StreamAdapter& adapter, Handler&& handler) {
  adapter.stream().shutdown();
  asio::post(adapter.get_executor(), beast::bind_front_handler(std::forward<Handler>(handler), error_code()));
}

void beast_close_socket(StreamAdapter& adapter) { adapter.stream().close(); }

// ------------------------------------------------------------------------------------ the opening handshake

using Socket = websocket::stream<StreamAdapter, false>;

std::string forwarded_for_of(const http_wire::Request& request) {
  std::string all;
  const auto [from, until] = request.equal_range("x-forwarded-for");
  for (auto field = from; field != until; ++field) all += (all.empty() ? "" : ",") + std::string(field->value());
  return all;
}

bool offers_subprotocol(const http_wire::Request& request) {
  http::token_list offered{request[http::field::sec_websocket_protocol]};
  return offered.exists(beast::string_view(kWebSocketSubprotocol.data(), kWebSocketSubprotocol.size()));
}

/// Nothing if the request is an upgrade that we serve.
std::optional<HttpResponse> why_no_upgrade(const http_wire::Request& request, bool bytes_behind) {
  const std::string target(request.target());
  const auto path = target.substr(0, target.find('?'));
  if (path != "/" && path != "/v1") return http_wire::refusal(404, "WebSocket connections are served at / and /v1.");
  if (!websocket::is_upgrade(request)) {
    auto response = http_wire::refusal(426, "This port speaks WebSocket (RFC 6455) and the native protocol.");
    response.headers.emplace_back("Upgrade", "websocket");
    return response;
  }
  // RFC 6455, 4.1: a client waits for the answer before it sends more.
  if (bytes_behind) return http_wire::refusal(400, "There is data behind the request.");
  return std::nullopt;
}

void configure(Socket& socket, const WebSocketOptions& options) {
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = options.handshake_max;
  timeout.idle_timeout = options.idle_max;
  timeout.keep_alive_pings = true;
  socket.set_option(timeout);
  socket.read_message_max(options.message_bytes_max);
  socket.auto_fragment(false);
  socket.binary(true);
}

Error translate(const error_code& error) {
  if (error == websocket::error::message_too_big) return {Errc::too_large, error.message()};
  if (error == beast::error::timeout) return {Errc::retry_later, "silent for too long"};
  if (error == websocket::error::closed) return {Errc::io, "closed by the peer"};
  if (error.category() == make_error_code(websocket::error::closed).category()) {
    return {Errc::invalid_argument, error.message()};
  }
  return {Errc::io, error.message()};
}

}  // namespace

struct WebSocketConnection::Impl {
  Impl(std::unique_ptr<Stream> owned, const WebSocketOptions& options)
      : stream(std::move(owned)), socket(StreamAdapter(*stream)) {
    configure(socket, options);
  }
  std::unique_ptr<Stream> stream;
  Socket socket;
  std::string forwarded_for;
};

WebSocketConnection::WebSocketConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebSocketConnection::~WebSocketConnection() = default;

Awaitable<Result<std::unique_ptr<WebSocketConnection>>> WebSocketConnection::accept(std::unique_ptr<Stream> stream,
                                                                                    WebSocketOptions options) {
  Watchdog watchdog(*stream);
  std::string input;
  HttpOptions http_options;
  http_options.idle_max = http_options.request_max = options.handshake_max;
  auto read = co_await http_wire::read_request(*stream, watchdog, input, http_options);
  if (!read.request && read.refusal == 0) {
    if (watchdog.barked()) co_return Error{Errc::retry_later, "the opening handshake took too long"};
    co_return Error{Errc::io, "the connection ended in the opening handshake"};
  }
  auto refused = read.request ? why_no_upgrade(*read.request, !input.empty()) : http_wire::refusal(read.refusal);
  if (refused) {
    const auto why = "not upgraded: " + std::to_string(refused->status);
    co_await http_wire::answer_and_linger(*stream, watchdog, std::move(*refused));
    co_return Error{Errc::invalid_argument, why};
  }
  watchdog.disarm();
  auto impl = std::make_unique<Impl>(std::move(stream), options);
  impl->forwarded_for = forwarded_for_of(*read.request);
  if (offers_subprotocol(*read.request)) {
    impl->socket.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      response.set(http::field::sec_websocket_protocol, kWebSocketSubprotocol);
    }));
  }
  auto [error] = co_await impl->socket.async_accept(*read.request, kAsTuple);
  if (error) co_return translate(error);
  co_return std::unique_ptr<WebSocketConnection>(new WebSocketConnection(std::move(impl)));
}

Awaitable<Result<std::unique_ptr<WebSocketConnection>>> WebSocketConnection::connect(std::unique_ptr<Stream> stream,
                                                                                     std::string host,
                                                                                     WebSocketOptions options) {
  auto impl = std::make_unique<Impl>(std::move(stream), options);
  impl->socket.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
    request.set(http::field::sec_websocket_protocol, kWebSocketSubprotocol);
  }));
  auto [error] = co_await impl->socket.async_handshake(host, "/v1", kAsTuple);
  if (error) co_return translate(error);
  co_return std::unique_ptr<WebSocketConnection>(new WebSocketConnection(std::move(impl)));
}

Awaitable<Result<std::string>> WebSocketConnection::read() {
  std::string message;
  auto buffer = asio::dynamic_buffer(message);
  auto [error, bytes] = co_await impl_->socket.async_read(buffer, kAsTuple);
  if (error) co_return translate(error);
  if (!impl_->socket.got_binary()) {
    co_await close(static_cast<std::uint16_t>(websocket::close_code::unknown_data), "binary messages only");
    co_return Error{Errc::invalid_argument, "a text message"};
  }
  message.resize(bytes);
  co_return message;
}

Awaitable<Status> WebSocketConnection::write(std::string message) {
  const auto buffer = asio::buffer(message);
  auto [error, bytes] = co_await impl_->socket.async_write(buffer, kAsTuple);
  if (error) co_return Error{Errc::io, error.message()};
  co_return Ok{};
}

Awaitable<void> WebSocketConnection::close(std::uint16_t code, std::string reason) {
  if (!impl_->socket.is_open()) co_return;
  reason.resize(std::min<std::size_t>(reason.size(), 123));
  const websocket::close_reason why(static_cast<websocket::close_code>(code), reason.c_str());
  co_await impl_->socket.async_close(why, kAsTuple);  // how it fails makes no difference: it is over
}

void WebSocketConnection::abort() { impl_->stream->close(); }

const std::string& WebSocketConnection::forwarded_for() const { return impl_->forwarded_for; }

std::uint16_t WebSocketConnection::peer_close_code() const { return impl_->socket.reason().code; }

Stream& WebSocketConnection::stream() { return *impl_->stream; }

}  // namespace holdfast

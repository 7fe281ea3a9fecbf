/// The one file that includes Beast: it costs most of a minute and a gigabyte to compile.
#include "net/web.h"

#include <algorithm>
#include <array>
#include <boost/asio/compose.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cctype>
#include <ctime>
#include <optional>
#include <utility>

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

// ------------------------------------------------------------------------------------ HTTP requests and answers

using Parser = http::request_parser<http::string_body>;

struct ReadRequest {
  std::optional<http::request<http::string_body>> request;
  unsigned refusal = 0;  ///< without a request: the status to answer, or 0 if there is nobody to answer
};

unsigned refusal_for(const error_code& error) {
  if (error == http::error::header_limit) return 431;
  if (error == http::error::body_limit) return 413;
  return 400;
}

/// Reads one request. `input` has what was read beyond the one before, and then what was read beyond this one.
Awaitable<ReadRequest> read_request(Stream& stream, Watchdog& watchdog, std::string& input, HttpOptions options) {
  Parser parser;
  parser.eager(true);
  parser.header_limit(static_cast<std::uint32_t>(options.header_bytes_max));
  parser.body_limit(options.body_bytes_max);
  std::array<char, 4096> more;
  watchdog.arm(input.empty() ? options.idle_max : options.request_max);
  for (bool begun = !input.empty();; begun = true) {
    while (!input.empty() && !parser.is_done()) {
      error_code error;
      const auto used = parser.put(asio::buffer(input), error);
      input.erase(0, used);
      if (error == http::error::need_more || (!error && used == 0)) break;
      if (error) co_return ReadRequest{{}, refusal_for(error)};
    }
    if (parser.is_done()) co_return ReadRequest{parser.release(), 0};
    const std::span<char> room(more);
    const auto read = co_await stream.read_some(room);
    if (read.error == asio::error::eof && begun) co_return ReadRequest{{}, 400};
    if (read.error) co_return ReadRequest{};
    if (!begun) watchdog.arm(options.request_max);
    input.append(more.data(), read.bytes);
  }
}

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 64> text;
  const auto length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return {text.data(), length};
}

std::string serialize(const HttpResponse& response, bool keep_alive, bool with_body) {
  const auto reason = http::obsolete_reason(http::int_to_status(response.status));
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(reason) + "\r\n";
  const auto field = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  field("Date", http_date());
  field("Connection", keep_alive ? "keep-alive" : "close");
  if (!response.content_type.empty()) field("Content-Type", response.content_type);
  field("Content-Length", std::to_string(response.body.size()));
  for (const auto& [name, value] : response.headers) field(name, value);
  out += "\r\n";
  if (with_body) out += response.body;
  return out;
}

HttpResponse refusal(unsigned status, std::string why) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(why) + "\n";
  return response;
}

HttpResponse refusal(unsigned status) {
  if (status == 431) return refusal(status, "The request's header is too large.");
  if (status == 413) return refusal(status, "The request's body is too large.");
  return refusal(status, "This is no HTTP request.");
}

HttpRequest translate(http::request<http::string_body>& from, const std::string& remote) {
  HttpRequest request;
  request.method = std::string(from.method_string());
  request.target = std::string(from.target());
  for (const auto& field : from) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  request.body = std::move(from.body());
  request.remote = remote;
  return request;
}

/// Sends a last answer and waits for the peer to have it: closing with unread bytes resets the connection, and a reset
/// takes the answer away from the peer.
Awaitable<void> answer_and_linger(Stream& stream, Watchdog& watchdog, HttpResponse response) {
  constexpr std::chrono::milliseconds kLinger{2'000};
  constexpr std::size_t kDiscardMax = 1024 * 1024;
  watchdog.arm(kLinger);
  const std::string out = serialize(response, false, true);
  const auto error = co_await stream.write_all(out);
  if (error) co_return;
  stream.shutdown();
  std::array<char, 4096> sink;
  for (std::size_t discarded = 0; discarded < kDiscardMax;) {
    const std::span<char> room(sink);
    const auto read = co_await stream.read_some(room);
    if (read.error) co_return;
    discarded += read.bytes;
  }
}

// ------------------------------------------------------------------------------------ WebSocket

using Socket = websocket::stream<StreamAdapter, false>;

bool offers_subprotocol(const http::request<http::string_body>& request) {
  http::token_list offered{request[http::field::sec_websocket_protocol]};
  return offered.exists(beast::string_view(kWebSocketSubprotocol.data(), kWebSocketSubprotocol.size()));
}

/// Nothing if the request is an upgrade that we serve.
std::optional<HttpResponse> why_no_upgrade(const http::request<http::string_body>& request, bool bytes_behind) {
  const std::string target(request.target());
  const auto path = target.substr(0, target.find('?'));
  if (path != "/" && path != "/v1") return refusal(404, "WebSocket connections are served at / and /v1.");
  if (!websocket::is_upgrade(request)) {
    auto response = refusal(426, "This port speaks WebSocket (RFC 6455) and the native protocol.");
    response.headers.emplace_back("Upgrade", "websocket");
    return response;
  }
  // RFC 6455, 4.1: a client waits for the answer before it sends more.
  if (bytes_behind) return refusal(400, "There is data behind the request.");
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
};

WebSocketConnection::WebSocketConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebSocketConnection::~WebSocketConnection() = default;

Awaitable<Result<std::unique_ptr<WebSocketConnection>>> WebSocketConnection::accept(std::unique_ptr<Stream> stream,
                                                                                    WebSocketOptions options) {
  Watchdog watchdog(*stream);
  std::string input;
  HttpOptions http_options;
  http_options.idle_max = http_options.request_max = options.handshake_max;
  auto read = co_await read_request(*stream, watchdog, input, http_options);
  if (!read.request && read.refusal == 0) {
    if (watchdog.barked()) co_return Error{Errc::retry_later, "the opening handshake took too long"};
    co_return Error{Errc::io, "the connection ended in the opening handshake"};
  }
  auto refused = read.request ? why_no_upgrade(*read.request, !input.empty()) : refusal(read.refusal);
  if (refused) {
    const auto why = "not upgraded: " + std::to_string(refused->status);
    co_await answer_and_linger(*stream, watchdog, std::move(*refused));
    co_return Error{Errc::invalid_argument, why};
  }
  watchdog.disarm();
  auto impl = std::make_unique<Impl>(std::move(stream), options);
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

std::uint16_t WebSocketConnection::peer_close_code() const { return impl_->socket.reason().code; }

Stream& WebSocketConnection::stream() { return *impl_->stream; }

// ------------------------------------------------------------------------------------ HTTP, the public face

std::string_view HttpRequest::path() const { return std::string_view(target).substr(0, target.find('?')); }

std::string_view HttpRequest::query() const {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::string_view HttpRequest::header(std::string_view lower_case) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case) return value;
  }
  return {};
}

namespace {

/// What a handler that answers later and the coroutine that waits share.
struct Outstanding {
  explicit Outstanding(const any_io_executor& executor) : timer(executor) {}
  asio::steady_timer timer;
  std::optional<HttpResponse> answer;
};

Awaitable<HttpResponse> answer_of(HttpAsyncHandler handler, HttpRequest request, std::chrono::milliseconds time_max) {
  const auto executor = co_await asio::this_coro::executor;
  const auto outstanding = std::make_shared<Outstanding>(executor);
  outstanding->timer.expires_after(time_max);
  HttpReply reply = [executor, weak = std::weak_ptr(outstanding)](HttpResponse answer) {
    asio::post(executor, [weak, answer = std::move(answer)]() mutable {
      const auto waiting = weak.lock();
      if (!waiting || waiting->answer) return;
      waiting->answer = std::move(answer);
      waiting->timer.cancel();
    });
  };
  handler(std::move(request), std::move(reply));
  co_await outstanding->timer.async_wait(kAsTuple);  // over, or cut short by the answer
  if (!outstanding->answer) co_return refusal(504, "The answer took too long.");
  co_return std::move(*outstanding->answer);
}

std::string serialize(const HostPort& where, const HttpRequest& request) {
  std::string out = request.method + " " + request.target + " HTTP/1.1\r\nHost: " + where.str() + "\r\n";
  for (const auto& [name, value] : request.headers) out.append(name).append(": ").append(value).append("\r\n");
  out += "Content-Length: " + std::to_string(request.body.size()) + "\r\nConnection: close\r\n\r\n";
  return out + request.body;
}

HttpResponse translate(http::response<http::string_body> from) {
  HttpResponse response;
  response.status = from.result_int();
  response.content_type = std::string(from[http::field::content_type]);
  for (const auto& field : from) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    response.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  response.body = std::move(from.body());
  return response;
}

Awaitable<Result<HttpResponse>> read_response(Stream& stream) {
  constexpr std::uint64_t kBodyMax = 64u << 20;
  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.body_limit(kBodyMax);
  std::string input;
  std::array<char, 16 * 1024> more;
  while (true) {
    error_code error;
    if (!input.empty()) input.erase(0, parser.put(asio::buffer(input), error));
    if (error && error != http::error::need_more) co_return Error{Errc::invalid_argument, error.message()};
    if (parser.is_done()) co_return translate(parser.release());
    const std::span<char> room(more);
    const auto read = co_await stream.read_some(room);
    if (read.error == asio::error::eof && parser.got_some()) {
      error_code ended;
      parser.put_eof(ended);
      if (!ended && parser.is_done()) co_return translate(parser.release());
    }
    if (read.error) co_return Error{Errc::io, read.error.message()};
    input.append(more.data(), read.bytes);
  }
}

}  // namespace

Awaitable<void> serve_http(std::unique_ptr<Stream> stream, HttpHandler handler, HttpOptions options) {
  HttpAsyncHandler at_once = [handler = std::move(handler)](HttpRequest request, const HttpReply& reply) {
    reply(handler(request));
  };
  co_await serve_http(std::move(stream), std::move(at_once), options);
}

Awaitable<void> serve_http(std::unique_ptr<Stream> stream, HttpAsyncHandler handler, HttpOptions options) {
  Watchdog watchdog(*stream);
  std::string input;
  for (std::size_t served = 1;; ++served) {
    auto read = co_await read_request(*stream, watchdog, input, options);
    if (!read.request) {
      if (read.refusal != 0) co_await answer_and_linger(*stream, watchdog, refusal(read.refusal));
      co_return;
    }
    const bool keep_alive = read.request->keep_alive() && served < options.requests_max;
    auto request = translate(*read.request, stream->remote_text());
    const bool head = request.method == "HEAD";
    if (head) request.method = "GET";
    watchdog.arm(options.answer_max + options.write_max);
    const auto response = co_await answer_of(handler, std::move(request), options.answer_max);
    if (!keep_alive && !head) {
      co_await answer_and_linger(*stream, watchdog, response);
      co_return;
    }
    watchdog.arm(options.write_max);
    const std::string out = serialize(response, keep_alive, !head);
    const auto error = co_await stream->write_all(out);
    if (error || !keep_alive) co_return;
  }
}

Awaitable<Result<HttpResponse>> fetch_http(HostPort where, HttpRequest request, std::chrono::milliseconds time_max) {
  const auto until = std::chrono::steady_clock::now() + time_max;
  auto socket = co_await connect(where, time_max);
  if (!socket) co_return socket.error();
  Stream stream(std::move(*socket));
  Watchdog watchdog(stream);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  watchdog.arm(std::max(left, std::chrono::milliseconds(1)));
  const std::string out = serialize(where, request);
  const auto error = co_await stream.write_all(out);
  if (error && !watchdog.barked()) co_return Error{Errc::io, where.str() + ": " + error.message()};
  auto response = co_await read_response(stream);
  if (watchdog.barked()) co_return Error{Errc::retry_later, where.str() + " did not answer in time"};
  if (!response && response.error().code == Errc::invalid_argument)
    co_return Error{Errc::invalid_argument, where.str() + " speaks no HTTP: " + response.error().message};
  if (!response) co_return Error{Errc::io, where.str() + " hung up: " + response.error().message};
  co_return response;
}

}  // namespace holdfast

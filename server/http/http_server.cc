#include "server/http/http_server.h"

#include <boost/asio/post.hpp>

#include "net/watchdog.h"

namespace holdfast::http {
namespace {
constexpr std::chrono::seconds kOpeningMax{10};
constexpr const char* kTooMany = "too many requests of yours are being answered: come again in a second\n";
}  // namespace

HttpServer::HttpServer(any_io_executor executor, HttpHandler handler, HttpServerOptions options)
    : HttpServer(std::move(executor),
                 HttpAsyncHandler([handler = std::move(handler)](HttpRequest request, const HttpReply& reply) {
                   reply(handler(request));
                 }),
                 std::move(options)) {}

HttpServer::HttpServer(any_io_executor executor, HttpAsyncHandler handler, HttpServerOptions options)
    : handler_(std::move(handler)),
      options_(std::move(options)),
      seats_(options_.connections_of_one_max),
      tasks_(executor),
      ending_(executor) {}

HttpServer::~HttpServer() = default;

Result<tcp::endpoint> HttpServer::listen(const HostPort& where) {
  HF_CHECK(!listener_, "an HTTP server listens once");
  auto listener = Listener::open(tasks_.executor(), where);
  if (!listener) return listener.error();
  listener_ = std::move(*listener);
  tasks_.spawn("http_accept",
               listener_->accept_loop([this](tcp::socket socket, const tcp::endpoint&) { accept(std::move(socket)); }));
  return listener_->local();
}

void HttpServer::accept(tcp::socket socket) {
  if (tasks_.size() > options_.connections_max) return;  // the accept loop is one of them; the socket closes
  error_code gone;
  const std::string peer = socket.remote_endpoint(gone).address().to_string();
  if (gone) return;
  Seats::Seat seat;
  if (!options_.proxies.trusts(peer)) {  // a proxy's connections are many people's
    seat = seats_.take(peer);
    if (!seat) return;
  }
  tasks_.spawn("http", serve(std::make_unique<Stream>(std::move(socket)), std::move(seat)));
}

Awaitable<void> HttpServer::serve(std::unique_ptr<Stream> stream, Seats::Seat) {
  const bool opened = co_await open(*stream);
  if (!opened) co_return;
  HttpAsyncHandler handler = [this, peer = stream->remote().address().to_string()](HttpRequest request,
                                                                                   HttpReply reply) {
    answer(peer, std::move(request), std::move(reply));
  };
  co_await serve_http(std::move(stream), std::move(handler));
}

void HttpServer::answer(const std::string& peer, HttpRequest request, HttpReply reply) {
  ++requests_;
  if (!options_.proxies.trusts(peer)) return handler_(std::move(request), std::move(reply));
  std::string said;
  for (const auto& [name, value] : request.headers)
    if (name == "x-forwarded-for") said += (said.empty() ? "" : ",") + value;
  const std::string client = options_.proxies.client_of(peer, said);
  request.remote = HostPort{client, 0}.str();
  Seats::Seat seat = seats_.take(client);
  if (!seat) return reply({.status = 429, .body = kTooMany, .headers = {{"retry-after", "1"}}});
  handler_(std::move(request),
           [seat = std::move(seat), reply = std::move(reply)](HttpResponse response) { reply(std::move(response)); });
}

/// Does the TLS handshake if the client begins one. False: it is gone, or was too slow.
Awaitable<bool> HttpServer::open(Stream& stream) {
  if (!options_.tls) co_return true;
  Watchdog watchdog(stream);
  watchdog.arm(kOpeningMax);
  const auto kind = co_await stream.detect_protocol();
  if (!kind) co_return false;
  if (*kind != FirstBytes::tls) co_return true;
  if (!stream.start_tls_server(*options_.tls)) co_return false;
  const auto error = co_await stream.handshake();
  co_return !error;
}

void HttpServer::stop(std::function<void()> stopped) {
  if (listener_) listener_->close();
  tasks_.cancel();
  ending_.spawn("http_stop", tell_when_stopped(std::move(stopped)));
}

Awaitable<void> HttpServer::tell_when_stopped(std::function<void()> stopped) {
  co_await tasks_.join();
  // Behind the end of this coroutine: `stopped` may destroy the server.
  boost::asio::post(ending_.executor(), [executor = ending_.executor(), stopped = std::move(stopped)]() mutable {
    boost::asio::post(executor, std::move(stopped));
  });
}

}  // namespace holdfast::http

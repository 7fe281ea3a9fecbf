/// A small HTTP server on one worker: one listener, one handler, few connections.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/result.h"
#include "net/asio.h"
#include "net/http.h"
#include "net/listener.h"
#include "net/task_group.h"
#include "net/tls.h"

namespace holdfast::http {

struct HttpServerOptions {
  std::size_t connections_max = 256;        ///< more are closed at once
  std::size_t connections_of_one_max = 64;  ///< from one address: one client does not shut the others out
  std::optional<TlsContext> tls;            ///< with it TLS is spoken to those who begin with it, HTTP to the others
};

/// Owned by a worker, on its thread (or used while that does not run). After listen(), it may only be destroyed when
/// stop() has called back.
class HttpServer {
 public:
  HttpServer(any_io_executor executor, HttpHandler handler, HttpServerOptions options = {});
  HttpServer(any_io_executor executor, HttpAsyncHandler handler, HttpServerOptions options = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Fails as Listener::open does. Once.
  Result<tcp::endpoint> listen(const HostPort& where);
  /// Closes the listener and all connections at once; `stopped` is called later, when all is gone.
  void stop(std::function<void()> stopped);

  std::uint64_t requests() const { return requests_; }

 private:
  void accept(tcp::socket socket);
  /// One of the address's connections for as long as somebody has it.
  using Seat = std::shared_ptr<void>;
  Seat seat_for(const tcp::socket& socket);
  Awaitable<void> serve(std::unique_ptr<Stream> stream, Seat seat);
  Awaitable<bool> open(Stream& stream);
  Awaitable<void> tell_when_stopped(std::function<void()> stopped);

  const HttpAsyncHandler handler_;
  const HttpServerOptions options_;
  std::uint64_t requests_ = 0;
  std::unique_ptr<Listener> listener_;
  std::map<boost::asio::ip::address, std::size_t> of_one_;  ///< open connections; outlives tasks_
  TaskGroup tasks_;                                         ///< the accept loop and connections
  TaskGroup ending_;                                        ///< what awaits tasks_
};

}  // namespace holdfast::http

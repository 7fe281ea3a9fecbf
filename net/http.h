/// HTTP/1.1 over a Stream: serving it, and asking a server once.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/asio.h"
#include "net/listener.h"
#include "net/stream.h"

namespace holdfast {

struct HttpRequest {
  std::string method;                                        ///< "GET"
  std::string target;                                        ///< as sent: "/metrics?name=x"
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case, in the order sent
  std::string body;
  std::string remote;  ///< "127.0.0.1:51234"; not for logs

  std::string_view path() const;                               ///< the target up to '?'
  std::string_view query() const;                              ///< behind '?', or empty
  std::string_view header(std::string_view lower_case) const;  ///< the first of that name, or empty
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< besides what the server sets itself
};

/// Called on the stream's thread; must not block. HEAD is asked as GET and its body left out.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

/// Gives the one answer; what is given later is dropped. Any thread, for as long as the stream's loop exists.
using HttpReply = std::function<void(HttpResponse)>;
/// For answers that take a while (HttpOptions::answer_max: then 504). Called as HttpHandler is.
using HttpAsyncHandler = std::function<void(HttpRequest, HttpReply)>;

struct HttpOptions {
  std::size_t header_bytes_max = 8 * 1024;        ///< more: 431
  std::size_t body_bytes_max = 64 * 1024;         ///< more: 413
  std::chrono::milliseconds request_max{10'000};  ///< from a request's first byte to its last: else close
  std::chrono::milliseconds idle_max{30'000};     ///< between requests: else close
  std::chrono::milliseconds answer_max{10'000};   ///< for the handler's answer: else 504
  std::chrono::milliseconds write_max{30'000};    ///< for one answer to be taken by the peer: else close
  std::size_t requests_max = 1000;                ///< on one connection
};

/// Serves requests one after the other (keep-alive, pipelining in order) until either side ends it. What is no HTTP/1.x
/// request is answered 400 and ends it. A TLS stream has finished its handshake. Never throws but by cancellation.
Awaitable<void> serve_http(std::unique_ptr<Stream> stream, HttpHandler handler, HttpOptions options = {});
Awaitable<void> serve_http(std::unique_ptr<Stream> stream, HttpAsyncHandler handler, HttpOptions options = {});

/// Asks a server once, in plain text, on a connection of its own; method, target, headers and body of `request` are sent.
/// Any status is an answer. Fails with io (nobody there, or gone), retry_later (the time is up) or invalid_argument (that
/// is no HTTP). The time is for all of it.
Awaitable<Result<HttpResponse>> fetch_http(HostPort where, HttpRequest request, std::chrono::milliseconds time_max);

}  // namespace holdfast

/// HTTP/1.1 as it goes over a Stream: what serving it and a WebSocket's opening have in common.
///
/// Internal to net/: Beast's types appear in it, and those cost most of a minute to compile.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/http.h"
#include "net/watchdog.h"

namespace holdfast::http_wire {

using Request = boost::beast::http::request<boost::beast::http::string_body>;

struct ReadRequest {
  std::optional<Request> request;
  unsigned refusal = 0;  ///< without a request: the status to answer, or 0 if there is nobody to answer
};

/// Reads one request. `input` has what was read beyond the one before, and then what was read beyond this one.
Awaitable<ReadRequest> read_request(Stream& stream, Watchdog& watchdog, std::string& input, HttpOptions options);

/// Header names in lower case, as HttpRequest and HttpResponse have them.
std::vector<std::pair<std::string, std::string>> headers_of(const boost::beast::http::fields& fields);

std::string serialize(const HttpResponse& response, bool keep_alive, bool with_body);

HttpResponse refusal(unsigned status, std::string why);
HttpResponse refusal(unsigned status);  ///< of what is no request: 400, 413 or 431

/// Sends a last answer and waits for the peer to have it: closing with unread bytes resets the connection, and a reset
/// takes the answer away from the peer.
Awaitable<void> answer_and_linger(Stream& stream, Watchdog& watchdog, HttpResponse response);

}  // namespace holdfast::http_wire

/// The server's HTTP pages, asked as plainly as can be, and what tests read from them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace holdfast::testing {

struct HttpAnswer {
  int status = 0;
  std::string head, body;
};
struct HttpAsked {
  std::string method = "GET", path = "/";
  std::string headers;  ///< further ones, each with its CRLF
  std::string body;
};
/// Blocking, for 20 s at most; of 127.0.0.1, in plain text.
HttpAnswer http_request(std::uint16_t port, const HttpAsked& asked);
HttpAnswer http_get(std::uint16_t port, const std::string& path);

/// The sum of all samples whose name contains this, from /metrics of the operators' port.
double metric(std::uint16_t admin_port, const std::string& name_part);

/// Asks until it is so, some thousands of times, each of which is a request to the server: what is bounded is the
/// number of requests, not the time.
bool eventually(const std::function<bool()>& is_so);

}  // namespace holdfast::testing

/// fetch_http(): the asking side.
#include <algorithm>
#include <array>
#include <boost/beast/http/parser.hpp>

#include "net/http_wire.h"

namespace holdfast {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

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
  response.headers = http_wire::headers_of(from);
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

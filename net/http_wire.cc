#include "net/http_wire.h"

#include <algorithm>
#include <array>
#include <boost/beast/http/parser.hpp>
#include <cctype>
#include <ctime>

namespace holdfast::http_wire {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

unsigned refusal_for(const error_code& error) {
  if (error == http::error::header_limit) return 431;
  if (error == http::error::body_limit) return 413;
  return 400;
}

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 64> text;
  const auto length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return {text.data(), length};
}

}  // namespace

Awaitable<ReadRequest> read_request(Stream& stream, Watchdog& watchdog, std::string& input, HttpOptions options) {
  http::request_parser<http::string_body> parser;
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

std::vector<std::pair<std::string, std::string>> headers_of(const http::fields& fields) {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const auto& field : fields) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    headers.emplace_back(std::move(name), std::string(field.value()));
  }
  return headers;
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

}  // namespace holdfast::http_wire

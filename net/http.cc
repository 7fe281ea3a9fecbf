#include "net/http.h"

#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "net/http_wire.h"
#include "net/watchdog.h"

namespace holdfast {

namespace asio = boost::asio;
using namespace http_wire;

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

HttpRequest translate(Request& from, const std::string& remote) {
  HttpRequest request;
  request.method = std::string(from.method_string());
  request.target = std::string(from.target());
  request.headers = headers_of(from);
  request.body = std::move(from.body());
  request.remote = remote;
  return request;
}

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
  co_await outstanding->timer.async_wait(
      asio::experimental::as_tuple(asio::use_awaitable));  // over, or cut short by the answer
  if (!outstanding->answer) co_return refusal(504, "The answer took too long.");
  co_return std::move(*outstanding->answer);
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

}  // namespace holdfast

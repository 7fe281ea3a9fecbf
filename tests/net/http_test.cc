#include <boost/asio/error.hpp>
#include <optional>
#include <thread>

#include "net/http.h"
#include "tests/net/loop.h"

namespace holdfast {
namespace {

using namespace testing;
using namespace std::chrono_literals;

HttpResponse answer(const HttpRequest& request) {
  HttpResponse response;
  if (request.path() == "/hello") {
    response.body = request.method + " " + std::string(request.query()) + " " + std::string(request.header("x-test")) +
                    " " + request.body;
    response.headers.emplace_back("X-Served-By", "test");
  } else {
    response.status = 404;
    response.body = "nothing here";
  }
  return response;
}

/// Sends `bytes`, then the end if `then_end`, and returns everything that comes back until the server closes.
template <class Handler = HttpHandler>
std::string exchange(const std::string& bytes, bool then_end = false, HttpOptions options = {},
                     Handler handler = answer) {
  Loop loop;
  auto [client, server] = connected_pair(loop);
  std::string got;
  error_code end;
  loop.spawn(serve_http(std::move(server), std::move(handler), options));
  error_code sent;
  loop.spawn([](Stream& stream, std::string from, bool ends, error_code& result) -> Awaitable<void> {
    result = co_await stream.write_all(from);
    if (ends) stream.shutdown();
  }(*client, bytes, then_end, sent));
  loop.spawn([](Stream& stream, std::string& into, error_code& result) -> Awaitable<void> {
    co_await read_to_end(stream, into, result);
    stream.close();
  }(*client, got, end));
  loop.run();
  REQUIRE(!sent);
  REQUIRE(end == boost::asio::error::eof);  // an answer must not be followed by a reset, which could overtake it
  return got;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST_CASE("HTTP: a GET reaches the handler with its query and headers, and its answer comes back whole") {
  const auto got = exchange("GET /hello?a=b HTTP/1.1\r\nHost: x\r\nX-Test: yes\r\nConnection: close\r\n\r\n");
  REQUIRE(got.rfind("HTTP/1.1 200 OK\r\n", 0) == 0);
  REQUIRE(contains(got, "Content-Length: 12\r\n"));
  REQUIRE(contains(got, "X-Served-By: test\r\n"));
  REQUIRE(contains(got, "Connection: close\r\n"));
  REQUIRE(contains(got, "\r\n\r\nGET a=b yes "));
}

TEST_CASE("HTTP: an unknown path is answered as the handler says") {
  const auto got = exchange("GET /no HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  REQUIRE(got.rfind("HTTP/1.1 404 Not Found\r\n", 0) == 0);
  REQUIRE(contains(got, "nothing here"));
}

TEST_CASE("HTTP: requests in one write are answered in order on one connection") {
  const auto got = exchange(
      "GET /hello?1 HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /hello?2 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
      "GET /hello?3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  REQUIRE(count(got, "HTTP/1.1 200 OK") == 3);
  const auto second = got.find("POST 2  body");
  REQUIRE(got.find("GET 1") < second);
  REQUIRE(second < got.find("GET 3"));
}

TEST_CASE("HTTP: the end of the peer's side ends a kept connection quietly") {
  const auto got = exchange("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", true);
  REQUIRE(count(got, "HTTP/1.1") == 1);
  REQUIRE(contains(got, "Connection: keep-alive\r\n"));
}

TEST_CASE("HTTP: HEAD has the length and no body") {
  const auto got = exchange("HEAD /no HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  REQUIRE(contains(got, "404"));
  REQUIRE(contains(got, "Content-Length: 12\r\n"));
  REQUIRE_FALSE(contains(got, "nothing here"));
}

TEST_CASE("HTTP: garbage is answered 400 and closed") {
  for (const std::string& bytes : {std::string("\x01\x02\x03 garbage\r\n\r\n"), std::string("GET\r\n\r\n"),
                                   std::string("GET / HTTP/1.1\r\nbad header\r\n\r\n"), std::string(5'000, 'x')}) {
    const auto got = exchange(bytes, true);
    INFO(got);
    REQUIRE(got.rfind("HTTP/1.1 400 Bad Request\r\n", 0) == 0);
    REQUIRE(contains(got, "Connection: close\r\n"));
  }
}

TEST_CASE("HTTP: a header or a body beyond its bound is answered 431 or 413, whatever else was sent") {
  const auto header = exchange("GET / HTTP/1.1\r\nX: " + std::string(300'000, 'x') + "\r\n\r\n");
  REQUIRE(header.rfind("HTTP/1.1 431 ", 0) == 0);
  const auto body = exchange("POST / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'x'));
  REQUIRE(body.rfind("HTTP/1.1 413 ", 0) == 0);
  const auto chunked = exchange("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" +
                                std::string(0x20000, 'x') + "\r\n0\r\n\r\n");
  REQUIRE(chunked.rfind("HTTP/1.1 413 ", 0) == 0);
}

TEST_CASE("HTTP: a body within its bound passes, also in chunks") {
  HttpOptions options;
  options.requests_max = 1;
  const auto got = exchange(
      "POST /hello HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", false, options);
  REQUIRE(contains(got, "POST   abcde"));
  REQUIRE(contains(got, "Connection: close\r\n"));
}

TEST_CASE("HTTP: a connection that says nothing, or half a request, is closed when its time is up") {
  HttpOptions options;
  options.idle_max = 5ms;
  REQUIRE(exchange("", false, options).empty());
  options.idle_max = 10'000ms;
  options.request_max = 5ms;
  REQUIRE(exchange("GET / HT", false, options).empty());
}

TEST_CASE("HTTP: an answer may come from another thread, and only the first one counts") {
  HttpAsyncHandler from_elsewhere = [](const HttpRequest&, const HttpReply& reply) {
    std::thread([reply] {
      HttpResponse first, second;
      first.body = "first";
      second.body = "second";
      reply(first);
      reply(second);
    }).join();  // the loop outlives whoever replies
  };
  const auto got = exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false, {}, from_elsewhere);
  REQUIRE(contains(got, "200 OK"));
  REQUIRE(contains(got, "\r\n\r\nfirst"));
  REQUIRE(!contains(got, "second"));
}

TEST_CASE("HTTP: an answer that never comes is 504, and one that comes after that is nobody's") {
  HttpReply kept;
  HttpAsyncHandler never = [&kept](HttpRequest, HttpReply reply) { kept = std::move(reply); };
  HttpOptions options;
  options.answer_max = 5ms;
  const auto got = exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false, options, never);
  REQUIRE(got.rfind("HTTP/1.1 504 ", 0) == 0);
}

Awaitable<void> accept_one(Listener* listener, HttpHandler handler) {
  auto accepted = std::make_shared<std::optional<tcp::socket>>();
  co_await listener->accept_loop([listener, accepted](tcp::socket socket, const tcp::endpoint&) {
    accepted->emplace(std::move(socket));
    listener->close();
  });
  auto stream = std::make_unique<Stream>(std::move(**accepted));
  co_await serve_http(std::move(stream), std::move(handler));
}

Awaitable<void> fetch_into(HostPort where, HttpRequest request, std::optional<Result<HttpResponse>>* into) {
  auto response = co_await fetch_http(std::move(where), std::move(request), 5'000ms);
  into->emplace(std::move(response));
}

TEST_CASE("HTTP: what is fetched brings method, headers and body there, and status and body back") {
  Loop loop;
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0});
  REQUIRE(listener);
  loop.spawn(accept_one(listener->get(), answer));
  HttpRequest request;
  request.method = "POST";
  request.target = "/hello?q";
  request.headers.emplace_back("X-Test", "yes");
  request.body = "body";
  std::optional<Result<HttpResponse>> response;
  loop.spawn(fetch_into({"127.0.0.1", (*listener)->port()}, request, &response));
  loop.run();
  REQUIRE(response);
  REQUIRE(*response);
  REQUIRE((*response)->status == 200);
  REQUIRE((*response)->body == "POST q yes body");
}

TEST_CASE("HTTP: fetching from where nobody listens fails, and says where") {
  Loop loop;
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0});
  REQUIRE(listener);
  const auto port = (*listener)->port();
  (*listener)->close();
  HttpRequest request;
  request.method = "GET";
  request.target = "/";
  std::optional<Result<HttpResponse>> response;
  loop.spawn(fetch_into({"127.0.0.1", port}, request, &response));
  loop.run();
  REQUIRE(response);
  REQUIRE_FALSE(*response);
  REQUIRE(contains(response->error().message, "127.0.0.1:" + std::to_string(port)));
}

}  // namespace
}  // namespace holdfast

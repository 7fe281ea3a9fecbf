#include "server/http/pages.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "server/http/http_server.h"

using namespace holdfast;
using namespace holdfast::http;

namespace {

HttpResponse get(const HttpHandler& handler, const std::string& target, const std::string& method = "GET") {
  HttpRequest request;
  request.method = method;
  request.target = target;
  return handler(request);
}

HttpResponse get(const HttpAsyncHandler& handler, const std::string& target, const std::string& method = "GET") {
  HttpRequest request;
  request.method = method;
  request.target = target;
  std::optional<HttpResponse> answer;
  handler(request, [&answer](HttpResponse response) { answer = std::move(response); });
  REQUIRE(answer);
  return *answer;
}

std::string header(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

HttpHandler operators(bool ready) {
  return operator_pages({[ready] { return Readiness{ready, ready ? "" : "replaying the log"}; },
                         [](Metrics& metrics) { metrics.gauge("connections", "Open connections", 3); }});
}

}  // namespace

TEST_CASE("Pages: health is told while the process answers, readiness with the reason") {
  CHECK(get(operators(false), "/healthz").status == 200);
  CHECK(get(operators(true), "/readyz").status == 200);
  const auto waiting = get(operators(false), "/readyz");
  CHECK(waiting.status == 503);
  CHECK(contains(waiting.body, "replaying the log"));
}

TEST_CASE("Pages: metrics come in Prometheus' text format") {
  const auto answer = get(operators(true), "/metrics?x=y");
  CHECK(answer.status == 200);
  CHECK(contains(answer.content_type, "version=0.0.4"));
  CHECK(contains(answer.body, "# HELP holdfast_connections Open connections\n"));
  CHECK(contains(answer.body, "# TYPE holdfast_connections gauge\n"));
  CHECK(contains(answer.body, "holdfast_connections 3\n"));
}

TEST_CASE("Pages: what isn't there is 404, what isn't a GET is 405") {
  CHECK(get(operators(true), "/").status == 404);
  CHECK(get(operators(true), "/healthz", "POST").status == 405);
  const auto pages = public_pages({"1.2.3", [] { return Readiness{true, ""}; }});
  CHECK(get(pages, "/nothing").status == 404);
  CHECK(get(pages, "/", "DELETE").status == 405);
  CHECK(header(get(pages, "/", "DELETE"), "allow") == "GET, HEAD");
}

TEST_CASE("Pages: the front page says what this is, and loads nothing from elsewhere") {
  const auto pages = public_pages({"1.2.3", [] { return Readiness{true, ""}; }});
  const auto page = get(pages, "/?from=mail");
  CHECK(page.status == 200);
  CHECK(contains(page.content_type, "text/html"));
  CHECK(contains(page.body, "Holdfast 1.2.3"));
  CHECK(contains(page.body, "taking clients"));
  CHECK_FALSE(contains(page.body, "http://"));
  CHECK_FALSE(contains(page.body, "https://"));
  CHECK_FALSE(contains(page.body, "<script"));
  CHECK(get(pages, "/style.css").status == 200);
  for (const auto* target : {"/", "/style.css", "/nothing"}) {
    CHECK(contains(header(get(pages, target), "content-security-policy"), "default-src 'none'"));
    CHECK(header(get(pages, target), "x-content-type-options") == "nosniff");
  }
}

TEST_CASE("Metrics: histograms are cumulated, and samples of a name stand together") {
  Metrics metrics;
  metrics.counter("frames_total", "Frames", 1, {{"way", "in"}});
  metrics.histogram("ack_seconds", "Acknowledgements", {{0.001, 0.01}, {5, 3, 2}, 0.5});
  metrics.counter("frames_total", "", 2, {{"way", "out"}});
  const auto text = metrics.text();
  CHECK(contains(text, "holdfast_ack_seconds_bucket{le=\"0.001\"} 5\n"));
  CHECK(contains(text, "holdfast_ack_seconds_bucket{le=\"0.01\"} 8\n"));
  CHECK(contains(text, "holdfast_ack_seconds_bucket{le=\"+Inf\"} 10\n"));
  CHECK(contains(text, "holdfast_ack_seconds_count 10\n"));
  CHECK(contains(text, "holdfast_frames_total{way=\"in\"} 1\nholdfast_frames_total{way=\"out\"} 2\n"));
}

TEST_CASE("HttpServer: one client's connections do not shut out the others, and make room when they close") {
  boost::asio::io_context context;
  HttpServerOptions options;
  options.connections_of_one_max = 2;
  HttpServer server(context.get_executor(), operators(true), options);
  const auto bound = server.listen({"127.0.0.1", 0});
  REQUIRE(bound);
  const auto connected = [&](std::uint32_t from) {
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in own{}, to{};
    own.sin_family = to.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(from);
    to.sin_port = htons(bound.value().port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(client, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0);
    REQUIRE(::connect(client, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    return client;
  };
  const auto turn_until = [&](auto done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      context.restart();
      context.run_one_for(std::chrono::milliseconds(1));
    }
  };
  /// True: answered; false: closed.
  const auto is_served = [&](int client) {
    const std::string request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    [[maybe_unused]] const auto sent = ::send(client, request.data(), request.size(), MSG_NOSIGNAL);
    char buffer[4096];
    ssize_t count = -1;
    turn_until([&] {
      count = ::recv(client, buffer, sizeof buffer, MSG_DONTWAIT);
      return count >= 0 || errno == ECONNRESET;
    });
    return count > 0;
  };
  constexpr std::uint32_t kOne = INADDR_LOOPBACK, kOther = INADDR_LOOPBACK + 1;
  const int first = connected(kOne), second = connected(kOne);
  CHECK(is_served(first));
  CHECK(is_served(second));
  const int third = connected(kOne), other = connected(kOther);
  CHECK_FALSE(is_served(third));
  CHECK(is_served(other));
  ::close(first);
  bool again = false;
  turn_until([&] {
    const int next = connected(kOne);
    again = is_served(next);
    ::close(next);
    return again;
  });
  for (const int one : {second, third, other}) ::close(one);
  bool stopped = false;
  server.stop([&] { stopped = true; });
  turn_until([&] { return stopped; });
}

TEST_CASE("HttpServer: serves over a real connection, and stops with one open") {
  boost::asio::io_context context;
  HttpServer server(context.get_executor(), operators(true));
  const auto bound = server.listen({"127.0.0.1", 0});
  REQUIRE(bound);

  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(bound.value().port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(client, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  const std::string request = "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
  REQUIRE(::send(client, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));

  std::string received;
  const auto receive = [&] {
    char buffer[4096];
    const auto count = ::recv(client, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count > 0) received.append(buffer, static_cast<std::size_t>(count));
    return count;
  };
  const auto turn_until = [&](auto done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      context.restart();
      context.run_one_for(std::chrono::milliseconds(1));
    }
  };
  turn_until([&] {
    receive();
    return contains(received, "ready\n");
  });
  CHECK(received.rfind("HTTP/1.1 200 OK\r\n", 0) == 0);
  CHECK(server.requests() == 1);

  bool stopped = false;
  server.stop([&] { stopped = true; });
  turn_until([&] { return stopped; });
  CHECK(receive() == 0);
  ::close(client);
}

/// The pages behind a reverse proxy: whose request it is, and that one client there does not shut out the others.
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "server/http/http_server.h"

namespace holdfast::http {
namespace {

/// A server on loopback, asked over one connection as a proxy would, each request with its X-Forwarded-For.
struct Site {
  explicit Site(const char* trusted)
      : server(context.get_executor(),
               [this](HttpRequest request, const HttpReply& reply) {
                 asked.push_back(std::move(request.remote));
                 replies.push_back(reply);
               },
               {.connections_of_one_max = 2, .proxies = std::move(*TrustedProxies::parse(trusted)), .tls = {}}) {
    const auto bound = server.listen({"127.0.0.1", 0});
    REQUIRE(bound);
    port = bound->port();
  }
  ~Site() {
    for (const int one : sockets) ::close(one);
    bool stopped = false;
    server.stop([&] { stopped = true; });
    turn_until([&] { return stopped; });
  }

  template <class Done>
  void turn_until(Done done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      context.restart();
      context.run_one_for(std::chrono::milliseconds(1));
    }
  }
  /// The socket that its answer will come on.
  int ask(const std::string& headers) {
    const int client = sockets.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    REQUIRE(::connect(client, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    const std::string request = "GET /reset HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
    REQUIRE(::send(client, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
    return client;
  }
  std::string answer_on(int client) {
    char buffer[4096];
    ssize_t count = -1;
    turn_until([&] { return (count = ::recv(client, buffer, sizeof buffer, MSG_DONTWAIT)) >= 0; });
    return {buffer, static_cast<std::size_t>(count)};
  }
  /// Whose request the handler takes it for.
  std::string remote_of(const std::string& headers) {
    const std::size_t before = asked.size();
    const int client = ask(headers);
    turn_until([&] { return asked.size() > before; });
    replies.back()({});
    answer_on(client);
    return asked.back().substr(0, asked.back().rfind(':'));
  }

  boost::asio::io_context context;
  HttpServer server;
  std::uint16_t port = 0;
  std::vector<std::string> asked;
  std::vector<HttpReply> replies;
  std::vector<int> sockets;
};

}  // namespace

TEST_CASE("HttpServer: a request is of whom a trusted proxy names, and of nobody that others name") {
  Site behind("127.0.0.0/8, 10.0.0.0/8");
  CHECK(behind.remote_of("X-Forwarded-For: 203.0.113.9\r\n") == "203.0.113.9");
  CHECK(behind.remote_of("X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 2001:db8::7, 10.0.0.3\r\n") == "[2001:db8::7]");
  CHECK(behind.remote_of("Forwarded: for=203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\n") == "127.0.0.1");
  Site open("10.0.0.0/8");
  CHECK(open.remote_of("X-Forwarded-For: 203.0.113.9\r\n") == "127.0.0.1");
}

TEST_CASE("HttpServer: through a proxy there are as many requests of one client at a time, and connections of all") {
  Site site("127.0.0.1");
  const std::string one = "X-Forwarded-For: 203.0.113.9\r\n", other = "X-Forwarded-For: 203.0.113.10\r\n";
  site.ask(one);
  site.ask(one);
  site.turn_until([&] { return site.asked.size() == 2; });
  CHECK(site.answer_on(site.ask(one)).starts_with("HTTP/1.1 429"));
  site.ask(other);  // from the same address as the three
  site.turn_until([&] { return site.asked.size() == 3; });
  site.replies.front()({});
  site.answer_on(site.sockets.front());
  site.replies.erase(site.replies.begin());
  site.ask(one);
  site.turn_until([&] { return site.asked.size() == 4; });
}

}  // namespace holdfast::http

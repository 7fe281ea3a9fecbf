#include "net/listener.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <vector>

#include "net/connect.h"
#include "tests/net/loop.h"

namespace holdfast {
namespace {

using namespace testing;
using namespace std::chrono_literals;

std::unique_ptr<Listener> listen(Loop& loop, ListenOptions options = {}) {
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0}, options);
  REQUIRE(listener);
  return std::move(listener).value();
}

Awaitable<void> connect_into(HostPort where, std::optional<Result<tcp::socket>>& result, std::string source = {}) {
  auto connected = co_await connect_from(std::move(source), where, 5'000ms);
  result.emplace(std::move(connected));
}

TEST_CASE("HostPort: text is cut in two and put together again") {
  for (const char* text : {"127.0.0.1:7400", "[::1]:0", "localhost:65535", "chat.example.org:1", "0.0.0.0:80"}) {
    auto parsed = parse_host_port(text);
    REQUIRE(parsed);
    REQUIRE(parsed->str() == text);
  }
  REQUIRE(parse_host_port("[::1]:7400")->host == "::1");
}

TEST_CASE("HostPort: anything else is refused with an example") {
  for (const char* text : {"", ":", "7400", "host", "host:", ":7400", "host:65536", "host:-1", "host:74x", "::1:7400",
                           "[::1]", "[::1]7400", "[host]:1", "a:b:1", "[]:1"}) {
    INFO(text);
    auto parsed = parse_host_port(text);
    REQUIRE_FALSE(parsed);
    REQUIRE(parsed.error().code == Errc::invalid_argument);
    REQUIRE(parsed.error().message.find("[::1]:7400") != std::string::npos);
  }
}

TEST_CASE("connect: comes from the source address it is given; one that is not ours is an error") {
  Loop loop;
  const auto listener = listen(loop);
  std::optional<Result<tcp::socket>> from_there, from_nowhere, from_nonsense;
  loop.spawn(connect_into({"127.0.0.1", listener->port()}, from_there, "127.0.0.9"));
  loop.spawn(connect_into({"127.0.0.1", listener->port()}, from_nowhere, "192.0.2.1"));
  loop.spawn(connect_into({"127.0.0.1", listener->port()}, from_nonsense, "over there"));
  loop.run();
  REQUIRE(*from_there);
  CHECK((*from_there)->local_endpoint().address().to_string() == "127.0.0.9");
  REQUIRE_FALSE(*from_nowhere);
  CHECK(from_nowhere->error().code == Errc::io);
  REQUIRE_FALSE(*from_nonsense);
}

TEST_CASE("connect: a socket that met itself is known from one that met a server") {
  Loop loop;
  const auto listener = listen(loop);
  std::optional<Result<tcp::socket>> to_server;
  loop.spawn(connect_into({"127.0.0.1", listener->port()}, to_server));
  loop.run();
  REQUIRE(*to_server);
  CHECK_FALSE(is_connected_to_itself(**to_server));

  tcp::socket alone(loop.executor(), tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  CHECK_FALSE(is_connected_to_itself(alone));
  alone.connect(alone.local_endpoint());
  CHECK(is_connected_to_itself(alone));
}

TEST_CASE("Listener: a port in use, a foreign address and a bad one are refused, with what to do") {
  Loop loop;
  const auto first = listen(loop);
  REQUIRE(first->port() != 0);
  REQUIRE(first->is_loopback());
  auto again = Listener::open(loop.executor(), {"127.0.0.1", first->port()});
  REQUIRE(again.error().code == Errc::in_use);
  REQUIRE(again.error().message.find("127.0.0.1:" + std::to_string(first->port())) != std::string::npos);
  REQUIRE(again.error().message.find("choose another port") != std::string::npos);
  auto foreign = Listener::open(loop.executor(), {"192.0.2.1", 0});
  REQUIRE(foreign.error().code == Errc::invalid_argument);
  REQUIRE(foreign.error().message.find("no such address") != std::string::npos);
  auto bad = Listener::open(loop.executor(), {"chat.example.org", 0});
  REQUIRE(bad.error().code == Errc::invalid_argument);
}

TEST_CASE("Listener: with reuse_port two listen on one port") {
  Loop loop;
  const auto first = listen(loop, {.reuse_port = true});
  auto second = Listener::open(loop.executor(), {"127.0.0.1", first->port()}, {.reuse_port = true});
  REQUIRE(second);
}

TEST_CASE("Listener: accepts until it is closed, cancelled or drained") {
  for (const int how : {0, 1, 2}) {
    Loop loop;
    const auto listener = listen(loop);
    int accepted = 0;
    loop.spawn(listener->accept_loop([&](tcp::socket, const tcp::endpoint&) {
      if (++accepted < 3) return;
      boost::asio::post(loop.executor(), [&] {
        if (how == 0) listener->close();
        if (how == 1) loop.tasks().cancel();
        if (how == 2) loop.tasks().drain();
      });
    }));
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 3; ++i) clients.emplace_back(loop.executor()).connect(listener->local());
    loop.run();
    REQUIRE(accepted == 3);
    REQUIRE(listener->accepted() == 3);
    REQUIRE(listener->refused() == 0);
  }
}

TEST_CASE("Listener: takes as many at a time as its pace says, is told who waits, and lets others in between") {
  Loop loop;
  const auto listener = listen(loop);
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 5; ++i) clients.emplace_back(loop.executor()).connect(listener->local());
  std::vector<std::size_t> waiting;
  std::vector<int> accepted_by_then;
  int accepted = 0;
  const auto pace = [&](const Backlog& backlog) -> AcceptGo {
    waiting.push_back(backlog.waiting);
    accepted_by_then.push_back(accepted);
    if (waiting.size() == 2) return {};  // none as yet
    return {.count = 2, .after = 1us};
  };
  loop.spawn(listener->accept_loop(
      [&](tcp::socket, const tcp::endpoint& remote) {
        CHECK(remote.port() == clients[static_cast<std::size_t>(accepted)].local_endpoint().port());
        if (++accepted == 5) listener->close();
      },
      pace));
  loop.run();
  CHECK(accepted == 5);
  CHECK(accepted_by_then == std::vector<int>{0, 2, 2, 4});
  CHECK(waiting == std::vector<std::size_t>{0, 3, 3, 1});
}

TEST_CASE("Listener: closed or cancelled while it lets nobody in, it ends") {
  for (const bool close : {true, false}) {
    Loop loop;
    const auto listener = listen(loop);
    tcp::socket client(loop.executor());
    client.connect(listener->local());
    int accepted = 0;
    const auto pace = [&](const Backlog&) -> AcceptGo {
      boost::asio::post(loop.executor(), [&] { close ? listener->close() : loop.tasks().cancel(); });
      return {.count = 1, .after = close ? std::chrono::microseconds(1'000) : std::chrono::microseconds(60'000'000)};
    };
    loop.spawn(listener->accept_loop([&](tcp::socket, const tcp::endpoint&) { ++accepted; }, pace));
    loop.run();
    CHECK(accepted == 0);
  }
}

TEST_CASE("Listener: who has not spoken yet is not accepted, if it is to be so, until it does") {
  Loop loop;
  const auto listener = listen(loop, {.after_first_bytes = true});
  tcp::socket silent(loop.executor()), speaks(loop.executor());
  silent.connect(listener->local());
  speaks.connect(listener->local());
  boost::asio::write(speaks, boost::asio::buffer("hello", 5));
  std::uint16_t first = 0;
  loop.spawn(listener->accept_loop([&](tcp::socket, const tcp::endpoint& remote) {
    if (first == 0) first = remote.port();
    listener->close();
  }));
  loop.run();
  CHECK(first == speaks.local_endpoint().port());
}

TEST_CASE("connect: reaches a listener by name, and says why when nobody listens") {
  Loop loop;
  auto listener = listen(loop);
  const HostPort where{"localhost", listener->port()};
  std::optional<Result<tcp::socket>> reached;
  loop.spawn(connect_into(where, reached));
  loop.run();
  REQUIRE(*reached);
  REQUIRE((*reached)->is_open());
  listener.reset();
  std::optional<Result<tcp::socket>> refused;
  loop.spawn(connect_into(where, refused));
  loop.run();
  REQUIRE(refused->error().code == Errc::io);
  REQUIRE(refused->error().message.find(where.str()) != std::string::npos);
}

// UBSan's check of virtual tables opens a pipe to look at memory, and takes its failure for a bad object: this test can't
// run under it. The other sanitizers' builds and the plain one have it.
#if !__has_feature(undefined_behavior_sanitizer) && !__has_feature(address_sanitizer)

/// Takes every free descriptor of this process, and gives them back.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &few);
    for (int taken; (taken = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken_.push_back(taken);
  }
  ~NoDescriptors() { release(); }
  void release() {
    for (const int taken : taken_) ::close(taken);
    taken_.clear();
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST_CASE("Listener: without a free descriptor peers are closed at once, the loop doesn't spin, and it recovers") {
  Loop loop;
  const auto listener = listen(loop);
  std::vector<tcp::socket> accepted;
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 3; ++i) clients.emplace_back(loop.executor()).connect(listener->local());
  NoDescriptors none;
  loop.spawn(listener->accept_loop([&](tcp::socket socket, const tcp::endpoint&) {
    accepted.push_back(std::move(socket));
    listener->close();
  }));
  std::size_t turns = 0;
  while (listener->refused() < 2) turns += loop.context().run_one();
  REQUIRE(turns < 50);
  REQUIRE(accepted.empty());
  char byte = 0;
  error_code error;
  clients[0].read_some(boost::asio::buffer(&byte, 1), error);
  REQUIRE(error);  // closed, not left waiting
  none.release();
  loop.run();
  REQUIRE(accepted.size() == 1);
  REQUIRE(listener->accepted() == 1);
}

#endif

}  // namespace
}  // namespace holdfast

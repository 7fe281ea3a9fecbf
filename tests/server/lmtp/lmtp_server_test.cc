#include "server/lmtp/lmtp_server.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/net/loop.h"
#include "tests/server/lmtp/mail_text.h"

namespace holdfast::lmtp {
namespace {

using namespace testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;

std::string recipient() {
  ReplyToken token;
  token.secret.fill(7);
  return format_reply_address(token, "reply.test");
}

std::string mail_with(const std::string& text) {
  return crlf("LHLO client\nMAIL FROM:<ada@example.org>\nRCPT TO:<" + recipient() + ">\nDATA\nMessage-ID: <1@x>\n\n" +
              text + "\n.\n");
}

/// What stands behind the listener in these tests: everybody is known, and posts are kept.
struct Posts {
  Parts parts() {
    return {.find = [](ReplyToken, auto then) { then(ReplyTarget{"user", "conversation"}); },
            .post =
                [this](ReplyTarget target, std::string message_id, std::string text, auto then) {
                  posted.push_back(target.user + " " + target.conversation + " " + message_id + " " + text);
                  if (holds) {
                    held.push_back(std::move(then));
                    if (on_held) on_held();
                  } else {
                    then(Ok{});
                  }
                }};
  }
  bool holds = false;  ///< answers later
  std::function<void()> on_held;
  std::vector<std::string> posted;
  std::vector<std::function<void(Status)>> held;
};

/// A client: says everything at once, and keeps what it hears up to the end.
struct Client {
  std::unique_ptr<Stream> stream;
  std::string heard;
  error_code end;
};

Awaitable<void> talk(Client& client, tcp::endpoint server, std::string says, std::function<void()> then) {
  tcp::socket socket(co_await asio::this_coro::executor);
  co_await socket.async_connect(server, asio::use_awaitable);
  client.stream = std::make_unique<Stream>(std::move(socket));
  const auto error = co_await client.stream->write_all(says);
  if (!error) co_await read_to_end(*client.stream, client.heard, client.end);
  client.stream->close();
  if (then) then();
}

/// Whether a line behind the greeting begins so.
bool said(const std::string& heard, std::string_view code) {
  return heard.find("\r\n" + std::string(code)) != std::string::npos;
}

struct Served {
  explicit Served(LmtpServerOptions options = {}) : server(loop.executor(), posts.parts(), std::move(options)) {
    auto bound = server.listen({"127.0.0.1", 0});
    REQUIRE(bound);
    where = *bound;
  }
  void stop() {
    server.stop([this] { stopped = true; });
  }
  void spawn(Client& client, const std::string& says, std::function<void()> then = {}) {
    loop.spawn(talk(client, where, says, std::move(then)));
  }

  Loop loop;
  Posts posts;
  LmtpServer server;
  tcp::endpoint where;
  bool stopped = false;
};

}  // namespace

TEST_CASE("LMTP server: a mail becomes a post, and the client hears so before the connection ends") {
  Served served;
  Client client;
  served.spawn(client, mail_with("Hello") + "QUIT\r\n", [&] { served.stop(); });
  served.loop.run();
  CHECK(served.stopped);
  CHECK(served.posts.posted == std::vector<std::string>{"user conversation <1@x> Hello"});
  CHECK(said(client.heard, "250 2.0.0 posted"));
  CHECK(said(client.heard, "221 "));
  CHECK(client.end == asio::error::eof);
  CHECK(served.server.figures().messages.posted == 1);
  CHECK(served.server.figures().connections == 0);
}

TEST_CASE("LMTP server: a large message comes whole, while others are served") {
  Served served;
  Client large, small;
  int left = 2;
  const auto done = [&] {
    if (--left == 0) served.stop();
  };
  std::string text;
  while (text.size() < 60'000) text += "a line of the text that is long\n";
  text.pop_back();
  std::string quoted;
  while (quoted.size() < 900'000) quoted += "\n> and a quoted one that is long, too";
  served.spawn(large, mail_with(text + quoted) + "QUIT\r\n", done);
  served.spawn(small, mail_with("Hello") + "QUIT\r\n", done);
  served.loop.run();
  CHECK(said(large.heard, "250 2.0.0 posted"));
  CHECK(said(small.heard, "250 2.0.0 posted"));
  REQUIRE(served.posts.posted.size() == 2);
  std::sort(served.posts.posted.begin(), served.posts.posted.end());
  CHECK(served.posts.posted[1] == "user conversation <1@x> " + text);
}

TEST_CASE("LMTP server: an answer may come from another thread") {
  Served served;
  served.posts.holds = true;
  std::thread other;
  served.posts.on_held = [&] {
    other = std::thread([then = served.posts.held.back()] { then(Error{Errc::retry_later, "the partition moves"}); });
  };
  Client client;
  served.spawn(client, mail_with("Hello") + "QUIT\r\n", [&] { served.stop(); });
  served.loop.run();
  other.join();
  CHECK(said(client.heard, "451 4.3.0"));
  CHECK(said(client.heard, "221 "));
}

TEST_CASE("LMTP server: a stop lets a post be finished and tells idle ones to go") {
  Served served;
  served.posts.holds = true;
  Client posting, idle;
  served.posts.on_held = [&] {
    served.spawn(idle, "LHLO c\r\n", [&] {
      // The idle one was told; the post is still under way.
      CHECK(said(idle.heard, "421 4.3.2"));
      CHECK_FALSE(served.stopped);
      served.posts.held.at(0)(Ok{});
    });
    asio::post(served.loop.executor(), [&] {
      // Once the idle one is greeted, stop.
      served.loop.spawn([](Served& s) -> Awaitable<void> {
        while (s.server.figures().connections < 2) co_await asio::post(s.loop.executor(), asio::use_awaitable);
        s.stop();
      }(served));
    });
  };
  served.spawn(posting, mail_with("Hello"));
  served.loop.run();
  CHECK(served.stopped);
  CHECK(said(posting.heard, "250 2.0.0 posted"));
  CHECK(said(posting.heard, "421 4.3.2"));
  CHECK(posting.end == asio::error::eof);
}

TEST_CASE("LMTP server: a post that never ends doesn't hold up a stop for longer than it may") {
  LmtpServerOptions options;
  options.drain_max = 20ms;
  Served served(options);
  served.posts.holds = true;
  served.posts.on_held = [&] { served.stop(); };
  Client client;
  served.spawn(client, mail_with("Hello"));
  served.loop.run();
  CHECK(served.stopped);
  CHECK_FALSE(said(client.heard, "250 2.0.0 posted"));
  served.posts.held.at(0)(Ok{});  // to nobody
  served.loop.poll();
}

TEST_CASE("LMTP server: a client that goes while its post is under way takes nothing with it") {
  Served served;
  served.posts.holds = true;
  Client client;
  served.posts.on_held = [&] {
    client.stream->close();
    served.posts.held.at(0)(Ok{});
  };
  served.spawn(client, mail_with("Hello"), [&] { served.stop(); });
  served.loop.run();
  CHECK(served.stopped);
  CHECK(served.posts.posted.size() == 1);
}

TEST_CASE("LMTP server: one connection too many is told so") {
  LmtpServerOptions options;
  options.connections_max = 1;
  Served served(options);
  served.posts.holds = true;
  Client first, second;
  served.posts.on_held = [&] {
    served.spawn(second, "", [&] {
      CHECK(second.heard.starts_with("421 4.3.2"));
      CHECK(served.server.figures().connections_refused == 1);
      served.posts.held.at(0)(Ok{});
      served.stop();
    });
  };
  served.spawn(first, mail_with("Hello"));
  served.loop.run();
  CHECK(served.stopped);
  CHECK(said(first.heard, "250 2.0.0 posted"));
}

TEST_CASE("LMTP server: an idle client is told and closed, a babbling one, too") {
  LmtpServerOptions options;
  options.session.command_max = 0s;
  Served served(options);
  Client idle;
  served.spawn(idle, "", [&] { served.stop(); });
  served.loop.run();
  CHECK(said(idle.heard, "421 4.4.2"));

  Served other;
  Client babbling;
  std::string nonsense;
  for (int i = 0; i < 50'000; ++i) nonsense += "nonsense\r\n";
  other.spawn(babbling, nonsense, [&] { other.stop(); });
  other.loop.run();
  CHECK(said(babbling.heard, "421 4.7.0"));
  CHECK(babbling.end == asio::error::eof);  // and no reset that would have taken the reply away
}

}  // namespace holdfast::lmtp

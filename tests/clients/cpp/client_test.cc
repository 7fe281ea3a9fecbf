#include "clients/cpp/client.h"

#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <filesystem>

#include "fake_server.h"

using namespace holdfast;
using namespace holdfast::client;
using namespace holdfast::client::play;
using namespace std::chrono_literals;

namespace {

const ConversationId kConversation = *ConversationId::from_bytes(std::string(16, 'c'));

struct Reader final : ClientEvents {
  std::vector<std::string> read;
  std::vector<std::uint64_t> positions;
  int ended = 0;
  int reconnecting = 0;
  int moved = 0;
  int connections = 0;
  std::string last_failure;
  Reconnecting last_try;
  std::function<void()> on_read = [] {};
  void on_change(const v1::InboxItem& item) override {
    read.push_back(item.change().posted().body());
    positions.push_back(item.position());
    on_read();
  }
  void on_reconnecting(const Reconnecting& r) override {
    last_failure = r.reason;
    last_try = r;
    ++reconnecting;
  }
  void on_moved(const Moved&) override { ++moved; }
  void on_connection() override { ++connections; }
  void on_session_ended(const Failure& f) override {
    ++ended;
    last_failure = f.str();
  }
};

struct Stage {
  boost::asio::io_context io;
  ClientRuntime runtime{io.get_executor()};
  Reader reader;

  /// Runs until `done`; a minute is never reached unless something is broken.
  bool run_until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!done() && std::chrono::steady_clock::now() < end) io.run_one_for(100ms);
    return done();
  }
  ClientOptions options(const std::string& scheme, std::uint16_t port) const {
    ClientOptions options;
    options.endpoints = {*parse_endpoint(scheme + "127.0.0.1:" + std::to_string(port))};
    options.credentials = LogInWith{"ada", "secret"};
    options.sends_ahead_max = 16;
    options.reconnect.stable_after = 0ms;  // the cuts of these tests follow each other at once
    return options;
  }
  /// Everything that is still under way comes to its end.
  void finish() {
    runtime.cancel();
    io.restart();
    io.run();
  }
};

struct Certificate {
  std::filesystem::path folder;
  std::string certificate, key;
  Certificate() {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-tls-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    certificate = (folder / "cert.pem").string();
    key = (folder / "key.pem").string();
    REQUIRE(make_self_signed(certificate, key, {}));
  }
  ~Certificate() { std::filesystem::remove_all(folder); }
  TlsContext server() const { return *TlsContext::server(certificate, key); }
};

void talks_through_cuts(const std::string& scheme, std::optional<TlsContext> tls, const Trust& trust) {
  Stage stage;
  FakeServer server(stage.io.get_executor(), std::move(tls));
  int acknowledged = 0;
  std::vector<std::string> expected;
  {
    auto options = stage.options(scheme, server.port());
    options.trust = trust;
    Client client(stage.runtime, options, stage.reader);
    client.start();
    for (int round = 0; round < 5; ++round) {
      if (round == 2) server.swallow_answers(3);
      for (int i = 0; i < 10; ++i) {
        expected.push_back(std::to_string(expected.size()));
        REQUIRE(client.send(kConversation, expected.back(), [&](const SendResult& r) { acknowledged += r.ok(); }));
      }
      REQUIRE(stage.run_until([&] { return stage.reader.read.size() == expected.size(); }));
      server.cut();
    }
    REQUIRE(stage.run_until([&] { return acknowledged == static_cast<int>(expected.size()); }));
    CHECK(client.logins() == 1);
    CHECK(client.resumes() >= 4);
    CHECK(stage.reader.connections >= 5);  // each connection, before its session
    CHECK(client.outbox_size() == 0);
  }
  // The bodies went out and came back in; what WebSocket carries is not counted.
  const bool native = scheme.find("ws") == std::string::npos;
  CHECK((stage.runtime.traffic().written_bytes > 50 * 16) == native);
  CHECK((stage.runtime.traffic().read_bytes > 50 * 16) == native);
  CHECK(server.bodies == expected);
  CHECK(stage.reader.read == expected);
  CHECK(server.logins == 1);
  server.stop();
  stage.finish();
}

}  // namespace

TEST_CASE("Client: talks over plain frames through cuts, nothing lost, twice or out of order") {
  talks_through_cuts("holdfast://", std::nullopt, {});
}

TEST_CASE("Client: the same over TLS, trusting the server's own certificate") {
  Certificate certificate;
  Trust trust;
  trust.ca_file = certificate.certificate;
  talks_through_cuts("holdfasts://", certificate.server(), trust);
}

TEST_CASE("Client: the same over TLS with the certificate pinned") {
  Certificate certificate;
  Trust trust;
  trust.pinned_certificate = certificate.certificate;
  talks_through_cuts("holdfasts://", certificate.server(), trust);
}

TEST_CASE("Client: the same over WebSocket") { talks_through_cuts("ws://", std::nullopt, {}); }

TEST_CASE("Client: the same over WebSocket and TLS") {
  Certificate certificate;
  Trust trust;
  trust.ca_file = certificate.certificate;
  talks_through_cuts("wss://", certificate.server(), trust);
}

TEST_CASE("Client: a certificate that is not trusted is refused and said so") {
  Certificate certificate;
  Certificate other;
  Stage stage;
  FakeServer server(stage.io.get_executor(), certificate.server());
  {
    auto options = stage.options("holdfasts://", server.port());
    options.trust.ca_file = other.certificate;
    Client client(stage.runtime, options, stage.reader);
    client.start();
    REQUIRE(stage.run_until([&] { return !stage.reader.last_failure.empty(); }));
    CHECK(stage.reader.last_failure.find("TLS") != std::string::npos);
    CHECK(server.logins == 0);
  }
  server.stop();
  stage.finish();
}

namespace {

/// Reads what comes and answers in plain text, whatever was said, as a server does that has no room.
Awaitable<void> turn_away(tcp::acceptor& acceptor, v1::ServerFrame frame) {
  std::string bytes;
  append_frame(bytes, frame);
  while (true) {
    Stream stream(co_await acceptor.async_accept(boost::asio::use_awaitable));
    std::array<char, 4'096> hello;
    co_await stream.read_some(hello);
    stream.write_now(bytes);
  }
}

/// What the client makes of it: the wait before its next try, and why.
Reconnecting turned_away(v1::ErrorCode code, std::uint64_t retry_after_ms) {
  Stage stage;
  tcp::acceptor acceptor(stage.io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  v1::ServerFrame frame;
  frame.mutable_error()->set_code(code);
  frame.mutable_error()->set_message("too many come at once");
  frame.mutable_error()->set_retry_after_ms(retry_after_ms);
  TaskGroup tasks(stage.io.get_executor());
  tasks.spawn("server", turn_away(acceptor, std::move(frame)));
  Client client(stage.runtime, stage.options("holdfasts://", acceptor.local_endpoint().port()), stage.reader, nullptr);
  client.start();
  REQUIRE(stage.run_until([&] { return stage.reader.reconnecting > 0; }));
  client.close();
  tasks.cancel();
  stage.finish();
  return stage.reader.last_try;
}

}  // namespace

TEST_CASE("Client: turned away before TLS it comes back when it was told to, and believes nothing else of that") {
  const Reconnecting told = turned_away(v1::RETRY, 3'000);
  CHECK(told.delay >= 3'000ms);
  CHECK(told.delay <= 4'500ms);
  CHECK(told.reason.find("too many come at once") != std::string::npos);
  CHECK(turned_away(v1::RETRY, 86'400'000).delay <= 15'000ms);
  const Reconnecting other = turned_away(v1::SESSION_ENDED, 3'000);  // would end the session, if it were believed
  CHECK(other.delay <= 250ms);
  CHECK(other.reason.find("TLS") != std::string::npos);
}

TEST_CASE("Client: when one server is gone it goes to the other") {
  Stage stage;
  FakeServer gone(stage.io.get_executor());
  gone.stop();
  FakeServer server(stage.io.get_executor());
  {
    auto options = stage.options("", gone.port());
    options.endpoints.push_back(*parse_endpoint("127.0.0.1:" + std::to_string(server.port())));
    Client client(stage.runtime, options, stage.reader);
    client.start();
    REQUIRE(stage.run_until([&] { return client.online(); }));
    CHECK(client.endpoint().port == server.port());
  }
  server.stop();
  stage.finish();
}

TEST_CASE("Client: a message written while no server is there goes out when one is, in a later process too") {
  Stage stage;
  MemorySessionStore store;
  FakeServer server(stage.io.get_executor());
  {
    Client client(stage.runtime, stage.options("", server.port()), stage.reader, &store);
    client.start();
    REQUIRE(stage.run_until([&] { return client.online(); }));
    server.cut();
    REQUIRE(client.send(kConversation, "later"));
    REQUIRE(stage.run_until([&] { return !(*store.load())->outbox.empty(); }));
  }
  {
    Client client(stage.runtime, stage.options("", server.port()), stage.reader, &store);
    client.start();
    REQUIRE(stage.run_until([&] { return client.outbox_size() == 0; }));
  }
  CHECK(server.bodies == std::vector<std::string>{"later"});
  CHECK(server.logins == 1);
  server.stop();
  stage.finish();
}

namespace {

/// Sends without a pause while it is told to move back and forth between two nodes.
void talks_through_moves(const std::string& scheme, std::optional<TlsContext> tls, const Trust& trust) {
  Stage stage;
  FakeServer one(stage.io.get_executor(), tls);
  FakeServer two(stage.io.get_executor(), tls, &one);
  constexpr int kMoves = 10;
  constexpr int kPerMove = 100;
  int acknowledged = 0;
  std::vector<std::string> expected;
  {
    auto options = stage.options(scheme, one.port());
    options.trust = trust;
    Client client(stage.runtime, options, stage.reader);
    client.start();
    REQUIRE(stage.run_until([&] { return client.online(); }));
    bool always_online = true;
    for (int round = 0; round < kMoves; ++round) {
      FakeServer& from = round % 2 == 0 ? one : two;
      FakeServer& to = round % 2 == 0 ? two : one;
      for (int i = 0; i < kPerMove; ++i) {
        expected.push_back(std::to_string(expected.size()));
        REQUIRE(client.send(kConversation, expected.back(), [&](const SendResult& r) { acknowledged += r.ok(); }));
      }
      from.tell_to_move(to.port());
      REQUIRE(stage.run_until([&] {
        always_online = always_online && client.online();
        return stage.reader.moved > round;
      }));
      CHECK(client.endpoint().port == to.port());
      REQUIRE(stage.run_until([&] { return from.live() == 0; }));
    }
    REQUIRE(stage.run_until(
        [&] { return acknowledged == kMoves * kPerMove && stage.reader.read.size() == expected.size(); }));
    CHECK(always_online);
    CHECK(stage.reader.reconnecting == 0);
    CHECK(client.logins() == 1);
  }
  CHECK(one.bodies == expected);
  CHECK(stage.reader.read == expected);
  one.stop();
  two.stop();
  stage.finish();
}

}  // namespace

TEST_CASE("Client: moves between nodes under way, never offline, nothing lost, twice or out of order") {
  talks_through_moves("holdfast://", std::nullopt, {});
}

TEST_CASE("Client: the same over TLS") {
  Certificate certificate;
  Trust trust;
  trust.ca_file = certificate.certificate;
  talks_through_moves("holdfasts://", certificate.server(), trust);
}

TEST_CASE("Client: told to move to where nobody is, it stays, and comes back when the node goes") {
  Stage stage;
  FakeServer gone(stage.io.get_executor());
  gone.stop();
  FakeServer server(stage.io.get_executor());
  {
    Client client(stage.runtime, stage.options("", server.port()), stage.reader);
    client.start();
    REQUIRE(stage.run_until([&] { return client.online(); }));
    server.tell_to_move(gone.port());
    bool answered = false;
    REQUIRE(client.send(kConversation, "a", [&](const SendResult& r) { answered = r.ok(); }));
    REQUIRE(stage.run_until([&] { return answered; }));
    CHECK(client.online());
    CHECK(stage.reader.moved == 0);
    server.cut();
    REQUIRE(stage.run_until([&] { return client.resumes() == 1; }));
  }
  server.stop();
  stage.finish();
}

TEST_CASE("Client: closing leaves nothing running, also from within a delivery") {
  Stage stage;
  FakeServer server(stage.io.get_executor());
  {
    Client client(stage.runtime, stage.options("", server.port()), stage.reader);
    stage.reader.on_read = [&] { client.close(); };
    client.start();
    REQUIRE(client.send(kConversation, "a"));
    REQUIRE(stage.run_until([&] { return stage.reader.read.size() == 1; }));
    server.stop();
    stage.io.restart();
    stage.io.run();  // returns: no timer and no wait of the client's is left
    CHECK_FALSE(client.online());
    CHECK_FALSE(client.send(kConversation, "b"));
  }
}

TEST_CASE("Client: a WebSocket that is still saying good-bye can be cut short at every step") {
  for (int steps = 0; steps < 12; ++steps) {
    Stage stage;
    FakeServer server(stage.io.get_executor());
    Client client(stage.runtime, stage.options("ws://", server.port()), stage.reader);
    client.start();
    REQUIRE(stage.run_until([&] { return client.online(); }));
    client.close();
    for (int i = 0; i < steps; ++i) stage.io.poll_one();
    stage.runtime.cancel();
    server.stop();
    stage.finish();
  }
}

TEST_CASE("Client: two hundred in one thread talk at the same time") {
  Stage stage;
  FakeServer server(stage.io.get_executor());
  std::size_t acknowledged = 0;
  constexpr std::size_t kClients = 200;
  {
    ClientEvents deaf;
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.push_back(std::make_unique<Client>(stage.runtime, stage.options("", server.port()), deaf));
      clients.back()->start();
      for (int m = 0; m < 5; ++m)
        REQUIRE(clients.back()->send(kConversation, "x", [&](const SendResult& r) { acknowledged += r.ok(); }));
    }
    CHECK(stage.run_until([&] { return acknowledged == kClients * 5; }));
  }
  CHECK(server.bodies.size() == kClients * 5);
  server.stop();
  stage.finish();
}

#include "net/tls.h"

#include <sys/stat.h>

#include <boost/asio/error.hpp>
#include <fstream>

#include "net/tls_sessions.h"
#include "net/watchdog.h"
#include "tests/net/loop.h"

namespace holdfast {
namespace {

using namespace testing;
using namespace std::chrono_literals;

struct Ends {
  error_code client = boost::asio::error::would_block;
  error_code server = boost::asio::error::would_block;
};

Awaitable<void> handshake_into(Stream& stream, error_code& result) {
  result = co_await stream.handshake();
  if (result) stream.close();
}

/// Both ends shake hands; the client calls the server `name`.
Ends shake_hands(Loop& loop, Pair& pair, const TlsContext& server, const TlsContext& client, const std::string& name) {
  Ends ends;
  REQUIRE(pair.server->start_tls_server(server));
  REQUIRE(pair.client->start_tls_client(client, name));
  loop.spawn(handshake_into(*pair.server, ends.server));
  loop.spawn(handshake_into(*pair.client, ends.client));
  loop.run();
  return ends;
}

TEST_CASE("TLS: a self-signed certificate is believed by whoever has it as CA file, by name and by address") {
  Certified certified;
  for (const std::string name : {"localhost", "127.0.0.1", "::1", "chat.example.org"}) {
    Loop loop;
    auto pair = connected_pair(loop);
    const auto ends = shake_hands(loop, pair, certified.server, certified.client, name);
    INFO(name << ": " << ends.client.message());
    REQUIRE(!ends.client);
    REQUIRE(!ends.server);
  }
}

TEST_CASE("TLS: another name, another certificate and an unknown authority are refused, and why is said") {
  Certified certified;
  Certified other;
  {
    Loop loop;
    auto pair = connected_pair(loop);
    const auto ends = shake_hands(loop, pair, certified.server, certified.client, "evil.example.org");
    REQUIRE(ends.client.category() == certificate_category());
    REQUIRE(ends.client.message().find("hostname mismatch") != std::string::npos);
  }
  {
    Loop loop;
    auto pair = connected_pair(loop);
    const auto ends = shake_hands(loop, pair, other.server, certified.client, "localhost");
    REQUIRE(ends.client.category() == certificate_category());
  }
  {
    Loop loop;
    auto pair = connected_pair(loop);
    const auto ends = shake_hands(loop, pair, certified.server, Certified::client_with({}), "localhost");
    REQUIRE(ends.client.category() == certificate_category());
  }
}

TEST_CASE("TLS: a pinned fingerprint decides alone; insecure believes anybody") {
  Certified certified;
  Certified other;
  auto fingerprint = certificate_fingerprint(certified.certificate);
  REQUIRE(fingerprint);
  TlsTrust pin;
  pin.pinned_fingerprint = *fingerprint;
  const auto pinned = Certified::client_with(pin);
  TlsTrust anybody;
  anybody.insecure = true;
  const auto insecure = Certified::client_with(anybody);
  const auto result = [](const TlsContext& server, const TlsContext& client) {
    Loop loop;
    auto pair = connected_pair(loop);
    return shake_hands(loop, pair, server, client, "any.name").client;
  };
  REQUIRE(!result(certified.server, pinned));
  REQUIRE(result(other.server, pinned).category() == certificate_category());
  REQUIRE(!result(other.server, insecure));
  pin.pinned_fingerprint = "12:34";
  REQUIRE(TlsContext::client(pin).error().code == Errc::invalid_argument);
}

TEST_CASE("TLS: a transfer larger than all buffers comes back whole through an echo, with a clean end") {
  Certified certified;
  Loop loop;
  auto pair = connected_pair(loop);
  const auto ends = shake_hands(loop, pair, certified.server, certified.client, "localhost");
  REQUIRE(!ends.client);
  const auto sent = long_text(8'000'000);
  std::string got;
  error_code end;
  loop.spawn(echo(*pair.server));
  loop.spawn(write_and_shutdown(*pair.client, sent));
  loop.spawn(read_to_end(*pair.client, got, end));
  loop.run();
  REQUIRE((got == sent));
  REQUIRE(end == boost::asio::error::eof);
}

Awaitable<void> wait_for_bytes(Stream& stream, bool& woken) {
  const auto error = co_await stream.wait_readable();
  CHECK(!error);
  woken = true;
}

TEST_CASE("TLS: bytes that OpenSSL holds already count as readable, though the socket has none") {
  Certified certified;
  Loop loop;
  auto pair = connected_pair(loop);
  shake_hands(loop, pair, certified.server, certified.client, "localhost");
  REQUIRE(pair.client->write_now(std::string_view("ab")).ok());
  bool woken = false;
  loop.spawn(wait_for_bytes(*pair.server, woken));
  loop.run();
  char byte = 0;
  REQUIRE(pair.server->read_now({&byte, 1}).ok());
  bool again = false;
  bool called = false;
  loop.spawn(wait_for_bytes(*pair.server, again));
  pair.server->on_readable([&called](error_code) { called = true; });
  REQUIRE_FALSE(called);
  loop.poll();
  REQUIRE(again);
  REQUIRE(called);
}

TEST_CASE("TLS: a client that comes back resumes with its ticket, once for each ticket and not at another server") {
  Certified certified;
  Certified other;
  TlsTrust anybody;
  anybody.insecure = true;
  const auto client = Certified::client_with(anybody);
  const auto resumes = [&client](const TlsContext& server, bool take_ticket) {
    Loop loop;
    auto pair = connected_pair(loop);
    const auto ends = shake_hands(loop, pair, server, client, "localhost");
    REQUIRE(!ends.client);
    REQUIRE(!ends.server);
    char byte = 0;  // tickets come behind the handshake and are taken in by reading
    if (take_ticket) REQUIRE(pair.client->read_now({&byte, 1}).state == IoResult::State::would_block_read);
    REQUIRE(pair.client->tls_resumed() == pair.server->tls_resumed());
    return pair.client->tls_resumed();
  };
  REQUIRE_FALSE(resumes(certified.server, true));
  REQUIRE(resumes(certified.server, true));
  REQUIRE(resumes(certified.server, false));
  REQUIRE_FALSE(resumes(certified.server, true));
  REQUIRE_FALSE(resumes(other.server, true));
}

struct Node {
  TempFolder folder;
  std::string certificate = folder.file("cert.pem");
  TlsContext context = make();
  TlsContext make() {
    const auto key = folder.file("key.pem");
    REQUIRE(make_self_signed(certificate, key, {"a.example.org", "b.example.org"}));
    auto made = TlsContext::server(certificate, key);
    REQUIRE(made);
    return *made;
  }
};

/// One connection by that name; the client reads, and so has its ticket.
bool resumes_at(const TlsContext& server, const TlsContext& client, const std::string& name) {
  Loop loop;
  auto pair = connected_pair(loop);
  const auto ends = shake_hands(loop, pair, server, client, name);
  INFO(ends.client.message());
  REQUIRE(!ends.client);
  REQUIRE(!ends.server);
  char byte = 0;
  REQUIRE(pair.client->read_now({&byte, 1}).state == IoResult::State::would_block_read);
  REQUIRE(pair.client->tls_resumed() == pair.server->tls_resumed());
  return pair.client->tls_resumed();
}

TEST_CASE("TLS: clients in one process have tickets of their own, as many as they keep, or none") {
  Certified certified, other;
  TlsTrust anybody;
  anybody.insecure = true;
  const auto together = Certified::client_with(anybody);
  const auto ada = together.with_tickets(std::make_shared<ClientTickets>(1));
  const auto bob = together.with_tickets(std::make_shared<ClientTickets>(1));
  const auto forgetful = together.with_tickets(std::make_shared<ClientTickets>(0));
  REQUIRE_FALSE(resumes_at(certified.server, ada, "localhost"));
  REQUIRE_FALSE(resumes_at(certified.server, bob, "localhost"));
  REQUIRE_FALSE(resumes_at(certified.server, together, "localhost"));
  for (int i = 0; i < 2; ++i) {
    REQUIRE(resumes_at(certified.server, ada, "localhost"));
    REQUIRE(resumes_at(certified.server, bob, "localhost"));
    REQUIRE_FALSE(resumes_at(certified.server, forgetful, "localhost"));
  }
  // With room for one, another server's ticket takes its place.
  REQUIRE_FALSE(resumes_at(other.server, ada, "other.example.org"));
  REQUIRE_FALSE(resumes_at(certified.server, ada, "localhost"));
  REQUIRE(resumes_at(certified.server, bob, "localhost"));
}

struct Clock {
  WallTime now = from_ms(1'700'000'000'000);
  std::shared_ptr<TicketKeys> keys(std::vector<Hash32> secrets) {
    auto made = std::make_shared<TicketKeys>([this] { return now; });
    made->set_secrets(std::move(secrets));
    return made;
  }
};

Hash32 secret(std::uint8_t fill) {
  Hash32 bytes;
  bytes.fill(fill);
  return bytes;
}

TEST_CASE("TLS: a session of one node resumes at another that has the same secret, and not at one that has not") {
  Clock clock;
  Node a, b, stranger;
  a.context.share_tickets(clock.keys({secret(1)}));
  b.context.share_tickets(clock.keys({secret(1)}));
  stranger.context.share_tickets(clock.keys({secret(2)}));
  TlsTrust anybody;
  anybody.insecure = true;
  const auto client = Certified::client_with(anybody);
  REQUIRE_FALSE(resumes_at(a.context, client, "a.example.org"));
  REQUIRE(resumes_at(b.context, client, "b.example.org"));
  REQUIRE(resumes_at(a.context, client, "a.example.org"));
  REQUIRE_FALSE(resumes_at(stranger.context, client, "a.example.org"));
}

TEST_CASE("TLS: the ticket of another server is offered only if that one's certificate is good for this name") {
  Clock clock;
  Node a;
  a.context.share_tickets(clock.keys({secret(1)}));
  const auto client = Certified::client_with({.ca_file = a.certificate, .pinned_fingerprint = {}, .insecure = false});
  REQUIRE_FALSE(resumes_at(a.context, client, "a.example.org"));
  {
    Loop loop;  // resumed, nobody would look at the certificate
    auto pair = connected_pair(loop);
    const auto ends = shake_hands(loop, pair, a.context, client, "evil.example.org");
    REQUIRE(ends.client.category() == certificate_category());
  }
  REQUIRE(resumes_at(a.context, client, "b.example.org"));
  REQUIRE(resumes_at(a.context, client, "127.0.0.1"));
}

TEST_CASE("TLS: a ticket is renewed as the hours go, opens for two of them, and is worth nothing then") {
  Clock clock;
  Node a;
  a.context.share_tickets(clock.keys({secret(1)}));
  TlsTrust anybody;
  anybody.insecure = true;
  const auto client = Certified::client_with(anybody);
  REQUIRE_FALSE(resumes_at(a.context, client, "localhost"));
  for (int hours : {1, 2, 2}) {  // each time with the ticket of the time before
    clock.now += std::chrono::hours(hours);
    REQUIRE(resumes_at(a.context, client, "localhost"));
  }
  clock.now += std::chrono::hours(3);
  REQUIRE_FALSE(resumes_at(a.context, client, "localhost"));
}

TEST_CASE(
    "TicketKeys: every hour another key, the same wherever the secret is; a rotated secret seals, the old opens") {
  Clock clock;
  const auto keys = clock.keys({secret(1)});
  const auto elsewhere = clock.keys({secret(1)});
  const auto first = *keys->sealing();
  REQUIRE(first == *elsewhere->sealing());
  REQUIRE(first.cipher != first.mac);
  const std::string name(first.name.begin(), first.name.end());
  REQUIRE(keys->find(name));
  clock.now -= std::chrono::hours(1);  // a node whose clock is behind
  REQUIRE(keys->find(name));
  clock.now += std::chrono::hours(2);
  const auto second = *keys->sealing();
  REQUIRE_FALSE(second == first);
  REQUIRE(keys->find(name));
  keys->set_secrets({secret(2), secret(1)});
  REQUIRE_FALSE(*keys->sealing() == second);
  REQUIRE(*keys->find(name) == first);
  keys->set_secrets({secret(3), secret(2)});
  REQUIRE_FALSE(keys->find(name));
  REQUIRE_FALSE(TicketKeys().sealing());
}

TEST_CASE("TLS: a cut connection is not mistaken for an end") {
  Certified certified;
  Loop loop;
  auto pair = connected_pair(loop);
  shake_hands(loop, pair, certified.server, certified.client, "localhost");
  // Let the client read the session ticket, then cut without close_notify.
  char byte = 0;
  REQUIRE(pair.client->read_now({&byte, 1}).state == IoResult::State::would_block_read);
  pair.server->close();
  const auto result = pair.client->read_now({&byte, 1});
  REQUIRE(result.state == IoResult::State::failed);
  REQUIRE(result.error == boost::asio::error::eof);
}

TEST_CASE("TLS: who saw its connection cut, by a server's death, still has its ticket") {
  Certified certified;
  const auto ada = certified.client.with_tickets(std::make_shared<ClientTickets>(1));
  for (const bool resumed : {false, true, true}) {
    Loop loop;
    auto pair = connected_pair(loop);
    shake_hands(loop, pair, certified.server, ada, "localhost");
    CHECK(pair.client->tls_resumed() == resumed);
    char byte = 0;
    REQUIRE(pair.client->read_now({&byte, 1}).state == IoResult::State::would_block_read);
    pair.server->close();
    REQUIRE(pair.client->read_now({&byte, 1}).state == IoResult::State::failed);
    pair.client->close();
  }
}

Awaitable<void> detect_into(Stream& stream, std::string& kind) {
  auto detected = co_await stream.detect_protocol();
  kind = detected ? name_of(*detected) : detected.error().message;
}

TEST_CASE("TLS: detected on a plain stream, started on it, and what is spoken within is detected again") {
  Certified certified;
  Loop loop;
  auto pair = connected_pair(loop);
  Ends ends;
  std::string outer;
  REQUIRE(pair.client->start_tls_client(certified.client, "localhost"));
  loop.spawn(handshake_into(*pair.client, ends.client));
  loop.poll();
  loop.spawn(detect_into(*pair.server, outer));
  while (outer.empty()) loop.context().run_one();
  REQUIRE(outer == "tls");
  REQUIRE(pair.server->start_tls_server(certified.server));
  loop.spawn(handshake_into(*pair.server, ends.server));
  loop.run();
  REQUIRE(!ends.server);

  std::string inner;
  loop.spawn(detect_into(*pair.server, inner));
  for (const char byte : {'\0', '\0', '\0', '\1'}) {  // one record each
    REQUIRE(inner.empty());
    REQUIRE(pair.client->write_now({&byte, 1}).ok());
    loop.poll();
  }
  REQUIRE(pair.client->write_now(std::string_view("x")).ok());
  loop.run();
  REQUIRE(inner == "native");
  std::string got;
  error_code end;
  pair.client->shutdown();
  loop.spawn(read_to_end(*pair.server, got, end));
  loop.run();
  REQUIRE(got == std::string("\0\0\0\1x", 5));
}

Awaitable<void> handshake_within(Stream& stream, std::chrono::milliseconds time, error_code& result, bool& barked) {
  Watchdog watchdog(stream);
  watchdog.arm(time);
  result = co_await stream.handshake();
  barked = watchdog.barked();
}

TEST_CASE("TLS: a handshake that stops half-way is ended by its watchdog; garbage after the hello at once") {
  Certified certified;
  const std::string_view half_hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  for (const bool garbage : {false, true}) {
    Loop loop;
    auto pair = connected_pair(loop);
    REQUIRE(pair.server->start_tls_server(certified.server));
    REQUIRE(pair.client->write_now(half_hello).ok());
    if (garbage) REQUIRE(pair.client->write_now(std::string(2000, 'g')).ok());
    error_code result;
    bool barked = false;
    loop.spawn(handshake_within(*pair.server, garbage ? 10'000ms : 5ms, result, barked));
    loop.run();
    REQUIRE(result);
    REQUIRE(barked == !garbage);
    if (garbage) REQUIRE(result.category() == tls_category());
  }
}

TEST_CASE("TLS: a server that answers in a frame instead of TLS is told from a broken one, and what it said is there") {
  Certified certified;
  const std::string frame("\0\0\0\2hi", 6), garbage("garbage");
  for (const auto& [answer, error] :
       {std::pair(frame, make_error_code(boost::system::errc::bad_message)), std::pair(garbage, error_code())}) {
    Loop loop;
    auto pair = connected_pair(loop);
    REQUIRE(pair.client->start_tls_client(certified.client, "localhost"));
    REQUIRE(pair.server->write_now(answer).ok());
    error_code result;
    std::string said;
    loop.spawn([](Stream& client, error_code& into, std::string& heard) -> Awaitable<void> {
      into = co_await client.handshake();
      if (into == boost::system::errc::bad_message) heard = client.plain_answer();
      client.close();
    }(*pair.client, result, said));
    loop.run();
    CHECK(result);
    CHECK((result == boost::system::errc::bad_message) == bool(error));
    CHECK(said == (error ? frame : ""));
  }
}

TEST_CASE("TLS: plain text to a TLS server fails the handshake") {
  Certified certified;
  Loop loop;
  auto pair = connected_pair(loop);
  REQUIRE(pair.server->start_tls_server(certified.server));
  REQUIRE(pair.client->write_now(std::string_view("GET / HTTP/1.1\r\n\r\n")).ok());
  error_code result;
  loop.spawn(handshake_into(*pair.server, result));
  loop.run();
  REQUIRE(result.category() == tls_category());
  REQUIRE(result.message().find("http request") != std::string::npos);
}

TEST_CASE("Self-signed: the key is its owner's alone, files are replaced whole, and hosts are checked") {
  TempFolder folder;
  const auto certificate = folder.file("cert.pem");
  const auto key = folder.file("key.pem");
  REQUIRE(make_self_signed(certificate, key, {}));
  auto first = certificate_fingerprint(certificate);
  struct stat info{};
  REQUIRE(::stat(key.c_str(), &info) == 0);
  REQUIRE((info.st_mode & 0777) == 0600);
  std::ofstream(certificate + ".new") << "left behind by a crash";
  REQUIRE(make_self_signed(certificate, key, {"10.1.2.3", "chat.example.org"}));
  auto second = certificate_fingerprint(certificate);
  REQUIRE(first);
  REQUIRE(second);
  REQUIRE(*first != *second);
  REQUIRE_FALSE(std::filesystem::exists(certificate + ".new"));
  REQUIRE(make_self_signed(certificate, key, {"a,DNS:b"}).error().code == Errc::invalid_argument);
  auto nowhere = make_self_signed(folder.file("no/cert.pem"), folder.file("no/key.pem"), {});
  REQUIRE(nowhere.error().code == Errc::io);
  REQUIRE(nowhere.error().message.find("no/key.pem") != std::string::npos);
}

TEST_CASE("TlsContext: a file that is missing or useless is named") {
  TempFolder folder;
  const auto missing = folder.file("missing.pem");
  const auto useless = folder.file("useless.pem");
  std::ofstream(useless) << "not a certificate";
  auto first = TlsContext::server(missing, missing);
  REQUIRE(first.error().code == Errc::not_found);
  REQUIRE(first.error().message.find(missing) != std::string::npos);
  auto second = TlsContext::server(useless, useless);
  REQUIRE(second.error().code == Errc::invalid_argument);
  REQUIRE(second.error().message.find(useless) != std::string::npos);
  TlsTrust trust;
  trust.ca_file = missing;
  REQUIRE(TlsContext::client(trust).error().code == Errc::not_found);
}

}  // namespace
}  // namespace holdfast

#include "tools/holdfast-load/attacker.h"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "net/connect.h"
#include "net/stream.h"
#include "proto/client.pb.h"
#include "proto/frame.h"

namespace holdfast::load {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kConnectMax{5'000};
constexpr milliseconds kPatience{180'000};  // with a server that says nothing: longer than any has with us
constexpr milliseconds kPause{20};          // after a failed attempt: the load's own processor is not to be the victim
constexpr milliseconds kLook{200};          // how soon a stop is noticed

void count(Attack* attack, const char* name) { ++attack->place->tally.counts[name]; }

/// The ClientHello of a handshake that goes no further.
std::string client_hello(const TlsContext& context) {
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.native()), SSL_free);
  if (!ssl) return {};
  BIO* const written = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), written);
  SSL_set_connect_state(ssl.get());
  SSL_do_handshake(ssl.get());
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(written, &bytes);
  return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
}

std::string hello() {
  std::string out;
  v1::ClientFrame hello;
  hello.set_request_id(1);
  hello.mutable_hello()->set_protocol_min(1);
  hello.mutable_hello()->set_protocol_max(1);
  hello.mutable_hello()->set_client("holdfast-load");
  append_frame(out, hello);
  return out;
}

std::string request(v1::ClientFrame frame) {
  std::string out;
  frame.set_request_id(2);
  append_frame(out, frame);
  return out;
}

/// What an attempt says at once, and what it goes on with at one byte a second.
struct Opening {
  std::string at_once, dripping = {};
};

Opening opening_of(Attack* attack, std::uint64_t attempt) {
  const Plan& plan = attack->place->plan;
  if (plan.kind == "half-open") {
    const std::string whole = client_hello(*attack->tls);
    // Half of them stop in the middle of the hello, the others when the server has done its part of the work.
    return {attempt % 2 == 0 ? whole : whole.substr(0, whole.size() / 2)};
  }
  if (plan.kind == "slow") {
    v1::ClientFrame frame;
    frame.mutable_log_in()->set_username(std::string(64, 'a'));
    frame.mutable_log_in()->set_password(std::string(900, 'b'));
    // Half of them are as slow with the hello already.
    if (attempt % 2 == 0) return {"", hello() + request(std::move(frame))};
    return {hello(), request(std::move(frame))};
  }
  v1::ClientFrame frame;
  if (plan.kind == "passwords") {
    frame.mutable_log_in()->set_username("load-" + plan.run + "-live-" + std::to_string(attempt % 64));
    frame.mutable_log_in()->set_password("wrong " + std::to_string(attempt));
    frame.mutable_log_in()->set_device_name("holdfast-load");
    return {hello() + request(std::move(frame))};
  }
  if (plan.kind == "token") {
    frame.mutable_resume()->set_token(attack->token);
    return {hello() + request(std::move(frame))};
  }
  return {};  // silent
}

/// Counts what the frames in it are. True: the attempt has its answer.
bool count_answers(Attack* attack, FrameDecoder& decoder, std::string_view bytes) {
  bool any = false;
  while (true) {
    auto payload = decoder.next(bytes);
    if (!payload || !*payload) return any;
    v1::ServerFrame frame;
    if (!frame.ParseFromArray((*payload)->data(), static_cast<int>((*payload)->size()))) return any;
    if (frame.has_hello()) continue;
    const bool denied = frame.has_error() || frame.has_session_ended() || frame.has_goodbye();
    count(attack, denied ? "denied" : "answered");
    any = true;
  }
}

/// Until there is something to read, or it is time to look at `stop` again.
Awaitable<void> wait_readable_a_while(Stream* stream) {
  // A timer that went off has its handler run also when it is cancelled just then, and the stream may be gone by that.
  const auto waiting = std::make_shared<bool>(true);
  boost::asio::steady_timer timer(stream->executor(), kLook);
  timer.async_wait([stream, still = std::weak_ptr(waiting)](const error_code& error) {
    if (!error && !still.expired()) stream->cancel();
  });
  co_await stream->wait_readable();
}

/// Reads until the server closes, the time is up, or it is to stop. Who asked for something waits for the answer even
/// then: what became of it is known of each attempt.
Awaitable<void> listen(Attack* attack, Stream* stream, SteadyTime until) {
  const std::string& kind = attack->place->plan.kind;
  const bool asks = kind == "passwords" || kind == "token";
  FrameDecoder decoder;
  std::array<char, 4'096> room;
  while ((asks || !attack->stop) && steady_now() < until) {
    const std::span<char> into(room);
    const IoResult got = stream->read_now(into);
    if (got.ok()) {
      if (asks && count_answers(attack, decoder, {room.data(), got.bytes})) co_return;
      continue;
    }
    if (!got.would_block()) {
      count(attack, "closed");
      co_return;
    }
    co_await wait_readable_a_while(stream);
  }
}

/// One byte a second, for as long as the server takes it.
Awaitable<void> drip(Attack* attack, Stream* stream, std::string bytes) {
  for (const char byte : bytes) {
    const IoResult put = stream->write_now({&byte, 1});
    if (!put.ok()) {
      count(attack, "closed");
      co_return;
    }
    const SteadyTime next = steady_now() + std::chrono::seconds(1);
    co_await listen(attack, stream, next);
    if (attack->stop) co_return;
    std::array<char, 1> nothing;
    const IoResult end = stream->read_now(nothing);
    if (!end.would_block()) break;
  }
}

Awaitable<void> attempt_once(Attack* attack, std::uint64_t index, std::uint64_t attempt) {
  const auto& endpoints = attack->place->target.endpoints;
  const std::uint64_t of_all = index + attempt * attack->place->plan.connections;
  const client::Endpoint& endpoint = endpoints[of_all % endpoints.size()];
  count(attack, "attempts");
  HostPort where{endpoint.host, endpoint.port};
  // Each from an address of its own, as a botnet's: loopback has some millions.
  std::string source;
  if (!attack->place->sources.empty())
    source = "127." + std::to_string(100 + of_all / 62'500 % 100) + "." + std::to_string(of_all / 250 % 250) + "." +
             std::to_string(1 + of_all % 250);
  auto socket = co_await connect_from(std::move(source), std::move(where), kConnectMax);
  if (!socket) {
    count(attack, "unreachable_for_them");
    co_return;
  }
  Stream stream(std::move(*socket));
  const Opening opening = opening_of(attack, of_all);
  if (!opening.at_once.empty()) {
    const error_code error = co_await stream.write_all(opening.at_once);
    if (error) {
      count(attack, "closed");
      co_return;
    }
  }
  if (opening.dripping.empty())
    co_await listen(attack, &stream, steady_now() + kPatience);
  else
    co_await drip(attack, &stream, opening.dripping);
}

}  // namespace

bool is_attacker_kind(const std::string& kind) {
  for (const char* known : {"half-open", "silent", "slow", "passwords", "token"})
    if (kind == known) return true;
  return false;
}

Awaitable<void> run_attacker(Attack* attack, std::uint64_t index) {
  for (std::uint64_t attempt = 0; !attack->stop; ++attempt) {
    const SteadyTime began = steady_now();
    co_await attempt_once(attack, index, attempt);
    if (steady_now() - began < kPause) co_await wait_for(attack->place, kPause);
  }
}

}  // namespace holdfast::load

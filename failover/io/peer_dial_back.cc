#include "failover/io/peer_dial_back.h"

#include "failover/io/peer_hello.h"
#include "net/connect.h"
#include "net/watchdog.h"

namespace holdfast::failover {
namespace {

constexpr std::chrono::milliseconds kConnectMax{2'000};

/// Nothing if the newcomer answers.
Awaitable<std::optional<std::string>> why_not_greeted(PeerShared& shared, Stream& stream, HostPort where,
                                                      peer::Hello newcomer) {
  if (shared.options.tls_client) {
    const auto started = stream.start_tls_client(*shared.options.tls_client, where.host);
    if (!started) co_return started.error().message;
    const auto failed = co_await stream.handshake();
    if (failed) co_return "TLS failed: " + failed.message();
  }
  const auto hello = shared.hello();
  const auto unsent = co_await stream.write_all(hello);
  if (unsent) co_return unsent.message();
  const auto first = co_await read_first_frame(stream);
  if (!first) co_return first.error().message;
  const peer::Frame& answer = *first->frame;
  if (answer.has_refused()) co_return "who answers there says: " + for_log(answer.refused().reason());
  if (answer.hello().boot_id() != newcomer.boot_id()) co_return "another process answers there";
  co_return std::nullopt;
}

}  // namespace

Awaitable<std::optional<std::string>> why_out_of_reach(PeerShared& shared, peer::Hello newcomer) {
  const std::string address = for_log(newcomer.dial_back());
  const std::string advice =
      "; set cluster.peer_address to a HOST:PORT at which the other nodes reach it, and let them through";
  const auto where = parse_host_port(newcomer.dial_back());
  if (!where) co_return "its peer_address is of no use: " + for_log(where.error().message) + advice;
  const std::string what =
      "its peer_address " + address + " can't be reached from node " + std::to_string(shared.options.own.node()) + ": ";
  auto socket = co_await connect(*where, kConnectMax);
  if (!socket) co_return what + for_log(socket.error().message) + advice;
  set_peer_socket_options(*socket);
  Stream stream(std::move(*socket));
  Watchdog watchdog(stream);
  watchdog.arm(kDialBackMax - kConnectMax);
  const auto failed = co_await why_not_greeted(shared, stream, *where, newcomer);
  if (!failed) co_return std::nullopt;
  co_return what + (watchdog.barked() ? "nobody answers there in time" : for_log(*failed)) + advice;
}

}  // namespace holdfast::failover

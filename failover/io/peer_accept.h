/// The peers' side of the links: takes the connections that other nodes dialled, and reads what they send.
///
/// Owned by PeerLinks::Impl. On the executor's thread. Each connection is a coroutine of its own.
/// Bound: 64 connections that have not said Hello yet; beyond it new ones are closed.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "failover/io/peer_shared.h"
#include "net/listener.h"
#include "net/watchdog.h"

namespace holdfast::failover {

class PeerAccept {
 public:
  explicit PeerAccept(PeerShared& shared) : shared_(shared) {}

  Result<std::uint16_t> listen();
  /// Accepts nothing more and closes what there is.
  void close();

 private:
  void take(tcp::socket socket);
  Awaitable<void> serve(std::unique_ptr<Stream> stream);
  /// TLS and the peer's Hello; answers it. Nothing if it came to nothing, which is logged.
  struct Greeted {
    std::shared_ptr<Peer> peer;
    peer::Hello hello;
    std::string rest;  ///< bytes that came behind the Hello
  };
  Awaitable<std::optional<Greeted>> greet(Stream& stream, Watchdog& watchdog);
  Awaitable<bool> start_tls(Stream& stream);
  Awaitable<std::optional<Greeted>> answer(Stream& stream, Watchdog& watchdog, FirstFrame first);
  std::optional<std::string> why_not(const peer::Hello& theirs) const;
  Awaitable<void> read(Stream& stream, Greeted greeted);
  /// False if the connection is to end.
  bool feed(Stream& stream, Peer& peer, const Member& from, PeerFrames& frames, std::string_view input);

  PeerShared& shared_;
  std::unique_ptr<Listener> listener_;
  std::set<Stream*> open_;
  int strangers_ = 0;  ///< connections that have not said Hello
};

}  // namespace holdfast::failover

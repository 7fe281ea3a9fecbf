/// Our side of a link: dials one node for as long as it is wanted, and writes to it.
///
/// Owned by its Peer and by its own coroutine, which runs until stop(). On the executor's thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "failover/io/peer_shared.h"

namespace holdfast::failover {

class PeerDial {
 public:
  PeerDial(PeerShared& shared, std::shared_ptr<Peer> peer, HostPort where);

  static Awaitable<void> run(std::shared_ptr<PeerDial> self);

  const HostPort& where() const { return where_; }
  /// Something waits in the outbox, or it overflowed.
  void turn();
  /// The peer dialled us: whoever waits to try again tries now.
  void peer_came();
  /// A connection of the peer's ended: look whether ours has, too, before its event comes.
  void peer_went();
  /// Writes what is queued, then hangs up; for the end of everything.
  void drain();
  /// Hangs up, and never calls a handler again.
  void stop();
  /// The peer's life that our connection greeted, while it stands.
  const std::string* boot_id() const { return up_ ? &boot_id_ : nullptr; }

 private:
  /// How a try ended.
  struct End {
    bool was_up = false;
    std::optional<LinkDown> evidence;
  };
  Awaitable<End> attempt();
  Awaitable<error_code> connect(tcp::socket& socket);
  Awaitable<error_code> connect_to(tcp::socket& socket, tcp::endpoint to);
  /// TLS and both Hellos. Nothing if it came to nothing, which is logged.
  Awaitable<std::optional<peer::Hello>> greet(Stream& stream);
  Awaitable<bool> start_tls(Stream& stream);
  Awaitable<std::optional<peer::Hello>> take_answer(Stream& stream, FirstFrame first);
  Awaitable<void> converse(Stream& stream, peer::Hello theirs);
  Awaitable<void> write(Stream& stream);
  Awaitable<void> read_to_end(Stream& stream);
  Awaitable<void> pause(std::chrono::milliseconds delay);
  void ended(Stream& stream, const error_code& error);
  void go_down();
  std::chrono::milliseconds backoff(int tries);

  PeerShared& shared_;
  const std::shared_ptr<Peer> peer_;
  const HostPort where_;
  SystemRandom random_;
  boost::asio::steady_timer timer_;  ///< of connecting, and of the pause between tries
  boost::asio::steady_timer wake_;   ///< of the writer: never expires
  tcp::socket* connecting_ = nullptr;
  Stream* stream_ = nullptr;           ///< from connected to closed
  std::optional<tcp::endpoint> last_;  ///< where it was last: the first try after a loss asks no name server
  std::string boot_id_;
  std::optional<error_code> end_;  ///< why the present connection ended, first of all
  bool up_ = false;
  bool pausing_ = false;
  bool draining_ = false;
  bool stopped_ = false;
  int failures_ = 0;      ///< tries since it was up
  int quick_losses_ = 0;  ///< of links that stood less than a second, in a row
};

}  // namespace holdfast::failover

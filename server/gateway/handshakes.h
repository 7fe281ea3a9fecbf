/// Admission before the expensive work: TLS handshakes of one worker take turns, a few in each turn of its loop, so that
/// a crowd that comes back does not hold up those who are connected; and who would wait too long is sent away before it
/// has cost anything.
///
/// The cost of a handshake (key exchange, signature) is one step, taken when the client's first message is there whole:
/// that step is what takes turns. First come, first served. Bound: `waiting_max` wait, beyond it turn() says no.
/// Owned by the gateway, used on its thread; destroyed when nobody waits any more.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>

#include "net/asio.h"

namespace holdfast::gateway {

class Handshakes : public std::enable_shared_from_this<Handshakes> {
 public:
  Handshakes(any_io_executor executor, std::size_t waiting_max)
      : executor_(std::move(executor)), waiting_max_(waiting_max) {}

  enum class Turn : std::uint8_t { yes, full, cancelled };
  /// Comes back when it is the caller's turn, or at once if too many wait. This outlives the wait.
  Awaitable<Turn> turn();

  std::size_t waiting() const { return waiting_.size(); }

 private:
  void schedule();
  void let_some();

  const any_io_executor executor_;
  const std::size_t waiting_max_;
  std::deque<boost::asio::steady_timer*> waiting_;  ///< each in the frame of its turn()
  bool scheduled_ = false;
};

}  // namespace holdfast::gateway

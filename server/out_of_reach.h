/// Tells whether no other node can dial this one, though it reaches them: what they would answer comes on connections
/// that they dial, so whoever asks something here would wait for ever. Mostly a wrong cluster.peer_address.
///
/// Sans-IO value; owned by Node, its thread. Once somebody has been heard it is over for good: who loses the others later
/// is the failure detector's concern.
#pragma once

#include <chrono>
#include <optional>

#include "base/time.h"
#include "failover/io/peer_links.h"

namespace holdfast {

class OutOfReach {
 public:
  /// What the others need to dial us is counted from when we reach one of them.
  static constexpr std::chrono::seconds kDialledWithin{3};

  void look(const failover::PeerLinksFigures& links, SteadyTime now) {
    bool reaches = false;
    for (const failover::PeerFigures& peer : links.peers) {
      heard_ |= peer.frames_in > 0;
      reaches |= peer.up;
    }
    if (!reaches) since_.reset();
    if (reaches && !since_) since_ = now;
    is_ = !heard_ && since_ && now - *since_ >= kDialledWithin;
  }
  bool is() const { return is_; }

 private:
  bool heard_ = false;
  bool is_ = false;
  std::optional<SteadyTime> since_;  ///< we reach somebody
};

}  // namespace holdfast

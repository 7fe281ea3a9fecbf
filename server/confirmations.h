/// Which partitions are served where, and since when that was certain: what nodes tell each other, so that gateways may
/// rely on their users' sessions, and connections attach themselves anew wherever their users' partition is served now.
///
/// Sans-IO; owned by Cluster. Thread: the cluster's. What another node says of a partition counts once the configuration
/// says so too and the node can be reached: connections attach themselves to it then, and an attachment that goes
/// elsewhere, or nowhere, would be missed by nobody. Bound: one row for each partition and each node ever met.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "failover/in_sync_set.h"
#include "proto/peer.pb.h"

namespace holdfast {

class Confirmations {
 public:
  explicit Confirmations(std::uint16_t partitions) : partitions_(partitions) {}

  // ---- links
  void link_up(const failover::Member& peer, const std::string& boot);
  /// False: it was down already.
  bool link_down(NodeId node);
  /// Null: there never was a link to it.
  const failover::Member* met(NodeId node) const;
  bool reaches(NodeId node) const;

  // ---- what others say
  void configured(PartitionId partition, NodeId primary, Epoch epoch);
  void received(NodeId from, const peer::Confirm& confirm, SteadyTime now);

  // ---- what we say
  /// A partition that is served here.
  struct Served {
    PartitionId partition;
    Epoch epoch;
    SteadyTime certain;  ///< at that time nobody led a later epoch
  };
  /// For every node that can be reached. Also when nothing is served: who hears it learns how far our clocks are apart.
  std::vector<std::pair<NodeId, peer::Frame>> say(const std::vector<Served>& served, SteadyTime now);

  // ---- what is to be done
  struct Ready {
    std::vector<std::pair<PartitionId, SteadyTime>> certain;  ///< its primary was, at that time
    struct Reattach {
      PartitionId partition;
      bool ask_again;  ///< answers that its primary sent before its link to us came up are lost
    };
    std::vector<Reattach> reattach;  ///< served elsewhere, or by another life of its link, than before
  };
  Ready take_ready() { return std::exchange(ready_, {}); }

 private:
  struct Peer {
    failover::Member member;
    std::uint64_t ups = 0;  ///< how often its link came up
    bool up = false;
    std::string boot;
    struct Quickest {
      std::int64_t took_ms;  ///< by its clock and ours: as far as they are apart
      SteadyTime at;
    };
    std::optional<Quickest> quickest;  ///< of its confirmations, in this life of it
  };
  struct Known {
    NodeId node;  ///< 0: this one
    Epoch epoch;
    std::uint64_t link = 0;  ///< from there to here: if it was lost, our connections were forgotten there
    std::uint64_t back = 0;  ///< from here to there: if it was lost, so were attachments under way
    friend bool operator==(const Known&, const Known&) = default;
  };
  struct Said {
    NodeId node;
    Epoch epoch;
    std::uint64_t link = 0;
    std::optional<SteadyTime> certain;  ///< nothing: nobody can tell
  };
  struct Partition {
    NodeId primary;  ///< as the configuration has it
    Epoch epoch;
    std::optional<Said> said;    ///< last, believed or not
    std::optional<Known> known;  ///< as connections were told last
  };
  static std::chrono::milliseconds delay_of(Peer& peer, std::int64_t sent_ms, SteadyTime now);
  void believe(PartitionId id, Partition& partition);

  std::uint16_t partitions_;
  std::map<NodeId, Peer> peers_;
  std::map<PartitionId, Partition> rows_;
  Ready ready_;
};

}  // namespace holdfast

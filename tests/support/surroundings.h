/// What a node of several has around it, as OneThreadNode sees it: links, the configuration store's news, its clients.
#pragma once

#include <optional>

#include "proto/peer.pb.h"
#include "server/chat/tokens.h"
#include "server/copy.h"
#include "server/router.h"

namespace holdfast {

/// The test's; outlives every life of the node. Called from within the node's steps and ticks.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  /// Lost where there is no link.
  virtual void send(NodeId to, peer::Frame frame) = 0;
  virtual void reconfigure(const failover::Reconfiguration& wanted) = 0;
  /// A partition opened here.
  virtual void opened() = 0;
  /// Handed out for the state, in order; after a start again from where the state stood.
  virtual void committed(PartitionId partition, const failover::Appended& entry) = 0;
  /// Connections of this door whose user lives in the partition are to attach anew.
  virtual void reattach(std::uint16_t door, PartitionId partition) = 0;
  virtual void quarantined(PartitionId partition, const std::string& why) = 0;
};

/// Rules of a node left out, to see that the tests notice.
enum class NodeMutant : std::uint8_t {
  none,
  no_refused_routes,   ///< what is asked later of a refused route is taken
  forgets_client_ids,  ///< of posts that were made
  forgets_sources,     ///< how far a subscriber's commands were carried out
  one_source_for_all,  ///< of the subscribers of a source partition: how far each is, is not told apart
  members_of_now,      ///< who gets a change is who is a member when it is delivered, and not at its number
  trims_past_cursors,  ///< and past what others still need
  founds_unnoted,      ///< of SimNode: who founds a cluster does not note it first
  founds_low_epochs,   ///< of SimNode: a cluster's epochs begin with 1, whatever its founder's data had
  mark_before_rows,    ///< the state says that it has an entry before it has its rows
};

struct OneThreadJoined {
  Surroundings* around;
  failover::Member self;
  chat::TokenKeys keys;
  std::uint64_t first_route;  ///< above every one of an earlier life
  failover::Replica::Options replica{};
  NodeMutant mutant = NodeMutant::none;
};

}  // namespace holdfast

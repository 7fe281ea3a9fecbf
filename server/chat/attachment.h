/// Who is connected where: how a connection hears of its user's inbox. Soft state, on both sides.
///
/// A gateway attaches a connection at the user's partition with the position after which deliveries go on. The
/// partition sends what follows, from its inbox, and live from then on, never more than the connection's credit: the
/// gateway gives credit for what its socket has taken. A connection without credit is behind: nothing is queued for it,
/// and it catches up from the inbox when there is credit again. So a slow reader costs one bounded buffer.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "proto/client.pb.h"

namespace holdfast::chat {

struct ConnectionRef {
  std::uint16_t worker = 0;
  std::uint64_t connection = 0;  ///< never reused within a process
  NodeId node{};  ///< whose socket it is; 0: this node
  friend auto operator<=>(const ConnectionRef&, const ConnectionRef&) = default;
};

struct Attach {
  UserId user;
  SessionId session;
  ConnectionRef connection;
  std::uint64_t after;         ///< inbox position that the client has
  std::uint64_t credit_bytes;  ///< how much may be sent before more credit comes
};

/// What the partition sends to a connection's gateway. Frames are serialized v1.ServerFrame, without length prefix.
struct DeliverInbox {
  ConnectionRef connection;
  std::string frame;       ///< an InboxPush
  std::uint64_t position;  ///< of its last item
};
struct DeliverFrame {
  ConnectionRef connection;
  std::string frame;
};
struct EndConnection {  ///< the session ended: tell the client why, close
  ConnectionRef connection;
  v1::ErrorCode code;
  std::string reason;
};
using Delivery = std::variant<DeliverInbox, DeliverFrame, EndConnection>;

/// The partition's side, as a front door sees it: part of what a node offers a worker.
class Attachments {
 public:
  virtual ~Attachments() = default;
  virtual void attach(const Attach& attach) = 0;
  virtual void detach(const UserId& user, ConnectionRef connection) = 0;
  /// The client's socket has taken this much of what was delivered (bytes of frames).
  virtual void give_credit(const UserId& user, ConnectionRef connection, std::uint64_t bytes) = 0;
  /// Sends the watcher the presence of these users: now, and when it changes, for five minutes.
  virtual void watch_presence(ConnectionRef watcher, const std::vector<UserId>& users) = 0;
  /// When the partition last confirmed that its sessions stand (every 300 ms, by its own clock tick).
  virtual SteadyTime confirmed_at(PartitionId partition) const = 0;
};

}  // namespace holdfast::chat

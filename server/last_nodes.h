/// Which nodes a partition's sessions are attached to, told to their rows lazily: for a while after a node died that is
/// how it is known who was on it.
///
/// Sans-IO, soft; owned by Partition. Thread: the partition's worker. A new primary learns it again from those who attach;
/// what their rows say already is not written again. Sessions are noted once they have been attached, or gone, for
/// kSettled, so that a storm of resumes writes nothing; at most kBatch of them every kEvery.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>

#include "base/time.h"
#include "proto/command.pb.h"
#include "server/chat/attachment.h"

namespace holdfast {

class LastNodes {
 public:
  static constexpr std::chrono::seconds kSettled{10}, kEvery{10};
  static constexpr std::size_t kBatch = 500;

  /// `self`: the node of connections that name none.
  explicit LastNodes(NodeId self) : self_(self) {}

  void attached(const chat::Attach& attach, SteadyTime now);
  /// The connection has gone, as connections go.
  void detached(chat::ConnectionRef connection, SteadyTime now);
  /// The node can't be reached: its sessions stay noted there.
  void lost_node(NodeId node);

  /// What is to be noted now, if anything.
  std::optional<command::NoteAttached> take(SteadyTime now);
  std::size_t size() const { return sessions_.size(); }

 private:
  struct Session {
    UserId user;
    chat::ConnectionRef connection;  ///< the newest
    SteadyTime since;
    bool gone = false;
    bool noted = false;
  };

  const NodeId self_;
  std::unordered_map<SessionId, Session> sessions_;
  std::map<chat::ConnectionRef, SessionId> by_connection_;
  SteadyTime next_{};
};

}  // namespace holdfast

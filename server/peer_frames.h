/// What workers say to each other across nodes, as proto/peer.proto has it, and back.
///
/// Pure. What comes from another node is not believed: what can't be right is nothing, and dropped.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "proto/peer.pb.h"
#include "server/chat/attachment.h"
#include "server/chat/view.h"
#include "server/router.h"

namespace holdfast::peers {

// ---- whom a frame from another node concerns here
struct OneWorker {
  std::uint32_t worker;
};
struct AllWorkers {};  ///< each takes what is its own
struct ClusterItself {};
/// The owner of a partition, a worker, or the cluster's own thread. Nothing: it names what does not exist.
using Destination = std::variant<PartitionId, OneWorker, AllWorkers, ClusterItself>;
std::optional<Destination> destination(const peer::Frame& frame, std::uint16_t partitions);

// ---- commands and their answers
/// `worker`: of the asking node, to which the answer goes.
peer::Frame ask(std::uint32_t worker, Router::Ask ask);
/// `self`: the node that was asked.
Router::Ask ask(NodeId self, peer::Ask in);
peer::Frame answer(std::uint32_t worker, std::uint64_t id, std::uint64_t route, command::Answer answer);

// ---- what concerns connections

void fill(peer::Attach& out, const chat::Attach& attach);
void fill(peer::Detach& out, const UserId& user, chat::ConnectionRef connection);
void fill(peer::Credit& out, const UserId& user, chat::ConnectionRef connection, std::uint64_t bytes);
void fill(peer::Watch& out, PartitionId partition, chat::ConnectionRef watcher, const std::vector<UserId>& users);
void fill(peer::Tell& out, PartitionId partition, const chat::TellUsers& tell);
/// In frames of about 1 MiB.
std::vector<peer::Frame> deliver(std::vector<chat::Delivery> deliveries);

/// A connection of node `from`, as that node names it.
chat::ConnectionRef connection(NodeId from, const peer::Connection& connection);
std::optional<chat::Attach> attach(NodeId from, const peer::Attach& in);
std::optional<chat::TellUsers> tell(const peer::Tell& in);
std::vector<UserId> users(const google::protobuf::RepeatedPtrField<std::string>& in);
/// A delivery for a connection of this node.
std::optional<chat::Delivery> delivery(const peer::Deliver::One& in);

}  // namespace holdfast::peers

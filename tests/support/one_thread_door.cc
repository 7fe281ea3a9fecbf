/// OneThreadNode: its doors.
#include "tests/support/one_thread_door.h"

#include "server/gateway/session.h"
#include "server/peer_frames.h"
#include "server/recovery.h"
#include "tests/support/one_thread_running.h"

namespace holdfast {

chat::ConnectionRef OneThreadNode::connect(std::uint16_t door, std::function<void(chat::Delivery)> on_delivery) {
  const chat::ConnectionRef connection{door, next_connection_++};
  connections_.emplace(connection.connection, std::move(on_delivery));
  return connection;
}

void OneThreadNode::disconnect(chat::ConnectionRef connection) {
  connections_.erase(gateway::connection_of(connection));
}

void OneThreadNode::Door::ask(PartitionId partition, command::Command command,
                              std::function<void(command::Answer)> then) {
  node_.ask(place(), partition, std::move(command), std::move(then));
}

void OneThreadNode::Door::hash_password(std::string password, std::function<void(Result<std::string>)> then) {
  node_.later([then = std::move(then), hash = "hash of " + password] { then(hash); });
}

void OneThreadNode::Door::verify_password(std::string hash, std::string password,
                                          std::function<void(Result<bool>)> then) {
  node_.later([then = std::move(then), right = hash == "hash of " + password] { then(right); });
}

std::uint16_t OneThreadNode::Door::partitions() const { return node_.options_.partitions; }
const chat::Limits& OneThreadNode::Door::limits() const { return node_.options_.limits; }
const chat::TokenKeys& OneThreadNode::Door::token_keys() const { return *node_.running_->keys; }
const chat::MailKey& OneThreadNode::Door::mail_key() const { return node_.running_->mail_key; }
WallTime OneThreadNode::Door::now() const { return node_.wall_; }
Random& OneThreadNode::Door::random() { return node_.random_; }
SteadyTime OneThreadNode::Door::confirmed_at(PartitionId partition) const {
  return node_.running_->joined ? node_.running_->confirmed[partition.value] : node_.steady_;
}
std::size_t OneThreadNode::Door::place() const { return node_.door_place(index_); }

void OneThreadNode::Door::rotate_token_key(std::function<void(Status)> then) {
  node_.later([&node = node_, then = std::move(then)] {
    Running& r = *node.running_;
    chat::TokenKeys rotated = r.keys->rotated(node.wall_, node.options_.limits.session_unused_max, node.random_);
    const Status stored = store_token_keys(r.config, rotated);
    if (node.is_dead()) return;
    if (stored) r.keys = std::move(rotated);
    then(stored);
  });
}

void OneThreadNode::Door::attach(const chat::Attach& attach) {
  const PartitionId id = partition_of(attach.user, node_.options_.partitions);
  if (node_.to_other_node(place(), id, [&](peer::Frame& frame) { peers::fill(*frame.mutable_attach(), attach); }))
    return;
  node_.send(place(), id.value, [&node = node_, id, attach] {
    if (Partition* here = node.touch(id).serving()) here->attach(attach);
  });
}

void OneThreadNode::Door::detach(const UserId& user, chat::ConnectionRef connection) {
  const PartitionId id = partition_of(user, node_.options_.partitions);
  if (node_.to_other_node(place(), id,
                          [&](peer::Frame& frame) { peers::fill(*frame.mutable_detach(), user, connection); }))
    return;
  node_.send(place(), id.value, [&node = node_, id, user, connection] {
    if (Partition* here = node.touch(id).serving()) here->detach(user, connection);
  });
}

void OneThreadNode::Door::give_credit(const UserId& user, chat::ConnectionRef connection, std::uint64_t bytes) {
  const PartitionId id = partition_of(user, node_.options_.partitions);
  if (node_.to_other_node(place(), id,
                          [&](peer::Frame& frame) { peers::fill(*frame.mutable_credit(), user, connection, bytes); }))
    return;
  node_.send(place(), id.value, [&node = node_, id, connection, bytes] {
    if (Partition* here = node.touch(id).serving()) here->give_credit(connection, bytes);
  });
}

void OneThreadNode::Door::watch_presence(chat::ConnectionRef watcher, const std::vector<UserId>& users) {
  for (const UserId& user : users) {
    const PartitionId id = partition_of(user, node_.options_.partitions);
    if (node_.to_other_node(place(), id,
                            [&](peer::Frame& frame) { peers::fill(*frame.mutable_watch(), id, watcher, {user}); }))
      continue;
    node_.send(place(), id.value, [&node = node_, id, watcher, user] {
      if (Partition* here = node.touch(id).serving()) here->watch_presence(watcher, {user});
    });
  }
}

}  // namespace holdfast

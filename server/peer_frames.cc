#include "server/peer_frames.h"

namespace holdfast::peers {
namespace {

void fill(peer::Connection& out, chat::ConnectionRef connection) {
  out.set_worker(connection.worker);
  out.set_connection(connection.connection);
}

}  // namespace

// ------------------------------------------------------------------------------------------------ whom it concerns

std::optional<Destination> destination(const peer::Frame& frame, std::uint16_t partitions) {
  const auto partition = [&](std::uint32_t number) -> std::optional<Destination> {
    if (number >= partitions) return std::nullopt;
    return PartitionId(static_cast<std::uint16_t>(number));
  };
  const auto user = [&](const std::string& bytes) -> std::optional<Destination> {
    const auto id = UserId::from_bytes(bytes);
    if (!id) return std::nullopt;
    return partition_of(*id, partitions);
  };
  switch (frame.what_case()) {
    case peer::Frame::kReplication: return partition(frame.replication().partition());
    case peer::Frame::kAsk: return partition(frame.ask().partition());
    case peer::Frame::kTell: return partition(frame.tell().partition());
    case peer::Frame::kWatch: return partition(frame.watch().partition());
    case peer::Frame::kAttach: return user(frame.attach().user());
    case peer::Frame::kDetach: return user(frame.detach().user());
    case peer::Frame::kCredit: return user(frame.credit().user());
    case peer::Frame::kAnswer: return OneWorker{frame.answer().worker()};
    case peer::Frame::kDeliver: return AllWorkers{};
    case peer::Frame::kHandoff:
      if (!partition(frame.handoff().partition())) return std::nullopt;
      return ClusterItself{};
    default: return ClusterItself{};
  }
}

// ------------------------------------------------------------------------------------------------ commands

peer::Frame ask(std::uint32_t worker, Router::Ask ask) {
  peer::Frame frame;
  peer::Ask& out = *frame.mutable_ask();
  out.set_id(ask.id);
  out.set_worker(worker);
  out.set_partition(ask.partition.value);
  out.set_route(ask.route);
  out.set_index(ask.index);
  out.set_life(ask.life);
  *out.mutable_command() = std::move(ask.command);
  return frame;
}

Router::Ask ask(NodeId self, peer::Ask in) {
  return {self,
          PartitionId(static_cast<std::uint16_t>(in.partition())),
          in.id(),
          in.life(),
          in.route(),
          in.index(),
          std::move(*in.mutable_command())};
}

peer::Frame answer(std::uint32_t worker, std::uint64_t id, std::uint64_t route, command::Answer answer) {
  peer::Frame frame;
  peer::Answer& out = *frame.mutable_answer();
  out.set_id(id);
  out.set_worker(worker);
  out.set_route(route);
  *out.mutable_answer() = std::move(answer);
  return frame;
}

// ------------------------------------------------------------------------------------------------ connections

void fill(peer::Attach& out, const chat::Attach& attach) {
  out.set_user(attach.user.str());
  out.set_session(attach.session.str());
  fill(*out.mutable_connection(), attach.connection);
  out.set_after(attach.after);
  out.set_credit_bytes(attach.credit_bytes);
}

void fill(peer::Detach& out, const UserId& user, chat::ConnectionRef connection) {
  out.set_user(user.str());
  fill(*out.mutable_connection(), connection);
}

void fill(peer::Credit& out, const UserId& user, chat::ConnectionRef connection, std::uint64_t bytes) {
  out.set_user(user.str());
  fill(*out.mutable_connection(), connection);
  out.set_bytes(bytes);
}

void fill(peer::Watch& out, PartitionId partition, chat::ConnectionRef watcher, const std::vector<UserId>& users) {
  out.set_partition(partition.value);
  fill(*out.mutable_watcher(), watcher);
  for (const UserId& user : users) out.add_users(user.str());
}

void fill(peer::Tell& out, PartitionId partition, const chat::TellUsers& tell) {
  out.set_partition(partition.value);
  for (const UserId& user : tell.users) out.add_users(user.str());
  out.set_frame(tell.frame.SerializeAsString());
}

std::vector<peer::Frame> deliver(std::vector<chat::Delivery> deliveries) {
  constexpr std::size_t kFrameBytes = 1u << 20;
  std::vector<peer::Frame> frames(1);
  std::size_t bytes = 0;
  for (chat::Delivery& delivery : deliveries) {
    if (bytes > kFrameBytes) {
      frames.emplace_back();
      bytes = 0;
    }
    peer::Deliver::One& one = *frames.back().mutable_deliver()->add_all();
    fill(*one.mutable_connection(), std::visit([](const auto& d) { return d.connection; }, delivery));
    if (auto* inbox = std::get_if<chat::DeliverInbox>(&delivery)) {
      one.set_inbox(std::move(inbox->frame));
      one.set_position(inbox->position);
    } else if (auto* plain = std::get_if<chat::DeliverFrame>(&delivery)) {
      one.set_frame(std::move(plain->frame));
    } else {
      const auto& end = std::get<chat::EndConnection>(delivery);
      one.mutable_end()->set_code(end.code);
      one.mutable_end()->set_reason(end.reason);
    }
    bytes += one.ByteSizeLong();
  }
  return frames;
}

chat::ConnectionRef connection(NodeId from, const peer::Connection& in) {
  return {static_cast<std::uint16_t>(in.worker()), in.connection(), from};
}

std::optional<chat::Attach> attach(NodeId from, const peer::Attach& in) {
  const auto user = UserId::from_bytes(in.user());
  const auto session = SessionId::from_bytes(in.session());
  if (!user || !session) return std::nullopt;
  return chat::Attach{*user, *session, connection(from, in.connection()), in.after(), in.credit_bytes()};
}

std::optional<chat::TellUsers> tell(const peer::Tell& in) {
  chat::TellUsers out{users(in.users()), {}};
  if (!out.frame.ParseFromString(in.frame())) return std::nullopt;
  return out;
}

std::vector<UserId> users(const google::protobuf::RepeatedPtrField<std::string>& in) {
  std::vector<UserId> users;
  for (const std::string& bytes : in)
    if (const auto user = UserId::from_bytes(bytes)) users.push_back(*user);
  return users;
}

std::optional<chat::Delivery> delivery(const peer::Deliver::One& in) {
  const chat::ConnectionRef here = connection(NodeId{}, in.connection());
  switch (in.what_case()) {
    case peer::Deliver::One::kInbox: return chat::DeliverInbox{here, in.inbox(), in.position()};
    case peer::Deliver::One::kFrame: return chat::DeliverFrame{here, in.frame()};
    case peer::Deliver::One::kEnd: return chat::EndConnection{here, in.end().code(), in.end().reason()};
    case peer::Deliver::One::WHAT_NOT_SET: break;
  }
  return std::nullopt;
}

}  // namespace holdfast::peers

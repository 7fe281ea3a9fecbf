#include "server/chat/flows_conversation.h"

#include <map>

#include "server/chat/ask_all.h"
#include "server/chat/conversation_id.h"
#include "server/chat/placement.h"

namespace holdfast::chat {
namespace {

using Users = google::protobuf::RepeatedPtrField<std::string>;

/// The client's request as it is, to where it is decided.
Task<RequestOutcome> pass_on(FlowRequest request, ConversationId conversation) {
  Backend& backend = request.backend;
  command::Command command = request.command();
  *command.mutable_request() = std::move(request.frame);
  const PartitionId partition = partition_of(conversation, backend.partitions());
  const command::Answer answer = co_await backend.asking(partition, std::move(command));
  co_return outcome(answer.frame());
}

/// NOT_FOUND for the first that doesn't exist; nothing if all do. The ids are well formed.
Task<std::optional<RequestOutcome>> missing_users(FlowRequest request, Users users) {
  std::map<PartitionId, command::Command> by_partition;
  for (const std::string& user : users) {
    const PartitionId partition = partition_of(*UserId::from_bytes(user), request.backend.partitions());
    by_partition[partition].mutable_check_users()->add_users(user);
  }
  std::vector<Question> questions;
  for (auto& [partition, command] : by_partition) questions.push_back({partition, std::move(command)});
  auto asking = asking_all(request.backend, std::move(questions));
  const std::vector<command::Answer> answers = co_await asking;
  std::optional<RequestOutcome> missing;
  for (const command::Answer& answer : answers)
    if (answer.frame().has_error() && !missing) missing = outcome(answer.frame());
  co_return missing;
}

Users one_user(const std::string& user) {
  Users users;
  *users.Add() = user;
  return users;
}

std::optional<RequestOutcome> too_many(const Users& members, const Limits& limits) {
  if (static_cast<std::size_t>(members.size()) <= limits.members_of_a_request_max) return std::nullopt;
  return failed(v1::TOO_LARGE, "members: at most " + std::to_string(limits.members_of_a_request_max));
}

}  // namespace

Task<RequestOutcome> get_user(FlowRequest request) {
  Backend& backend = request.backend;
  const v1::GetUser& wish = request.frame.get_user();
  command::Command command = request.command();
  PartitionId partition;
  if (wish.has_user_id()) {
    command.mutable_find_user()->set_user(wish.user_id());
    partition = partition_of(*UserId::from_bytes(wish.user_id()), backend.partitions());
  } else {
    if (const auto bad = first_complaint({bad_username(wish.username(), backend.limits())})) co_return outcome(*bad);
    command.mutable_find_user()->set_username(wish.username());
    partition = partition_of_name(wish.username(), backend.partitions());
  }
  const command::Answer answer = co_await backend.asking(partition, std::move(command));
  co_return outcome(answer.frame());
}

Task<RequestOutcome> block_user(FlowRequest request) {
  const v1::BlockUser wish = request.frame.block_user();
  if (wish.user_id() == request.caller.user->bytes())
    co_return failed(v1::INVALID_ARGUMENT, "user_id: the caller's own");
  if (wish.blocked()) {
    auto missing = co_await missing_users(request, one_user(wish.user_id()));
    if (missing) co_return std::move(*missing);
  }
  command::Command command = request.command();
  command.mutable_set_block()->set_user(wish.user_id());
  command.mutable_set_block()->set_blocked(wish.blocked());
  const command::Answer answer = co_await request.backend.asking(request.own_partition(), std::move(command));
  co_return outcome(answer.frame());
}

Task<RequestOutcome> open_direct_asked(FlowRequest request) {
  const std::string& other = request.frame.open_direct().user_id();
  if (other == request.caller.user->bytes()) co_return failed(v1::INVALID_ARGUMENT, "user_id: the caller's own");
  const ConversationId conversation = direct_conversation(*request.caller.user, *UserId::from_bytes(other));
  auto missing = co_await missing_users(request, one_user(other));
  if (missing) co_return std::move(*missing);
  co_return co_await pass_on(std::move(request), conversation);
}

Task<RequestOutcome> create_group_asked(FlowRequest request) {
  const Users members = request.frame.create_group().members();
  if (const auto bad = bad_idempotency_id(request)) co_return outcome(*bad);
  if (auto many = too_many(members, request.backend.limits())) co_return std::move(*many);
  const RequestId id = *RequestId::from_bytes(request.frame.idempotency_id());
  auto missing = co_await missing_users(request, members);
  if (missing) co_return std::move(*missing);
  const ConversationId conversation = group_conversation(*request.caller.user, id);
  co_return co_await pass_on(std::move(request), conversation);
}

Task<RequestOutcome> add_members_asked(FlowRequest request) {
  const Users members = request.frame.add_members().members();
  if (auto many = too_many(members, request.backend.limits())) co_return std::move(*many);
  const ConversationId conversation = *ConversationId::from_bytes(request.frame.add_members().conversation_id());
  auto missing = co_await missing_users(request, members);
  if (missing) co_return std::move(*missing);
  co_return co_await pass_on(std::move(request), conversation);
}

Task<RequestOutcome> get_history(FlowRequest request) {
  Backend& backend = request.backend;
  const v1::GetHistory& wish = request.frame.get_history();
  command::Command list = request.command();
  list.mutable_show_list()->set_conversation(wish.conversation_id());
  const command::Answer listed = co_await backend.asking(request.own_partition(), std::move(list));
  if (listed.frame().has_error()) co_return outcome(listed.frame());
  command::Command page = request.command();
  *page.mutable_history_for()->mutable_request() = wish;
  *page.mutable_history_for()->mutable_hidden() = listed.list_state().hidden();
  const auto conversation = *ConversationId::from_bytes(wish.conversation_id());
  const PartitionId partition = partition_of(conversation, backend.partitions());
  const command::Answer answer = co_await backend.asking(partition, std::move(page));
  co_return outcome(answer.frame());
}

}  // namespace holdfast::chat

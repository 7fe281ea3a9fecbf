#include "server/chat/flows.h"

#include <array>

#include "server/chat/flow.h"
#include "server/chat/flows_account.h"
#include "server/chat/flows_conversation.h"
#include "server/chat/flows_login.h"
#include "server/chat/flows_operator.h"
#include "server/chat/flows_resume.h"
#include "server/chat/request_ids.h"

namespace holdfast::chat {
namespace {

using F = v1::ClientFrame;
using Then = std::function<void(RequestOutcome)>;

constexpr std::uint32_t kPresenceValid_s = 300;

constexpr Route kRoutes[] = {
    {F::kRegister, Needs::no_session, Goes::flow, register_account},
    {F::kLogIn, Needs::no_session, Goes::flow, log_in},
    {F::kResume, Needs::no_session, Goes::flow, resume},
    {F::kConfirmToken, Needs::session, Goes::to_user},
    {F::kLogOut, Needs::session, Goes::to_user},
    {F::kChangePassword, Needs::session, Goes::flow, change_password},
    {F::kSetEmail, Needs::session, Goes::flow, set_email},
    {F::kListDevices, Needs::session, Goes::to_user},
    {F::kRevokeDevice, Needs::session, Goes::to_user},
    {F::kDeleteAccount, Needs::session, Goes::flow, delete_account_asked},
    {F::kGetUser, Needs::session, Goes::flow, get_user},
    {F::kGetAccount, Needs::session, Goes::to_user},
    {F::kBlockUser, Needs::session, Goes::flow, block_user},
    {F::kListBlocks, Needs::session, Goes::to_user},
    {F::kOpenDirect, Needs::session, Goes::flow, open_direct_asked},
    {F::kCreateGroup, Needs::session, Goes::flow, create_group_asked},
    {F::kRenameGroup, Needs::session, Goes::to_conversation},
    {F::kAddMembers, Needs::session, Goes::flow, add_members_asked},
    {F::kRemoveMember, Needs::session, Goes::to_conversation},
    {F::kLeave, Needs::session, Goes::to_conversation},
    {F::kSetRole, Needs::session, Goes::to_conversation},
    {F::kListMembers, Needs::session, Goes::to_conversation},
    {F::kListConversations, Needs::session, Goes::to_user},
    {F::kSetConversation, Needs::session, Goes::to_user},
    {F::kPost, Needs::session, Goes::to_conversation},
    {F::kEdit, Needs::session, Goes::to_conversation},
    {F::kDelete, Needs::session, Goes::to_conversation},
    {F::kReact, Needs::session, Goes::to_conversation},
    {F::kGetHistory, Needs::session, Goes::flow, get_history},
    {F::kAckInbox, Needs::session, Goes::to_user},
    {F::kMark, Needs::session, Goes::to_conversation},
    {F::kGetPositions, Needs::session, Goes::to_conversation},
    {F::kSetTyping, Needs::session, Goes::to_conversation},
    {F::kWatchPresence, Needs::session, Goes::to_conversation},
    {F::kProvisionUsers, Needs::operator_rights, Goes::flow, provision_users},
    {F::kSetAccountStatus, Needs::operator_rights, Goes::flow, set_account_status},
    {F::kDeleteUser, Needs::operator_rights, Goes::flow, delete_user},
    {F::kRotateTokenKey, Needs::operator_rights, Goes::flow, rotate_token_key},
};

constexpr std::size_t kOperationsMax = 128;
constexpr auto kByOperation = [] {
  std::array<const Route*, kOperationsMax> routes{};
  for (const Route& route : kRoutes) routes[static_cast<std::size_t>(route.operation)] = &route;
  return routes;
}();

std::optional<RequestOutcome> not_allowed(const Route& route, const Caller& caller) {
  switch (route.needs) {
    case Needs::no_session:
      if (caller.user) return failed(v1::PRECONDITION_FAILED, "this connection has a session already");
      return std::nullopt;
    case Needs::session:
      if (!caller.user) return failed(v1::NOT_LOGGED_IN, "this operation needs a session");
      return std::nullopt;
    case Needs::operator_rights:
      if (!caller.operator_rights) return failed(v1::PERMISSION_DENIED, "this operation is for operators");
      return std::nullopt;
    case Needs::nothing: return std::nullopt;
  }
  return failed(v1::INTERNAL, "a route says what it needs");
}

v1::PresenceReply nobody_online_yet(const command::WatchList& list) {
  v1::PresenceReply reply;
  for (const std::string& user : list.users()) reply.add_users()->set_user_id(user);
  reply.set_valid_s(kPresenceValid_s);
  return reply;
}

/// As it came, to the one partition that decides it.
void ask_directly(const Route& route, Backend& backend, const Caller& caller, v1::ClientFrame request, Then then) {
  PartitionId partition = partition_of(*caller.user, backend.partitions());
  if (route.goes == Goes::to_conversation)
    partition = partition_of(*ConversationId::from_bytes(conversation_id_of(request)), backend.partitions());
  command::Command command;
  command.set_user(caller.user->str());
  command.set_session(caller.session.str());
  *command.mutable_request() = std::move(request);
  backend.ask(partition, std::move(command), [then = std::move(then)](command::Answer answer) {
    if (answer.has_watch_list()) *answer.mutable_frame()->mutable_presence() = nobody_online_yet(answer.watch_list());
    then(outcome(std::move(*answer.mutable_frame())));
  });
}

/// Every answer says something, and to which request.
Then finished(std::uint64_t request_id, Then then) {
  return [request_id, then = std::move(then)](RequestOutcome outcome) {
    if (outcome.frame.content_case() == v1::ServerFrame::CONTENT_NOT_SET) outcome.frame.mutable_done();
    outcome.frame.set_request_id(request_id);
    then(std::move(outcome));
  };
}

}  // namespace

void run_request(Backend& backend, Caller caller, v1::ClientFrame request, Then then,
                 std::function<void(v1::ServerFrame)> push) {
  run_routed(backend, std::move(caller), std::move(request), {}, std::move(then), std::move(push));
}

void run_routed(Backend& backend, Caller caller, v1::ClientFrame request, std::span<const Route> more, Then then,
                std::function<void(v1::ServerFrame)> push) {
  then = finished(request.request_id(), std::move(then));
  request.clear_request_id();
  const auto operation = static_cast<std::size_t>(request.operation_case());
  const Route* route = operation < kOperationsMax ? kByOperation[operation] : nullptr;
  for (const Route& other : more)
    if (!route && other.operation == static_cast<int>(operation)) route = &other;
  if (!route) return then(failed(v1::UNSUPPORTED, "this server does not know the operation"));
  if (auto refusal = not_allowed(*route, caller)) return then(std::move(*refusal));
  if (auto bad = bad_ids(request)) return then(failed(v1::INVALID_ARGUMENT, std::move(*bad)));
  if (route->goes != Goes::flow) return ask_directly(*route, backend, caller, std::move(request), std::move(then));
  FlowRequest flow{backend, std::move(caller), std::move(request), std::move(push)};
  run_task(route->flow(std::move(flow)), std::move(then));
}

}  // namespace holdfast::chat

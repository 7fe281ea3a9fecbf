#include "server/services/flows_ways_back.h"

#include "server/chat/placement.h"
#include "server/services/resets.h"
#include "server/services/secret_links.h"

namespace holdfast::services {
namespace {

using chat::FlowRequest;
using chat::RequestOutcome;

constexpr std::size_t kReasonBytesMax = 1024;

RequestOutcome done() {
  RequestOutcome done;
  done.frame.mutable_done();
  return done;
}

}  // namespace

Task<RequestOutcome> request_password_reset(FlowRequest request) {
  const v1::RequestPasswordReset& wish = request.frame.request_password_reset();
  const chat::Limits& limits = request.backend.limits();
  if (!limits.resets_enabled) co_return chat::failed(v1::UNSUPPORTED, kNoResets);
  const auto bad =
      wish.username().empty() ? chat::bad_email(wish.email(), limits) : chat::bad_username(wish.username(), limits);
  if (const auto complaint = chat::first_complaint({bad})) co_return chat::outcome(*complaint);
  if (wish.username().empty() && wish.email().empty())
    co_return chat::failed(v1::INVALID_ARGUMENT, "username or email: one of them is needed");
  if (!request.backend.admit_stranger()) {
    RequestOutcome later = chat::failed(v1::RATE_LIMITED, "this node was asked for too many resets");
    later.frame.mutable_error()->set_retry_after_ms(1000);
    co_return later;
  }
  ask_for_reset(request.backend, {wish.username(), wish.email(), request.audited_peer()});
  co_return done();
}

Task<RequestOutcome> resend_verification(FlowRequest request) {
  command::Command command = request.command();
  command.mutable_ask_verification()->set_intent(request.backend.random().id<IntentId>().str());
  const command::Answer answer = co_await request.backend.asking(request.own_partition(), std::move(command));
  co_return chat::outcome(answer.frame());
}

Task<RequestOutcome> verify_address(FlowRequest request) {
  v1::ServerFrame frame = co_await use_verification_link(request.backend, request.frame.verify_address().token());
  co_return chat::outcome(std::move(frame));
}

Task<RequestOutcome> reset_password(FlowRequest request) {
  const v1::ResetPassword& wish = request.frame.reset_password();
  chat::Backend& backend = request.backend;
  if (const auto bad = chat::first_complaint({chat::bad_username(wish.username(), backend.limits()),
                                              chat::bad_text("reason", wish.reason(), kReasonBytesMax)}))
    co_return chat::outcome(*bad);
  command::Command command;
  command::AskReset& ask = *command.mutable_ask_reset();
  ask.set_username(wish.username());
  ask.set_intent(backend.random().id<IntentId>().str());
  ask.set_by(command::AskReset::OPERATOR);
  ask.set_reason(wish.reason());
  ask.set_peer(request.audited_peer());
  const PartitionId partition = chat::partition_of_name(wish.username(), backend.partitions());
  const command::Answer answer = co_await backend.asking(partition, std::move(command));
  co_return chat::outcome(answer.frame());
}

Task<RequestOutcome> recover_account(FlowRequest request) {
  const v1::RecoverAccount& wish = request.frame.recover_account();
  chat::Backend& backend = request.backend;
  if (const auto bad = chat::first_complaint({chat::bad_username(wish.username(), backend.limits()),
                                              chat::bad_text("reason", wish.reason(), kReasonBytesMax)}))
    co_return chat::outcome(*bad);
  const std::string code = draw_recovery_code(backend.random());
  command::Command command;
  command::GiveRecovery& give = *command.mutable_give_recovery();
  give.set_username(wish.username());
  give.set_code_hash(recovery_code_hash(code));
  give.set_reason(wish.reason());
  give.set_peer(request.audited_peer());
  const PartitionId partition = chat::partition_of_name(wish.username(), backend.partitions());
  const command::Answer answer = co_await backend.asking(partition, std::move(command));
  if (answer.frame().has_error()) co_return chat::outcome(answer.frame());
  RequestOutcome given;
  given.frame.mutable_recovery()->set_code(code);
  given.frame.mutable_recovery()->set_expires_ms(to_ms(backend.now() + backend.limits().recovery_lifetime));
  co_return given;
}

}  // namespace holdfast::services

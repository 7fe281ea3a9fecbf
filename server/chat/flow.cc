#include "server/chat/flow.h"

#include "server/chat/once.h"

namespace holdfast::chat {

command::Command FlowRequest::command() const {
  command::Command command;
  if (caller.user) {
    command.set_user(caller.user->str());
    command.set_session(caller.session.str());
  }
  command.set_idempotency_id(frame.idempotency_id());
  return command;
}

RequestOutcome outcome(v1::ServerFrame frame) {
  RequestOutcome outcome;
  outcome.frame = std::move(frame);
  return outcome;
}

RequestOutcome outcome(const v1::Error& error) {
  RequestOutcome outcome;
  *outcome.frame.mutable_error() = error;
  return outcome;
}

RequestOutcome failed(v1::ErrorCode code, std::string message) {
  v1::Error error;
  error.set_code(code);
  error.set_message(std::move(message));
  return outcome(error);
}

RequestOutcome busy() {
  RequestOutcome busy = failed(v1::RETRY, "too many passwords to check at this moment");
  busy.frame.mutable_error()->set_retry_after_ms(1000);
  return busy;
}

std::optional<v1::Error> first_complaint(std::initializer_list<Complaint> complaints) {
  for (const Complaint& complaint : complaints) {
    if (!complaint) continue;
    v1::Error error;
    error.set_code(v1::INVALID_ARGUMENT);
    error.set_message(*complaint);
    return error;
  }
  return std::nullopt;
}

std::optional<v1::Error> bad_idempotency_id(const FlowRequest& request) {
  return bad_request_id(request.backend.now(), request.backend.limits(), request.frame.idempotency_id(),
                        "idempotency_id");
}

}  // namespace holdfast::chat

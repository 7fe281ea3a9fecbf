/// What flows have in common: a client's request that takes several steps, as a task.
///
/// A flow gets its request by value and lives until it answers or its backend drops what it waits for. Every flow
/// returns the answer without request_id: run_request() adds it.
#pragma once

#include <span>

#include "base/task.h"
#include "server/chat/audited_address.h"
#include "server/chat/flows.h"
#include "server/chat/validation.h"

namespace holdfast::chat {

struct FlowRequest {
  Backend& backend;
  Caller caller;
  v1::ClientFrame frame;
  std::function<void(v1::ServerFrame)> push;

  /// A command by the caller, under the request's idempotency id.
  command::Command command() const;
  /// Where the caller is, as exactly as the audit journal may keep it.
  std::string audited_peer() const { return audited_address(caller.peer_address, backend.limits()); }
  PartitionId own_partition() const { return partition_of(*caller.user, backend.partitions()); }
};
using Flow = Task<RequestOutcome> (*)(FlowRequest);

/// Who may ask.
enum class Needs : std::uint8_t { no_session, session, operator_rights, nothing };
/// Where it goes: to a flow, or to one partition as it is.
enum class Goes : std::uint8_t { flow, to_user, to_conversation };
/// One line of the table of requests.
struct Route {
  int operation;
  Needs needs;
  Goes goes;
  Flow flow = nullptr;
};
/// As run_request(), where `more` has what others than chat answer.
void run_routed(Backend& backend, Caller caller, v1::ClientFrame request, std::span<const Route> more,
                std::function<void(RequestOutcome)> then, std::function<void(v1::ServerFrame)> push);

RequestOutcome outcome(v1::ServerFrame frame);
RequestOutcome outcome(const v1::Error& error);
RequestOutcome failed(v1::ErrorCode code, std::string message);
/// The password pool, or what is behind it, has no room now.
RequestOutcome busy();

/// The first of what is wrong, as INVALID_ARGUMENT.
std::optional<v1::Error> first_complaint(std::initializer_list<Complaint> complaints);
/// As bad_request_id(), by the clock.
std::optional<v1::Error> bad_idempotency_id(const FlowRequest& request);

/// Keeps whoever answers from waiting: the answer is of no interest.
inline void nobody_waits(const command::Answer&) {}

}  // namespace holdfast::chat

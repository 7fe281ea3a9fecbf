#include "clients/cpp/request_table.h"

#include <algorithm>
#include <utility>

#include "base/uuid.h"
#include "proto/frame.h"

namespace holdfast::client {

bool changes_something(const v1::ClientFrame& request) {
  switch (request.operation_case()) {
    case v1::ClientFrame::kRegister:
    case v1::ClientFrame::kLogIn:
    case v1::ClientFrame::kLogOut:
    case v1::ClientFrame::kChangePassword:
    case v1::ClientFrame::kSetEmail:
    case v1::ClientFrame::kRevokeDevice:
    case v1::ClientFrame::kDeleteAccount:
    case v1::ClientFrame::kBlockUser:
    case v1::ClientFrame::kOpenDirect:
    case v1::ClientFrame::kCreateGroup:
    case v1::ClientFrame::kRenameGroup:
    case v1::ClientFrame::kAddMembers:
    case v1::ClientFrame::kRemoveMember:
    case v1::ClientFrame::kLeave:
    case v1::ClientFrame::kSetRole:
    case v1::ClientFrame::kSetConversation:
    case v1::ClientFrame::kEdit:
    case v1::ClientFrame::kDelete:
    case v1::ClientFrame::kReact:
    case v1::ClientFrame::kMark:
    case v1::ClientFrame::kProvisionUsers:
    case v1::ClientFrame::kSetAccountStatus:
    case v1::ClientFrame::kDeleteUser:
    case v1::ClientFrame::kRotateTokenKey: return true;
    default: return false;
  }
}

void RequestTable::add(std::uint64_t request_id, v1::ClientFrame request, SteadyTime deadline, ReplyCallback done) {
  request.set_request_id(request_id);
  pending_.emplace(request_id, Pending{std::move(request), deadline, SteadyTime::min(), std::move(done), false});
}

void RequestTable::pump(SteadyTime now, WallTime server_now, Random& random, std::string& out) {
  if (in_flight_ == pending_.size()) return;
  for (auto& [id, pending] : pending_) {
    if (pending.in_flight || now < pending.not_before) continue;
    if (changes_something(pending.request) && pending.request.idempotency_id().empty())
      pending.request.set_idempotency_id(make_uuid7(server_now, random).str());
    append_frame(out, pending.request);
    pending.in_flight = true;
    ++in_flight_;
  }
}

void RequestTable::disconnected() {
  for (auto& [id, pending] : pending_) {
    pending.in_flight = false;
    pending.not_before = SteadyTime::min();
  }
  in_flight_ = 0;
}

ReplyCallback RequestTable::remove(Table::iterator pending) {
  if (pending->second.in_flight) --in_flight_;
  ReplyCallback done = std::move(pending->second.done);
  pending_.erase(pending);
  return done;
}

std::optional<ReplyCallback> RequestTable::take(std::uint64_t request_id) {
  const auto pending = pending_.find(request_id);
  if (pending == pending_.end()) return std::nullopt;
  return remove(pending);
}

bool RequestTable::postpone(std::uint64_t request_id, SteadyTime not_before) {
  const auto pending = pending_.find(request_id);
  if (pending == pending_.end() || pending->second.deadline <= not_before) return false;
  if (pending->second.in_flight) --in_flight_;
  pending->second.in_flight = false;
  pending->second.not_before = not_before;
  return true;
}

std::vector<ReplyCallback> RequestTable::expire(SteadyTime now) {
  std::vector<ReplyCallback> expired;
  for (auto next = pending_.begin(); next != pending_.end();) {
    const auto pending = next++;
    if (pending->second.deadline <= now) expired.push_back(remove(pending));
  }
  return expired;
}

std::vector<ReplyCallback> RequestTable::take_all() {
  std::vector<ReplyCallback> all;
  while (!pending_.empty()) all.push_back(remove(pending_.begin()));
  return all;
}

SteadyTime RequestTable::next_deadline() const {
  SteadyTime earliest = SteadyTime::max();
  for (const auto& [id, pending] : pending_) {
    earliest = std::min(earliest, pending.deadline);
    if (!pending.in_flight && pending.not_before != SteadyTime::min())
      earliest = std::min(earliest, pending.not_before);
  }
  return earliest;
}

}  // namespace holdfast::client

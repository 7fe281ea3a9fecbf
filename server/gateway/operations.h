/// What the front door has to know of each operation, and of none more.
#pragma once

#include "proto/client.pb.h"

namespace holdfast::gateway {

using Operation = v1::ClientFrame::OperationCase;

/// Register, LogIn, Resume: the connection gets a session.
constexpr bool is_login(Operation op) {
  return op == v1::ClientFrame::kRegister || op == v1::ClientFrame::kLogIn || op == v1::ClientFrame::kResume;
}

/// What tries a password: slowed for an address that guesses.
constexpr bool tries_password(Operation op) {
  return op == v1::ClientFrame::kLogIn || op == v1::ClientFrame::kChangePassword || op == v1::ClientFrame::kSetEmail ||
         op == v1::ClientFrame::kDeleteAccount;
}

/// What may end the very session that asks: its answer goes before the word that the session ended.
constexpr bool may_part(Operation op) {
  return op == v1::ClientFrame::kLogOut || op == v1::ClientFrame::kRevokeDevice ||
         op == v1::ClientFrame::kDeleteAccount;
}

/// How much of requests_max it takes: by the size that the answer may have.
constexpr std::size_t weight_of(Operation op) {
  switch (op) {
    case v1::ClientFrame::kGetHistory:
    case v1::ClientFrame::kListMembers:
    case v1::ClientFrame::kListConversations:
    case v1::ClientFrame::kGetPositions:
    case v1::ClientFrame::kProvisionUsers: return 64;
    default: return 1;
  }
}

}  // namespace holdfast::gateway

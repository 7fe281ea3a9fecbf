/// What a front door calls with a client's request: the one way from a frame to its answer.
///
/// Most requests are one question to one partition: the caller's or the conversation's. What takes several steps (a
/// password hash in between, two partitions) is a flow: a Task over Backend. Which is which stands in one table, in
/// flows.cc.
///
/// Thread: the worker's; callbacks run on it, later or from within the call, and never more often than said here.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/ids.h"
#include "proto/client.pb.h"
#include "server/chat/backend.h"

namespace holdfast::chat {

/// Who asks, as the connection knows it.
struct Caller {
  std::optional<UserId> user;  ///< logged in
  SessionId session;           ///< meaningful with `user`
  std::string username;        ///< meaningful with `user`
  bool operator_rights = false;
  std::string peer_address;  ///< for the audit: without a session, and where a password or the operators' key counts
};

/// The connection now has this session: attach it at the user's partition, after `cursor`.
struct LoggedIn {
  UserId user;
  SessionId session;
  std::string username;
  std::uint64_t cursor = 0;       ///< deliveries begin after this inbox position
  std::uint64_t inbox_head = 0;   ///< the newest position when it was answered
  std::uint64_t inbox_first = 0;  ///< rows below are removed: a cursor before inbox_first - 1 has a gap
  std::uint64_t reset_to = 0;     ///< the client's positions are of an earlier generation than this; 0: they are good
};

struct RequestOutcome {
  v1::ServerFrame frame;              ///< the answer, with the request's request_id
  std::optional<LoggedIn> logged_in;  ///< after Register, LogIn and Resume that went well
};

/// Decides one request. `then` is called once with the answer, or dropped if the node goes down. `push` is called at
/// most once, after `then`, with a frame the server sends by itself (a new token, once it is durable); it may outlive
/// the connection, so it must hold no more than a weak reference to it.
///
/// Refuses by itself: what needs a session without one (NOT_LOGGED_IN), operators' requests without the right
/// (PERMISSION_DENIED), a second log-in on a connection (PRECONDITION_FAILED), ids of a wrong length (INVALID_ARGUMENT,
/// naming the field), what it doesn't know (UNSUPPORTED). Hello, Ping and OperatorLogIn are the front door's own and are
/// not known here. The answer to WatchPresence names whom the caller may watch, all offline so far; the front door then
/// watches them through Attachments, which pushes who is online, at first and at every change.
void run_request(Backend& backend, Caller caller, v1::ClientFrame request, std::function<void(RequestOutcome)> then,
                 std::function<void(v1::ServerFrame)> push);

/// For a connection that has been up for a day (call it once a day for each): notes that the session is in use, and
/// offers a new token if the present one is old. `push` as above, dropped if there is nothing to send.
void keep_session(Backend& backend, UserId user, SessionId session, std::function<void(v1::ServerFrame)> push);

}  // namespace holdfast::chat

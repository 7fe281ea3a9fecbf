/// What a client tells its application.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "clients/cpp/endpoint.h"
#include "clients/cpp/failure.h"

namespace holdfast::client {

/// Who we are, once the server has said so. All empty on a connection without a session.
struct SessionInfo {
  std::string username;
  UserId user;
  SessionId session;
  std::uint64_t cursor = 0;           ///< deliveries begin after this position
  std::uint64_t inbox_head = 0;       ///< the newest position at that moment
  std::chrono::milliseconds away{0};  ///< since the connection before this one was lost; 0: there was none
};

struct Reconnecting {
  std::string reason;
  std::chrono::milliseconds delay{0};  ///< until the next try
  unsigned tries = 0;                  ///< waits since the last stable connection, this one included
};

/// The session is on another node now, and was at no moment without one.
struct Moved {
  Endpoint from, to;
  std::chrono::milliseconds took{0};  ///< connecting and resuming there
};

/// What became of one message.
struct SendResult {
  ConversationId conversation;
  RequestId client_message_id;  ///< zero if it was never tried
  std::uint64_t number = 0;     ///< its number in the conversation
  std::int64_t time_ms = 0;
  std::uint32_t put_off = 0;  ///< how often the server refused it for the moment and was asked again
  std::optional<Failure> failure;
  bool ok() const { return !failure; }
};
using SendCallback = std::function<void(const SendResult&)>;
using ReplyCallback = std::function<void(const Reply&)>;

/// Implemented by the application, outlives the client. Called on the client's thread. Calling the client from within
/// is fine, closing it too; destroying it is not.
class ClientEvents {
 public:
  virtual ~ClientEvents() = default;

  /// A connection stands, with TLS and WebSocket where they are spoken; the session is asked for next.
  virtual void on_connection() {}
  /// A new session (log-in, registration), or a connection without one.
  virtual void on_connected(const SessionInfo&) {}
  /// The session goes on: after a start with a stored one, and after each reconnect.
  virtual void on_resumed(const SessionInfo&) {}
  /// A node that is about to leave was left in time. Nothing is to be done; what was unanswered is being asked again.
  virtual void on_moved(const Moved&) {}
  virtual void on_reconnecting(const Reconnecting&) {}
  /// The end: refused at log-in, revoked, logged out, expired. The client does nothing more; the store is cleared if
  /// it was the stored session that ended.
  virtual void on_session_ended(const Failure&) {}
  /// The session has another token. It is already in the store.
  virtual void on_token(const std::string&) {}

  /// A change of a conversation: each exactly once, in the order of the inbox. References are resolved; a change that
  /// can't be read any more comes as Hidden.
  virtual void on_change(const v1::InboxItem&) {}
  /// A large conversation has reached a number: page its history as needed.
  virtual void on_head(const v1::InboxItem&) {}
  /// Inbox rows up to here are gone: page the history of what list_conversations shows as unread.
  virtual void on_history_gap(const v1::HistoryGap&) {}
  /// Something is wrong with the service as a whole, or no longer.
  virtual void on_status_banner(const v1::StatusBanner&) {}
  /// Mails to the account's address are refused: ask for another one, or have it verified again.
  virtual void on_email_failing(const v1::EmailFailing&) {}
  /// The server was restored from a backup: what came after that was made is gone, and its numbers are given out anew.
  /// Throw away what is kept of conversations, and page their history: on_change() goes on behind it.
  virtual void on_history_reset(const v1::HistoryReset&) {}

  virtual void on_typing(const v1::TypingPush&) {}
  virtual void on_presence(const v1::PresencePush&) {}
  virtual void on_positions(const v1::PositionsPush&) {}

  /// A message that an earlier process had left in the stored outbox, and nobody else is told about.
  virtual void on_sent(const SendResult&) {}
  /// The store can't be written. The client goes on; what must be durable first is not sent.
  virtual void on_store_failed(const Error&) {}
};

}  // namespace holdfast::client

/// One connection's conversation: from Hello over a log-in to good-bye. Sans-IO.
///
///     session  = Hello *( Ping | OperatorLogIn | request ) [ login *( Ping | request ) ]
///     login    = Register | LogIn | Resume        ; what comes behind it waits for its answer
///
/// Owned by its connection, on the worker's thread. The driver asks can_take() before each frame, feeds on_frame(), and
/// writes what outbox() holds; when is_over() it closes behind the last byte of it. Never fails; what a client does
/// wrong is answered or ends the session.
/// Of the user's partition it hears through a registration (chat/attachment.h). After a change of primary it registers
/// anew, behind the last position it was given, under another ConnectionRef: what a former registration still sends is
/// known by that and dropped, so nothing comes twice, out of order or with a gap.
/// Invariants: nothing follows the frame that ends it; requests under way weigh at most requests_max plus one page; no
/// command of a user starts while that user's partition has not confirmed its sessions for confirm_max.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "proto/client.pb.h"
#include "server/chat/attachment.h"
#include "server/chat/flows.h"
#include "server/gateway/admission.h"
#include "server/gateway/options.h"
#include "server/gateway/outbox.h"
#include "server/gateway/rate.h"

namespace holdfast::gateway {

/// What the session has to know again when a request is answered.
struct Ticket {
  v1::ClientFrame::OperationCase operation = v1::ClientFrame::OPERATION_NOT_SET;
  std::uint64_t request_id = 0;
};

/// The connection that a ConnectionRef means. The bits above count how often its session registered.
inline constexpr unsigned kRegistrationShift = 48;
inline constexpr std::uint64_t connection_of(const chat::ConnectionRef& ref) {
  return ref.connection & ((std::uint64_t{1} << kRegistrationShift) - 1);
}

/// What sessions need done. Calls may come back from within (Session::on_outcome, on_push).
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  /// Has the request run; on_outcome(ticket, ...) and on_push() follow.
  virtual void run(std::uint64_t connection, Ticket ticket, chat::Caller caller, v1::ClientFrame request) = 0;
  /// chat::keep_session.
  virtual void keep(std::uint64_t connection, UserId user, SessionId session) = 0;
  virtual PartitionId partition_of_user(const UserId& user) const = 0;
  virtual WallTime wall_now() const = 0;
  /// Addresses for this session, the best first; empty: there is only this node.
  virtual std::vector<std::string> endpoints_of(const SessionId&) const { return {}; }
};

/// Counted over all sessions of a gateway.
struct SessionCounters {
  std::uint64_t frames_in = 0, frames_out = 0, requests = 0, rate_limited = 0, held_back = 0, idle = 0;
  std::uint64_t logged_in = 0;  ///< now
  SteadyTime settled_at{};      ///< of the last request of a session that did not come just now
};

/// What all sessions of a gateway have in common; outlives them.
struct SessionParts {
  const SessionOptions& options;
  const Rates& user_rates;
  SessionHost& host;
  chat::Attachments& attachments;
  Admission& admission;
  SessionCounters& counters;
};

class Session {
 public:
  /// `peer_address`: an IP address as text.
  Session(SessionParts parts, chat::ConnectionRef self, std::string peer_address, SteadyTime accepted);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Whether on_frame() may be called. False for a while when too much is under way, while a log-in is, while its
  /// partition is silent; for good when the session is over.
  bool can_take(SteadyTime now);
  /// One serialized ClientFrame. can_take() holds.
  void on_frame(std::string_view bytes, SteadyTime now);
  /// The framing itself is broken: too_large or invalid_argument. Answers and ends.
  void on_broken_framing(const Error& error);
  /// Any byte came, also of an unfinished frame: it lives.
  void on_bytes(SteadyTime now) { heard_at_ = now; }

  void on_outcome(const Ticket& ticket, chat::RequestOutcome outcome, SteadyTime now);
  void on_push(const v1::ServerFrame& frame);
  void on_delivery(chat::Delivery delivery);

  /// Time-outs; about once a second. Waits are looked at in can_take().
  void tick(SteadyTime now);
  /// Pushes its endpoints if they are others than it was told.
  void tell_endpoints();
  /// Tells it to go to one of `targets` after `delay`. It is served until it leaves; at `leave_at` it is drained.
  void move(const std::vector<std::string>& targets, std::chrono::milliseconds delay, SteadyTime leave_at);
  /// `partition` has another primary: registers anew there if it is the user's, and, some 10 to 30 s later, when people
  /// have had the time to come back, watches those again who live there. Harmless when done twice.
  void reattach(PartitionId partition, SteadyTime now);

  /// No more requests; good-bye when those under way are answered.
  void drain(std::chrono::milliseconds retry_after);
  /// Says why, and ends: "draining", "too_slow", "idle".
  void say_goodbye(const char* reason, std::chrono::milliseconds retry_after);
  /// An error that belongs to no request, and ends.
  void fail(v1::ErrorCode code, std::string message, std::chrono::milliseconds retry_after = {});

  Outbox& outbox() { return outbox_; }
  /// To be called after the socket took something: gives credit back.
  void settle_credit();

  bool is_over() const { return phase_ == Phase::over; }
  bool is_logged_in() const { return caller_.user.has_value(); }
  const SessionId& session_id() const { return caller_.session; }
  /// Logged in, and not told to move yet.
  bool may_be_moved() const { return phase_ == Phase::open && is_logged_in() && !leave_at_ && !draining_; }
  bool has_requests() const { return weight_ > 0; }
  /// The connection is gone: detaches. Idempotent; nothing else may follow.
  void leave();

 private:
  enum class Phase { hello, open, over };

  // What a frame can be.
  void on_hello(const v1::ClientFrame& frame);
  void on_operator_login(const v1::ClientFrame& frame);
  void on_request(v1::ClientFrame frame);
  /// True: the others were told so a moment ago, and nothing is passed on.
  bool is_told_already(const v1::SetTyping& typing, SteadyTime now);
  /// Nothing: within all rates.
  std::optional<std::chrono::milliseconds> over_rate(std::size_t bytes, bool is_request, SteadyTime now);

  void log_in(const chat::LoggedIn& who, SteadyTime now);
  void after_answer(const Ticket& ticket, const v1::ServerFrame& frame, SteadyTime now);
  void attach(std::uint64_t credit_bytes);
  void add_endpoints(const SessionId& session, v1::SessionReply& reply);
  void on_inbox(const chat::DeliverInbox& inbox);
  void watch(const v1::PresenceReply& presence, SteadyTime now);
  void watch_again(SteadyTime now);
  void end_by(const chat::EndConnection& end);
  void finish_if_idle();

  void answer_error(std::uint64_t request_id, v1::ErrorCode code, std::string message,
                    std::chrono::milliseconds retry_after = {});
  bool is_confirmed(SteadyTime now);

  const SessionParts parts_;
  const std::uint64_t id_;    ///< of the connection
  chat::ConnectionRef self_;  ///< the present registration's
  const SteadyTime accepted_at_;
  Phase phase_ = Phase::hello;
  chat::Caller caller_;
  std::string peer_address_;
  Outbox outbox_;

  std::size_t weight_ = 0;     ///< of requests under way
  bool logging_in_ = false;    ///< one of them is a log-in
  std::uint32_t parting_ = 0;  ///< how many of them may end this very session
  bool held_back_ = false;     ///< counted already
  bool refused_much_ = false;  ///< too many frames over the rate: nothing is read until the next tick
  std::uint32_t refused_ = 0;  ///< frames over the rate since the last tick
  std::optional<std::chrono::milliseconds> draining_;  ///< the hint
  std::optional<chat::EndConnection> ending_;          ///< to be said when nothing that parts is under way
  std::optional<SteadyTime> ending_at_;                ///< the tick that first saw it

  Rate frames_, bytes_, requests_;
  std::shared_ptr<UserRate> user_rate_;
  PartitionId partition_;               ///< of the user
  std::uint64_t delivered_ = 0;         ///< inbox position of the last delivery
  std::uint64_t owed_ = 0;              ///< bytes of deliveries that the socket has not taken
  std::uint64_t credit_ = 0;            ///< taken by the socket and not yet given back
  std::size_t endpoints_told_ = 0;      ///< their hash; 0: none
  std::optional<SteadyTime> leave_at_;  ///< it was told to move, and has until then
  std::vector<UserId> watched_;         ///< whose presence, until watched_until_
  SteadyTime watched_until_{};
  std::vector<PartitionId> watch_lost_;  ///< some of them live there, and are to be watched again
  SteadyTime watch_again_at_{};
  SteadyTime heard_at_;
  SteadyTime kept_at_{};
  std::string typing_in_;     ///< the conversation that the others were last told of, empty: none
  bool typing_told_ = false;  ///< what they were told
  SteadyTime typing_at_{};
};

}  // namespace holdfast::gateway

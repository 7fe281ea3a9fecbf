/// What a client does, without doing it: connection, session, reconnecting, what is owed to whom.
///
/// Sans-IO; owned by a driver (Client), on its thread. The driver tells it the time, what the connection did and what
/// came in; after each such call it carries out take_wish(), and once a turn it calls flush() and writes output().
/// Never fails; a store that can't be written is reported by on_store_failed(). Events and callbacks are called from
/// within; they may call any method but must not destroy the machine.
///
/// There may be a second connection, the next one, while the session moves to another node: it carries hello and resume
/// only. When that is answered it takes the first one's place, and what is unanswered is asked again on it.
///
/// Duties in order: a token is saved before it is confirmed; a message's id is saved before its first try; a cursor is
/// saved before it is acknowledged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "clients/cpp/endpoints.h"
#include "clients/cpp/events.h"
#include "clients/cpp/inbox_reader.h"
#include "clients/cpp/liveness.h"
#include "clients/cpp/moving.h"
#include "clients/cpp/options.h"
#include "clients/cpp/outbox.h"
#include "clients/cpp/reconnect.h"
#include "clients/cpp/request_table.h"
#include "clients/cpp/session_store.h"
#include "proto/client.pb.h"

namespace holdfast::client {

class ClientMachine {
 public:
  enum class State {
    idle,        ///< not started
    waiting,     ///< for the time of the next try
    connecting,  ///< the driver was asked to connect
    greeting,    ///< connected; hello, then resume or log-in
    online,
    ended,  ///< stopped, or the session ended
  };

  /// Events, random source and store (which may be null) outlive the machine.
  ClientMachine(MachineOptions options, ClientEvents& events, Random& random, SessionStore* store);

  // ---- what the driver tells
  void start(SteadyTime now);
  /// Leaves; the session and, in the store, the outbox stay for another start. What waits for an answer fails with
  /// `closed`.
  void stop(SteadyTime now);
  /// The same without a word to anybody: before destruction.
  void leave(SteadyTime now);
  void connection_open(SteadyTime now);
  /// It could not be made, or is gone; `retry_after`: what the server said to that. Not to be called for one that the
  /// machine itself asked to close.
  void connection_lost(SteadyTime now, std::string reason, std::chrono::milliseconds retry_after = {});
  void receive(SteadyTime now, std::string_view payload);
  /// The same of the next connection.
  void next_open();
  void next_lost(SteadyTime now, std::chrono::milliseconds retry_after = {});
  void next_receive(SteadyTime now, std::string_view payload);
  void tick(SteadyTime now);
  /// Puts into output() what may go out, and saves what must be saved before.
  void flush(SteadyTime now);

  // ---- what the driver is to do
  struct Wish {
    bool switch_over = false;               ///< first: say good-bye on the connection; the next one takes its place
    bool close = false;                     ///< drop all connections, made or being made, after writing output()
    bool close_next = false;                ///< drop the next one only
    std::optional<Endpoint> open;           ///< then: connect to this endpoint
    std::chrono::milliseconds time_max{0};  ///< and give up after this
    std::optional<Endpoint> open_next;      ///< the same for the next connection
    std::chrono::milliseconds next_time_max{0};
  };
  Wish take_wish();
  /// Frames to be written, in order; the driver takes them out. Emptied when the connection is lost.
  std::string& output() { return out_; }
  /// The same for the next connection.
  std::string& next_output() { return move_.output(); }
  /// When tick() is wanted; SteadyTime::max() if never.
  SteadyTime next_deadline() const;

  // ---- what the application asks for
  /// Fails with retry_later (the outbox is full) or invalid_argument, or io (ended); then nothing is kept.
  Status send(SteadyTime now, v1::ClientFrame& post, SendCallback done);
  /// `done` is called exactly once, not from within this call.
  void request(SteadyTime now, v1::ClientFrame frame, ReplyCallback done,
               std::optional<std::chrono::milliseconds> time_max);
  /// Sends if online, otherwise forgets; no answer. For what is stale tomorrow (typing).
  void cast(SteadyTime now, v1::ClientFrame frame);
  /// The application has stored everything up to this position.
  void stored(SteadyTime now, std::uint64_t position) { inbox_.stored(position, now); }
  /// Somebody looks at it: a dead connection is to be noticed soon (LivenessOptions::in_use).
  void set_in_use(SteadyTime now, bool in_use);
  /// The session is over because we said so and the server agreed.
  void logged_out(SteadyTime now);

  State state() const { return state_; }
  bool online() const { return state_ == State::online; }
  const SessionInfo& session() const { return session_; }
  /// The server's clock as far as we know it; the epoch before the first hello.
  WallTime server_now(SteadyTime now) const;
  std::size_t outbox_size() const { return outbox_.size(); }
  std::uint64_t logins() const { return logins_; }
  std::uint64_t resumes() const { return resumes_; }
  const Endpoint& endpoint() const { return endpoints_.current(); }
  /// host:port of the nodes that the server named, the best first.
  std::vector<std::string> ranked_endpoints() const { return endpoints_.ranked(); }

 private:
  // connection
  void connect_now(SteadyTime now);
  void drop(SteadyTime now, std::string reason);
  void end(const Failure& failure, bool clear_store);
  void fail_everything(const Failure& failure);
  // greeting
  void say_hello(SteadyTime now);
  void ask_for_session(SteadyTime now);
  void ask_to_resume(SteadyTime now);
  v1::ClientFrame hello_frame(std::uint64_t request_id) const;
  v1::ClientFrame resume_frame(std::uint64_t request_id) const;
  v1::ClientFrame session_request() const;
  void learn_time(SteadyTime now, const v1::HelloReply& hello);
  void start_liveness(SteadyTime now);
  void on_hello(SteadyTime now, const v1::HelloReply& hello);
  void on_session(SteadyTime now, const v1::SessionReply& reply);
  void on_greeting_refused(SteadyTime now, const v1::Error& error, bool auth);
  /// True: the same is asked again soon, on this connection.
  bool ask_again_soon(SteadyTime now, const Failure& failure);
  void come_online(SteadyTime now, bool resumed);
  // other nodes
  using RepeatedEndpoints = google::protobuf::RepeatedPtrField<v1::Endpoint>;
  void learn_endpoints(SteadyTime now, const RepeatedEndpoints& endpoints);
  void on_move(SteadyTime now, const v1::MovePush& push);
  void tick_move(SteadyTime now);
  void fail_move(SteadyTime now, std::chrono::milliseconds retry_after);
  void finish_move(SteadyTime now, const v1::SessionReply& reply);
  // online
  void on_frame(SteadyTime now, const v1::ServerFrame& frame);
  void on_answer(SteadyTime now, const v1::ServerFrame& frame);
  void on_error(SteadyTime now, const v1::ServerFrame& frame);
  void on_push(SteadyTime now, const v1::ServerFrame& frame);
  void on_goodbye(SteadyTime now, const v1::Goodbye& goodbye);
  void on_token(SteadyTime now, const v1::TokenPush& push);
  void on_history_gap(const v1::HistoryGap& gap);
  void on_history_reset(const v1::HistoryReset& reset);
  void hand_over(const v1::InboxItem& item);
  void fetch_reference(SteadyTime now);
  void expire_requests(SteadyTime now);
  void check_liveness(SteadyTime now);
  void write_frame(SteadyTime now, const v1::ClientFrame& frame, bool answer_due);
  void finish(std::optional<Outbox::Answered> answered);
  SteadyTime after_wait(SteadyTime now, std::chrono::milliseconds retry_after);
  // store
  bool save();
  bool save_outbox_first(SteadyTime now);
  void acknowledge(SteadyTime now);

  static constexpr std::chrono::milliseconds kSaveAfter{200};

  MachineOptions options_;
  ClientEvents* events_;
  Random* random_;
  SessionStore* store_;

  State state_ = State::idle;
  ReconnectPolicy reconnect_;
  Endpoints endpoints_;
  Move move_;
  Outbox outbox_;
  RequestTable requests_;
  InboxReader inbox_;
  std::optional<Liveness> liveness_;  ///< while there is a connection

  SessionInfo session_;
  std::string token_;             ///< empty: no session
  std::uint64_t generation_ = 0;  ///< of the data that our positions are in; 0: not known
  bool handed_in_ = false;        ///< the token was the application's, not yet saved
  std::uint64_t last_request_id_ = 0;
  std::uint64_t hello_id_ = 0;
  std::uint64_t auth_id_ = 0;
  std::string auth_idempotency_id_;  ///< of the log-in or registration, the same at every try

  Wish wish_;
  std::string out_;
  SteadyTime retry_at_ = SteadyTime::max();      ///< waiting
  SteadyTime try_deadline_ = SteadyTime::max();  ///< connecting, greeting
  std::chrono::milliseconds retry_after_{0};     ///< what the server asked for before the connection went
  std::string last_error_;                       ///< what it said before that
  std::optional<SteadyTime> lost_at_;            ///< when the session was last online, while it is not
  std::chrono::milliseconds keepalive_{0};       ///< of the last hello
  SteadyTime online_since_;
  SteadyTime ask_again_at_ = SteadyTime::max();  ///< greeting: the log-in or resume, on the same connection
  unsigned asked_again_ = 0;                     ///< on this connection

  bool time_known_ = false;
  WallTime server_time_;
  SteadyTime server_time_at_;

  SteadyTime now_;  ///< of the receive() or tick() that is under way, for callbacks of our own requests
  bool outbox_unsaved_ = false;
  SteadyTime save_again_at_ = SteadyTime::min();  ///< after a failed save; min: none failed
  SteadyTime save_at_ = SteadyTime::max();        ///< the stored outbox has messages that are acknowledged
  std::uint64_t logins_ = 0;
  std::uint64_t resumes_ = 0;
};

}  // namespace holdfast::client

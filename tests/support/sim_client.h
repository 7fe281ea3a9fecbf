/// A small client and its connection, for OneThreadNodes: it registers or logs in, resumes by its token, asks again under
/// the same ids what was not answered, takes over its inbox and acknowledges it, stores replaced tokens.
///
/// It keeps what a client keeps on its own disk; a crash of the node takes only its connection. Everything it sees goes
/// into a History. Not for a node's destructor: the node outlives it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "server/chat/flows.h"
#include "tests/support/history.h"
#include "tests/support/one_thread_node.h"

namespace holdfast {

class SimClient {
 public:
  struct Options {
    std::string username;
    std::string password = "correct horse";
    std::string device = "phone";
    std::uint16_t door = 0;
    std::uint64_t credit_bytes = 64 << 10;
    bool registers = true;  ///< otherwise the account is there: it logs in
  };
  SimClient(OneThreadNode& node, History& history, Options options);
  ~SimClient();

  /// Fixes the request's id and asks until there is an answer that stands. Returns the request's number.
  std::size_t ask(v1::ClientFrame frame);
  /// Null: not answered yet. RETRY and the like are never answers.
  const v1::ServerFrame* answer(std::size_t request) const;

  /// Connects, resumes or logs in, sends what is to be sent. Call it between steps.
  void pump();
  /// The node died under it.
  void lost_connection();
  /// Goes away by itself, and stays away until pump() after come_back().
  void leave();
  void come_back() { away_ = false; }
  /// Takes nothing from its socket for now: no credit goes back.
  void hold_reading(bool hold);
  /// From now on it connects there. It must not be connected.
  void move_to(OneThreadNode& node, std::uint16_t door);
  const OneThreadNode& node() const { return *node_; }
  /// As a gateway does when the user's partition has another primary, or was lost sight of.
  void reattach();
  std::uint16_t door() const { return door_; }

  bool is_online() const { return phase_ == Phase::online; }
  /// Nothing is unanswered, and it is where it wants to be.
  bool is_idle() const;
  std::size_t open_requests() const;
  /// The session ended, by its own wish or another's: it stays away until log_in_again().
  std::optional<v1::ErrorCode> ended() const { return ended_; }
  void log_in_again(std::string password);

  const UserId& user() const { return user_; }
  const SessionId& session() const { return session_; }
  std::uint64_t cursor() const { return cursor_; }
  /// Rises with everything that it hears.
  std::uint64_t heard() const { return heard_; }
  std::uint64_t logins() const { return logins_; }
  std::uint64_t tokens_replaced() const { return tokens_replaced_; }
  const Options& options() const { return options_; }
  std::uint64_t frames_of_inbox() const { return inbox_frames_; }
  std::uint64_t soft_frames() const { return soft_frames_; }

 private:
  enum class Phase : std::uint8_t { away, connecting, online };
  struct Request {
    v1::ClientFrame frame;
    bool sent = false;        ///< on this connection
    std::size_t post = 0;     ///< in the history, if it is one
    std::uint64_t least = 0;  ///< of a history: it was that far when it was asked for
    std::optional<v1::ServerFrame> answer;
  };

  bool logs_out() const;  ///< has asked for it
  void connect();
  void on_login(const chat::RequestOutcome& outcome);
  void send(std::size_t request);
  void check_history(const Request& request, const v1::HistoryReply& reply);
  void on_answer(std::size_t request, const v1::ServerFrame& frame);
  void on_push(const v1::ServerFrame& frame);
  void on_delivery(const chat::Delivery& delivery);
  void on_inbox(const v1::InboxPush& push);
  void on_ended(v1::ErrorCode code);
  void give_credit();
  void run(v1::ClientFrame frame, std::function<void(const chat::RequestOutcome&)> then);
  History::Device& device() { return history_.devices[device_]; }

  OneThreadNode* node_;
  std::uint16_t door_;
  History& history_;
  const Options options_;
  SeededRandom random_;

  // What it stores.
  std::string password_;
  std::string token_, next_token_;
  std::uint32_t next_serial_ = 0;
  std::uint64_t cursor_ = 0;
  std::map<std::size_t, Request> requests_;
  std::size_t next_request_ = 1;
  v1::ClientFrame login_;  ///< with its id, until it is answered
  UserId user_;
  SessionId session_;
  std::size_t device_ = 0;
  std::optional<v1::ErrorCode> ended_;
  bool away_ = false;

  // The connection.
  Phase phase_ = Phase::away;
  std::shared_ptr<int> connection_life_;  ///< what it is called back with has a weak one
  chat::ConnectionRef connection_;
  bool attached_ = false;
  bool hold_reading_ = false;
  std::uint64_t credit_ = 0;
  std::uint64_t raw_position_ = 0;
  std::map<ConversationId, std::uint64_t> known_;  ///< the newest change that it was told of
  bool confirming_ = false;

  std::uint64_t logins_ = 0, tokens_replaced_ = 0, inbox_frames_ = 0, soft_frames_ = 0, heard_ = 0;
};

}  // namespace holdfast

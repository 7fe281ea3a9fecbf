/// An application with the client library's own machine in it, on a device that may be switched off and on: it knows a
/// node's address and learns the others, reconnects, moves when it is asked to, and takes over its inbox.
///
/// What it sees goes into a History, and what it takes to be wrong into the complaints there. Owned by ClusterWorld.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "clients/cpp/client_machine.h"
#include "tests/sim/app_connection.h"
#include "tests/support/history.h"

namespace holdfast::sim {

class App final : public client::ClientEvents {
 public:
  /// Finds the node that listens there; null: nobody does.
  using Dial = std::function<SimNode*(const client::Endpoint&)>;
  struct Options {
    std::string username;
    std::string password = "correct horse";
    std::vector<client::Endpoint> endpoints;
    std::uint16_t doors = 1;   ///< of each node
    bool forgets_ids = false;  ///< mutant: after it was switched off it sends what was unanswered as if it were new
  };
  App(Agenda& agenda, AppConnection::Front& front, History& history, Dial dial, Options options);
  ~App() override;

  void post(const ConversationId& conversation, std::string body);
  void ask(v1::ClientFrame frame);

  /// Its process ends, and comes back with what it had stored.
  void switch_off();
  void switch_on();
  /// Its network is gone for so long.
  void stall(Millis time);
  void node_died(const SimNode& node, bool told);
  void reattach(const SimNode& node, std::uint16_t door, PartitionId partition);
  void ask_to_move(Millis delay);

  bool is_on() const { return machine_ != nullptr; }
  bool is_idle() const;
  bool is_online() const { return machine_ && machine_->online(); }
  /// Where it is connected; null: nowhere.
  const SimNode* node() const { return link_.connection ? &link_.connection->node() : nullptr; }
  const UserId& user() const { return user_; }
  std::size_t open_requests() const;
  std::string describe() const;
  const std::string& username() const { return options_.username; }
  std::uint64_t moves() const { return moves_; }
  std::uint64_t resumes() const { return resumes_; }
  std::uint64_t logins() const { return logins_; }

 private:
  // ClientEvents
  void on_connected(const client::SessionInfo& session) override;
  void on_resumed(const client::SessionInfo&) override { ++resumes_; }
  void on_moved(const client::Moved&) override { ++moves_; }
  void on_session_ended(const client::Failure& failure) override;
  void on_change(const v1::InboxItem& item) override;
  void on_head(const v1::InboxItem& item) override;
  void on_history_gap(const v1::HistoryGap&) override { complain("H5", "was told of a gap in its inbox"); }
  void on_sent(const client::SendResult& result) override { sent(result); }
  void on_store_failed(const Error& error) override { complain("client", "can't store: " + error.message); }

  void complain(const std::string& what, const std::string& text) {
    history_.complaints.push_back(what + ": " + options_.username + " " + text);
  }
  History::Device& device() { return history_.devices[device_]; }
  void start();
  /// Once something was told to the machine: does what it wishes, and writes.
  void after();
  void carry_out(client::ClientMachine::Wish wish);
  void look_at(SteadyTime deadline);
  std::shared_ptr<AppConnection> connect(const client::Endpoint& endpoint, Millis time_max, bool next);
  void on_bytes(const AppConnection& from, std::string_view bytes);
  void on_lost(const AppConnection& from, std::string reason);
  void write(AppConnection& to, std::string bytes, bool next);
  void note_written(std::string_view bytes);
  void sent(const client::SendResult& result);
  void take_over(History::Shown one);

  Agenda& agenda_;
  AppConnection::Front& front_;
  History& history_;
  const Dial dial_;
  const Options options_;
  SeededRandom random_;
  client::MemorySessionStore store_;

  std::unique_ptr<client::ClientMachine> machine_;  ///< null: switched off
  struct Wire {
    std::shared_ptr<AppConnection> connection;
    FrameDecoder decoder = FrameDecoder();
  };
  Wire link_, next_;
  SteadyTime stalled_until_{}, looks_at_ = SteadyTime::max();
  std::uint64_t life_ = 0;  ///< counts how often it was switched on

  UserId user_;
  bool ended_ = false;
  std::size_t device_ = 0;
  std::uint64_t stored_ = 0;                  ///< position of the last item that it took over
  std::uint64_t started_at_ = 0;              ///< the same when it was switched on: up to there an item may come again
  std::map<std::string, std::size_t> posts_;  ///< by client_message_id, in the history
  std::map<std::string, std::string> ids_;    ///< by body: each is another
  std::uint64_t next_post_ = 0;
  std::set<std::size_t> open_;  ///< of requests
  std::size_t next_request_ = 0;
  std::map<ConversationId, std::uint64_t> known_;  ///< the newest change that it was told of
  std::uint64_t moves_ = 0, resumes_ = 0, logins_ = 0;
};

}  // namespace holdfast::sim

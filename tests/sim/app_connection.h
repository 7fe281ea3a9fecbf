/// One connection of an application to a simulated node: on the node's side the gateway's own Session, and a network
/// between the two that takes time, stalls, and ends without telling the other end when the node's machine does.
///
/// Shared by the App and by what is under way. One thread. Bytes come in order each way, in pieces of any size.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "proto/frame.h"
#include "server/gateway/endpoints.h"
#include "server/gateway/session.h"
#include "tests/sim/sim_node.h"

namespace holdfast::sim {

class AppConnection final : public gateway::SessionHost,
                            public chat::Attachments,
                            public std::enable_shared_from_this<AppConnection> {
 public:
  /// The application's end; called later, never from within a call of its own. Nothing comes after close() or on_lost.
  struct End {
    std::function<void()> on_open;
    std::function<void(std::string_view bytes)> on_bytes;
    std::function<void(std::string reason)> on_lost;
  };
  /// What is the same for all connections, and outlives them.
  struct Front {
    gateway::SessionOptions session;
    gateway::Rates user{20'000, 64 << 20, 10'000};
    gateway::Admission admission{gateway::Admission::Options{}};
    gateway::SessionCounters counters;
  };
  AppConnection(Agenda& agenda, SimNode& node, std::uint16_t door, Front& front, std::string address, End end);
  ~AppConnection() override;

  /// Dials. A node that is down refuses, a frozen one's kernel accepts.
  void open();
  void write(std::string bytes);
  /// By the application. The node hears of it.
  void close();
  bool is_open() const { return opened_; }
  /// Nothing goes either way until then; what was sent comes after it.
  void stall_until(SteadyTime then) { stalled_until_ = std::max(stalled_until_, then); }
  /// The node's process is gone. `told`: its kernel is still there and says so.
  void node_died(bool told);

  const SimNode& node() const { return node_; }
  std::uint16_t door() const { return door_; }
  void reattach(PartitionId partition);
  /// The node asks it to go to another one.
  void ask_to_move(Millis delay);

 private:
  // SessionHost
  void run(std::uint64_t, gateway::Ticket ticket, chat::Caller caller, v1::ClientFrame request) override;
  void keep(std::uint64_t, UserId user, SessionId session) override;
  PartitionId partition_of_user(const UserId& user) const override;
  WallTime wall_now() const override { return machine_->now(); }
  std::vector<std::string> endpoints_of(const SessionId& session) const override;
  // chat::Attachments: as long as the node lives
  void attach(const chat::Attach& attach) override;
  void detach(const UserId& user, chat::ConnectionRef connection) override;
  void give_credit(const UserId& user, chat::ConnectionRef connection, std::uint64_t bytes) override;
  void watch_presence(chat::ConnectionRef watcher, const std::vector<UserId>& users) override;
  SteadyTime confirmed_at(PartitionId partition) const override;

  /// After the network's delay, behind what went that way before.
  void travel(SteadyTime& last, std::function<void()> what);
  void at_node(std::function<void()> what);
  void accept();
  std::function<void(v1::ServerFrame)> push();
  void feed();
  void flush();
  void tick();
  bool is_alive() const { return alive_ && node_.life() == life_; }
  bool is_served() const { return is_alive() && session_ && machine_->is_running(); }
  std::vector<gateway::NodeEndpoint> nodes_for_clients() const;

  Agenda& agenda_;
  SimNode& node_;
  const std::uint16_t door_;
  Front& front_;
  const std::string address_;
  End end_;
  bool opened_ = false, closed_ = false;  ///< the application's end
  SteadyTime to_node_{}, to_app_{}, stalled_until_{};

  // The node's end.
  OneThreadNode* machine_;
  std::uint64_t life_ = 0;  ///< of the node, in which it was accepted
  bool alive_ = false;
  std::string unfed_;
  FrameDecoder decoder_;
  chat::ConnectionRef ref_;
  std::optional<gateway::Session> session_;
};

}  // namespace holdfast::sim

/// One thread, one io_context, a share of the partitions and of the connections.
///
/// A worker works in turns: it takes what has come in (mail from other threads, frames from sockets), lets every
/// partition that was touched work it off, carries out what they ask for, and sends what is for other workers in one go.
/// Everything a turn brings together goes into one entry for each partition and one write for each connection.
///
/// Thread: run() is the worker's; send() from any; everything else on the worker's thread, or before it runs.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "net/asio.h"
#include "server/backup_hold.h"
#include "server/chat/attachment.h"
#include "server/chat/backend.h"
#include "server/copy.h"
#include "server/gateway/gateway.h"
#include "server/router.h"
#include "server/shared.h"
#include "server/snapshots.h"

namespace holdfast {

/// What threads send to a worker. Values only.
namespace mail {
struct Submit {  ///< for a partition of the receiver; `then` runs on worker `from`
  PartitionId partition;
  command::Command command;
  Answered then;
  std::uint16_t from;
};
struct Answer {
  Answered then;
  command::Answer answer;
};
struct Durable {
  PartitionId partition;
  std::uint64_t ticket;
};
struct Applied {
  PartitionId partition;
  Seq seq;
};
struct RowLoaded {
  PartitionId partition;
  std::uint64_t life;
  std::string key;
  std::optional<std::string> value;
};
struct RangeLoaded {
  PartitionId partition;
  std::uint64_t life;
  std::uint64_t ticket;
  std::vector<Row> rows;
};
struct LogRead {
  PartitionId partition;
  std::uint64_t life;
  std::size_t subscriber;
  std::vector<std::shared_ptr<const log::Entry>> entries;
};
struct Deliver {
  std::vector<chat::Delivery> deliveries;
};
struct Tell {
  PartitionId partition;
  chat::TellUsers tell;
};
struct Attach {
  chat::Attach attach;
};
struct Detach {
  UserId user;
  chat::ConnectionRef connection;
};
struct Credit {
  UserId user;
  chat::ConnectionRef connection;
  std::uint64_t bytes;
};
struct Watch {
  PartitionId partition;
  chat::ConnectionRef watcher;
  std::vector<UserId> users;
};
struct Call {
  std::function<void()> call;
};

// In a cluster.
struct Ask {  ///< for a partition of the receiver, from worker `from` of this node
  Router::Ask ask;
  std::uint16_t from;
};
struct Answered {  ///< to the asking worker
  std::uint64_t id;
  std::uint64_t route;
  command::Answer answer;
};
struct FromPeer {
  failover::Member from;
  std::unique_ptr<peer::Frame> frame;
};
struct DeliverFromPeer {
  std::shared_ptr<const peer::Frame> frame;
};
struct Link {
  failover::Member peer;
  bool up;
};
struct Gone {
  NodeId node;
  bool gone;
};
struct HeldBack {
  std::set<NodeId> nodes;
};
struct Configured {
  PartitionId partition;
  std::shared_ptr<const failover::PartitionRow> row;
};
struct Reconfigured {
  PartitionId partition;
  std::uint64_t compared;
  failover::Outcome outcome;
};
struct HandOff {
  PartitionId partition;
  Epoch epoch;
  NodeId to;
};
struct Reattach {
  PartitionId partition;
  bool ask_again;  ///< its primary, or its link to us, is another than before
};
struct Nodes {
  std::vector<gateway::NodeEndpoint> nodes;
};
struct StandAside {
  bool aside;
};
struct CopiesLog {
  PartitionId partition;
  failover::Replica::LogPage page;
};
}  // namespace mail
using Mail = std::variant<mail::Submit, mail::Answer, mail::Durable, mail::Applied, mail::RowLoaded, mail::RangeLoaded,
                          mail::LogRead, mail::Deliver, mail::Tell, mail::Attach, mail::Detach, mail::Credit,
                          mail::Watch, mail::Call, mail::Ask, mail::Answered, mail::FromPeer, mail::DeliverFromPeer,
                          mail::Link, mail::Gone, mail::HeldBack, mail::Configured, mail::Reconfigured, mail::HandOff,
                          mail::Reattach, mail::Nodes, mail::StandAside, mail::CopiesLog>;

class Worker final : public chat::Backend, public chat::Attachments {
 public:
  /// `due_per_s`: timers that it begins to run.
  Worker(std::uint16_t index, Shared& shared, double due_per_s);
  ~Worker() override;

  void add_copy(std::unique_ptr<Copy> copy);
  void make_gateway(const gateway::GatewayOptions& options, gateway::Admission& admission,
                    std::optional<TlsContext> tls);
  gateway::Gateway& gateway() { return *gateway_; }
  any_io_executor executor();

  /// Runs until stop().
  void run();
  void stop();

  /// One of several nodes: commands go by way of a Router. Before it runs.
  void join_cluster();

  /// From any thread.
  void send(Mail mail);
  void send_all(std::vector<Mail> mails);
  /// Runs on the worker's thread.
  void call(std::function<void()> call) { send(mail::Call{std::move(call)}); }

  struct Figures {
    Partition::Figures partitions;  ///< summed
    gateway::GatewayFigures gateway;
    std::uint64_t turns = 0;
    std::size_t open_partitions = 0;              ///< that serve
    std::map<failover::Role, std::size_t> roles;  ///< of the copies here
    std::size_t asks = 0;                         ///< asked of primaries anywhere, and not answered
    std::uint64_t asked_again = 0;
  };
  /// As of the last tick. From any thread.
  Figures figures() const;
  /// From any thread.
  SteadyTime ticked_at() const { return SteadyTime(std::chrono::nanoseconds(ticked_.load(std::memory_order_relaxed))); }
  const Copy& copy(PartitionId id) const { return *slots_[id.value].copy; }
  Seq log_may_go_to(PartitionId id, Seq flushed) { return slots_[id.value].copy->log_may_go_to(flushed); }
  BackupHold& backup_hold() { return backup_hold_; }
  bus::Pace& pace() { return pace_; }

  // chat::Backend
  void ask(PartitionId partition, command::Command command, Answered then) override;
  void hash_password(std::string password, std::function<void(Result<std::string>)> then) override;
  void verify_password(std::string hash, std::string password, std::function<void(Result<bool>)> then) override;
  std::uint16_t partitions() const override { return shared_.partitions; }
  const chat::Limits& limits() const override { return *shared_.limits; }
  const chat::TokenKeys& token_keys() const override;
  const chat::MailKey& mail_key() const override { return *shared_.mail_key; }
  std::uint64_t generation() const override { return shared_.generation.number; }
  std::uint64_t first_position() const override { return shared_.generation.first_position(); }
  void rotate_token_key(std::function<void(Status)> then) override;
  bool admit_stranger() override;
  WallTime now() const override { return shared_.log_time(); }
  Random& random() override { return random_; }

  // chat::Attachments
  void attach(const chat::Attach& attach) override;
  void detach(const UserId& user, chat::ConnectionRef connection) override;
  void give_credit(const UserId& user, chat::ConnectionRef connection, std::uint64_t bytes) override;
  void watch_presence(chat::ConnectionRef watcher, const std::vector<UserId>& users) override;
  SteadyTime confirmed_at(PartitionId partition) const override;

 private:
  struct Loop;
  struct Slot {
    std::unique_ptr<Copy> copy;
    bool touched = false;
    std::uint64_t life = 0;  ///< of the copy, as of its last turn
  };

  void post_turn();
  void want_turn();
  void turn();
  void receive(Mail& mail);
  Copy& touch(PartitionId partition);
  /// What is soft is dropped where the copy does not serve.
  template <class What>
  void serve(PartitionId partition, What what) {
    if (Partition* here = touch(partition).serving()) what(*here);
  }
  void carry_out(Copy& copy, Copy::Ready ready);
  void begin(PartitionId partition, chat::BeginIntent intent);
  void read_failed(PartitionId partition, std::uint64_t life, const Error& error);
  void load_row(PartitionId partition, std::uint64_t life, std::string key);
  void load_range(PartitionId partition, std::uint64_t life, const Partition::RangeWanted& wanted);
  void read_log(PartitionId partition, std::uint64_t life, Partition::LogWanted wanted);
  void hand_out(std::vector<chat::Delivery> deliveries);
  void tell(const chat::TellUsers& tell);
  void to(Worker& worker, Mail mail);

  // Other nodes (worker_peers.cc).
  void route();
  void submit_ask(NodeId from, std::uint32_t worker, Router::Ask ask);
  void answer_ask(NodeId to, std::uint32_t worker, std::uint64_t id, std::uint64_t route, command::Answer answer);
  void receive_peer(mail::FromPeer& mail);
  void deliver_from_peer(const peer::Frame& frame);
  void receive_news(Mail& mail);
  void link(const mail::Link& link);
  void configured(const mail::Configured& news);
  void read_copies_log(PartitionId partition, failover::Replica::LogWanted wanted);
  void send_replication(PartitionId partition, Copy::Ready& ready);
  /// True: its primary is on another node, and `frame` is on its way there; or nobody leads it, and it is dropped.
  template <class Fill>
  bool to_other_node(PartitionId partition, Fill fill) {
    if (!router_ || router_->primary(partition) == shared_.self) return false;
    peer::Frame frame;
    fill(frame);
    send_to_peer(router_->primary(partition), frame);
    return true;
  }
  void send_to_peer(NodeId node, const peer::Frame& frame);
  void publish_serving(Copy& copy, SteadyTime now);
  void tick();
  void next_tick();
  void keep_pace();
  void publish_figures();
  BackupHoldHost backup_host();
  Partition::Pressure pressure() const;

  const std::uint16_t index_;
  Shared& shared_;
  const std::unique_ptr<Loop> loop_;

  mutable std::mutex mutex_;
  Figures figures_;           ///< under mutex_
  std::vector<Mail> inbox_;   ///< under mutex_
  bool turn_posted_ = false;  ///< under mutex_

  // Of the worker's thread.
  std::vector<Slot> slots_;  ///< by partition; empty where another worker has it
  std::vector<PartitionId> touched_;
  bus::Pace pace_;
  bool pace_timer_set_ = false;
  bool in_turn_ = false;
  std::vector<std::vector<Mail>> outboxes_;       ///< by worker
  std::vector<std::function<void()>> postponed_;  ///< reads that found the readers' queue full: again at the next tick
  mutable std::shared_ptr<const chat::TokenKeys> keys_;
  SystemRandom random_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::uint64_t turns_ = 0;
  std::atomic<std::int64_t> ticked_{0};
  std::unique_ptr<Router> router_;  ///< null: this node is alone
  bool router_timer_set_ = false;
  Routes routes_;
  std::unique_ptr<Snapshots> snapshots_;  ///< null: this node is alone
  BackupHold backup_hold_;
};

}  // namespace holdfast

/// One thread, one io_context, a share of the partitions and of the connections.
///
/// A worker works in turns: it takes what has come in (mail from other threads, frames from sockets), lets every
/// partition that was touched work it off, carries out what they ask for, and sends what is for other workers in one go.
/// Everything a turn brings together goes into one entry for each partition and one write for each connection.
///
/// Thread: run() is the worker's; send() from any; everything else on the worker's thread, or before it runs.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "net/asio.h"
#include "server/chat/attachment.h"
#include "server/chat/backend.h"
#include "server/gateway/gateway.h"
#include "server/partition.h"
#include "server/shared.h"

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
  Seq seq;
};
struct Applied {
  PartitionId partition;
  Seq seq;
};
struct RowLoaded {
  PartitionId partition;
  std::string key;
  std::optional<std::string> value;
};
struct RangeLoaded {
  PartitionId partition;
  std::uint64_t ticket;
  std::vector<Row> rows;
};
struct LogRead {
  PartitionId partition;
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
}  // namespace mail
using Mail = std::variant<mail::Submit, mail::Answer, mail::Durable, mail::Applied, mail::RowLoaded, mail::RangeLoaded,
                          mail::LogRead, mail::Deliver, mail::Tell, mail::Attach, mail::Detach, mail::Credit,
                          mail::Watch, mail::Call>;

class Worker final : public chat::Backend, public chat::Attachments {
 public:
  Worker(std::uint16_t index, Shared& shared);
  ~Worker() override;

  void add_partition(std::unique_ptr<Partition> partition);
  void make_gateway(const gateway::GatewayOptions& options, gateway::Admission& admission,
                    std::optional<TlsContext> tls);
  gateway::Gateway& gateway() { return *gateway_; }
  any_io_executor executor();

  /// Runs until stop().
  void run();
  void stop();

  /// From any thread.
  void send(Mail mail);
  void send_all(std::vector<Mail> mails);
  /// Runs on the worker's thread.
  void call(std::function<void()> call) { send(mail::Call{std::move(call)}); }

  struct Figures {
    Partition::Figures partitions;  ///< summed
    gateway::GatewayFigures gateway;
    std::uint64_t turns = 0;
    std::size_t open_partitions = 0;  ///< that serve
  };
  /// As of the last tick. From any thread.
  Figures figures() const;
  const Partition& partition(PartitionId id) const { return *slots_[id.value].partition; }

  // chat::Backend
  void ask(PartitionId partition, command::Command command, Answered then) override;
  void hash_password(std::string password, std::function<void(Result<std::string>)> then) override;
  void verify_password(std::string hash, std::string password, std::function<void(Result<bool>)> then) override;
  std::uint16_t partitions() const override { return shared_.partitions; }
  const chat::Limits& limits() const override { return *shared_.limits; }
  const chat::TokenKeys& token_keys() const override;
  void rotate_token_key(std::function<void(Status)> then) override;
  WallTime now() const override { return wall_now(); }
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
    std::unique_ptr<Partition> partition;
    bool touched = false;
  };

  void post_turn();
  void turn();
  void receive(Mail& mail);
  Partition& touch(PartitionId partition);
  void carry_out(Partition& partition, Partition::Ready ready);
  void load_row(PartitionId partition, std::string key);
  void load_range(PartitionId partition, const Partition::RangeWanted& wanted);
  void read_log(PartitionId partition, Partition::LogWanted wanted);
  void hand_out(std::vector<chat::Delivery> deliveries);
  void tell(const chat::TellUsers& tell);
  void to(Worker& worker, Mail mail);
  void tick();
  void next_tick();
  void publish_figures();
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
  bool in_turn_ = false;
  std::vector<std::vector<Mail>> outboxes_;       ///< by worker
  std::vector<std::function<void()>> postponed_;  ///< reads that found the readers' queue full: again at the next tick
  mutable std::shared_ptr<const chat::TokenKeys> keys_;
  SystemRandom random_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::uint64_t turns_ = 0;
};

}  // namespace holdfast

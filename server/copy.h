/// This node's copy of a partition: its replica, and while that is primary, the Partition that serves.
///
/// Owned by a worker. Thread: the worker's. Sans-IO: as Partition and Replica. A copy that leads opens with fresh memory,
/// on what is committed, and closes when its epoch is over; answers to what an earlier life asked for are dropped.
///
/// Whatever is asked of a copy that does not lead is answered elsewhere(); a candidate keeps it until it opens. One that
/// can't open within PartitionOptions::stuck_after gives back all that it keeps: RETRY to clients who waited so long, and
/// elsewhere() to the others, so that who asked them asks again, in order.
/// Bound: as Partition's, and while a candidate as many commands of clients, and of subscribers as their sources may have
/// under way.
#pragma once

#include "server/partition.h"

namespace holdfast {

class Copy {
 public:
  /// What a start finds of it.
  struct Found {
    failover::Recovered recovered;
    std::vector<SubscriberAt> subscribers;
  };
  Copy(const PartitionOptions& options, const chat::Limits& limits, failover::Member self, Found found,
       failover::Replica::Options replica = {});

  // ---- what comes in; news for the replica (configuration, messages, links, durable) goes to it directly
  failover::Replica& replica() { return replica_; }
  const failover::Replica& replica() const { return replica_; }
  /// Null while this copy does not serve.
  Partition* serving() { return serving_.get(); }
  const Partition* serving() const { return serving_.get(); }
  /// The epoch in which it serves; 0: it does not. The replica's may be a later one already, until the next take_ready().
  Epoch served_epoch() const { return serving_ ? serving_epoch_ : Epoch{}; }

  /// False: submit() will answer elsewhere(). To be asked before, so that nothing behind it is taken when this changes.
  bool takes_commands() const { return serving_ != nullptr || replica_.leads(); }
  void submit(command::Command command, Answered then);
  void tick(SteadyTime steady, WallTime wall);
  void set_pressure(Partition::Pressure pressure) { pressure_ = pressure; }
  void applied(Seq seq);

  // ---- answers to what was asked for; `life` as in Ready
  void row_loaded(std::uint64_t life, const std::string& key, std::optional<std::string_view> value);
  void range_loaded(std::uint64_t life, std::uint64_t ticket, std::vector<Row> rows);
  void log_read(std::uint64_t life, std::size_t subscriber, std::vector<std::shared_ptr<const log::Entry>> entries);
  void command_done(std::uint64_t life, std::size_t subscriber, Seq seq, std::uint32_t event);
  /// True if nothing that this copy asked for is still to be written, neither to the log nor to the state.
  bool is_drained() const { return unapplied_.empty() && replica_.is_settled(); }
  /// A snapshot was installed, or everything was thrown away (nothing is recovered): what is in memory is void. The
  /// subscribers' cursors, in their order.
  void installed(const failover::Recovered& recovered, const std::vector<Seq>& cursors);
  std::vector<std::string> subscribers() const;  ///< by name
  /// While a snapshot of ours is under way the log is kept from behind this entry on.
  void hold_log(std::optional<Seq> at) { held_at_ = at; }

  // ---- what is to be done
  /// In the order of duty: writes to the log before anything they lead to; the rest in any order.
  struct Ready {
    std::uint64_t life = 0;
    std::vector<LogWrite> writes;           ///< replica().durable()
    std::vector<failover::Appended> apply;  ///< committed: to the state, in order
    std::vector<failover::Replica::Message> messages;
    std::vector<failover::Replica::LogWanted> copies_log;  ///< replica().log_read()
    std::vector<NodeId> snapshots;
    std::optional<failover::Reconfiguration> reconfiguration;
    std::string trouble;
    Partition::Ready serving;
  };
  /// Works off what has come in. Call it after inputs, until it has nothing more.
  Ready take_ready(WallTime now);

  PartitionId id() const { return options_.id; }
  /// Below this the log is no longer needed by any subscriber or connected copy, whatever a crash takes.
  Seq slowest_cursor() const;
  /// Up to here the log may go, once the state is flushed up to `flushed`: whose subscribers may stand further back in it than
  /// they do now, and a snapshot of it brings the log from there on.
  Seq log_may_go_to(Seq flushed);
  /// While it serves: the latest moment of which every copy that counts has said that nobody else does.
  SteadyTime certain_at(SteadyTime now) const { return replica_.is_alone() ? now : certain_at_; }
  bool idle() const;
  Partition::Figures figures() const;

 private:
  struct Early {
    command::Command command;
    Answered then;
    SteadyTime since;
  };
  void drain(Ready& ready);
  void give_back_early();
  void follow_role(Ready& ready);
  void open();
  void close(Ready& ready);
  void committed(const failover::Appended& entry);
  void note_cursors(const log::Entry& entry);
  Seq slowest_committed() const;
  void make_certain(SteadyTime now);

  const PartitionOptions options_;
  const chat::Limits& limits_;
  const failover::Mutant mutant_;
  failover::Replica replica_;
  std::vector<SubscriberAt> subscribers_;  ///< their cursors as committed
  struct SlowestSince {
    Seq entry, cursor;
  };
  /// By entry: where the slowest subscriber stands in a state that a crash may still fall back to, and in the newest.
  std::deque<SlowestSince> slowest_since_;
  std::unique_ptr<Partition> serving_;
  Epoch serving_epoch_;
  std::uint64_t life_ = 0;
  std::uint64_t certain_barrier_ = 0;  ///< asked for at certain_asked_
  SteadyTime certain_asked_{}, certain_at_{};
  Partition::Pressure pressure_ = Partition::Pressure::none;
  Partition::Figures past_;                                    ///< of earlier lives
  std::deque<Early> early_;                                    ///< while a candidate
  std::vector<std::pair<Answered, command::Answer>> answers_;  ///< of copies that do not serve
  std::optional<Seq> held_at_;                                 ///< hold_log()
  std::deque<std::shared_ptr<const log::Entry>> unapplied_;    ///< committed, and not known to be in the state
};

}  // namespace holdfast

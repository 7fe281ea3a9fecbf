/// One partition's copy on this node: its role, its epoch, its log, and at the primary the copies of the others.
///
/// Sans-IO; owned by Copy. Thread: the partition's worker. Inputs are calls, outputs are taken with take_ready() and
/// carried out by the owner: writes to the log in their order, messages, changes of the configuration. docs/failover.md
/// tells the protocol; the marks in brackets are its rules and invariants.
///
/// Life: backup (a learner is a backup that does not count) -> candidate of a new epoch -> primary -> backup of the next.
/// A candidate opens when its inherited tail is durable on all who count (F6) and its EPOCH_START is committed. A
/// primary that was restarted leads a new epoch, never the old one (F7). Whoever finds that committed history differs is
/// quarantined: it takes no part any more and repairs nothing by itself (2.8).
///
/// Invariants: epoch, promise and commit never go back (I2, I4); an acknowledgement is of what is synced (W3, W4); log
/// time never goes back; what is committed is handed out once, in order.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "failover/in_sync_set.h"
#include "failover/reconfiguration.h"
#include "proto/log.pb.h"
#include "proto/peer.pb.h"
#include "storage/log_write.h"

namespace holdfast::failover {

/// An entry: as a value for the state and the bus, and as the bytes of the log.
struct Appended {
  std::shared_ptr<const log::Entry> entry;
  std::shared_ptr<const EncodedEntry> encoded;
};

inline constexpr std::size_t kEpochStartsKept = 64;

struct EpochStart {
  Epoch epoch;
  Seq first_seq;
};

/// What the log and the state say at a start.
struct Recovered {
  Seq last_seq;  ///< 0: empty
  Epoch last_epoch;
  Hash32 last_chain{};
  WallTime last_time{};
  Epoch promised{};
  std::vector<EpochStart> epoch_starts{};
  std::vector<Appended> tail{};  ///< what the state lacks: the last entries, without a gap
  Epoch epoch_before_tail{};     ///< of the entry before the tail, and its chain value
  Hash32 chain_before_tail{};
};

enum class Role : std::uint8_t { backup, candidate, primary, quarantined };
const char* name_of(Role role);

/// Rules left out, to see that the tests notice. Never outside tests.
enum class Mutant : std::uint8_t {
  none,
  no_fencing,            ///< messages of lower epochs are taken
  volatile_promise,      ///< a promise is acknowledged before it is durable, and forgotten in a crash
  shrink_before_cas,     ///< a member that is to leave does not count while it still may
  no_union_on_grow,      ///< a member that is to come does not count before the store has it
  union_dropped,         ///< an unknown outcome is taken for a refusal
  no_epoch_start_bound,  ///< a learner may join on commit alone (T3)
  no_store_id,           ///< a node counts whatever disk it has
  ack_before_sync,       ///< T6
  open_early,            ///< a candidate opens before its inherited tail is everywhere (F6)
  swap_unfilled,         ///< a candidate swaps in a learner that lacks its tail (F6a)
  learner_counts,        ///< a learner joins whatever it has
  subscribers_skipped,   ///< of Copy: who leads begins to hand out at the head (I14)
  no_barriers,           ///< what is answered without writing waits for nobody (2.11)
  cursors_lost,          ///< of Copy: a snapshot comes without where its subscribers stood
  in_sync_of_one,        ///< a set may shrink to its primary alone, and one copy is enough to commit (T5, I7)
  unconditional_cas,     ///< of who asks the store: a change stands, whatever else was changed meanwhile
};

class Replica {
 public:
  struct Options {
    std::chrono::milliseconds slow{700};      ///< T_slow: a member that is behind for so long is to leave
    std::chrono::milliseconds resend{250};    ///< a message that nobody answered is sent again
    std::chrono::milliseconds news{100};      ///< what is committed is told to the idle so often
    std::chrono::milliseconds handoff{3000};  ///< then it is given up
    std::size_t append_bytes_max = 1u << 20;
    std::size_t kept_bytes = 256u << 10;  ///< of committed entries, for those that are a little behind
    Mutant mutant = Mutant::none;
  };
  Replica(PartitionId partition, Member self, const Recovered& recovered, Options options);
  Replica(PartitionId partition, Member self, const Recovered& recovered);

  // ---- what comes in
  /// The configuration, as read from the store; what is not newer than what is known is ignored.
  void configured(const PartitionRow& row);
  /// What became of the change that was asked for against this revision.
  void reconfigured(std::uint64_t compared_revision, Outcome outcome);
  void received(const Member& from, const peer::Replication& message);
  /// The write with this ticket, and all before it, are synced.
  void durable(std::uint64_t ticket);
  /// The other end of the link to a node: with which disk it is there, or that there is none.
  void link_up(const Member& member);
  void link_down(NodeId node);
  /// Evidence that promotes (section 3): it is dead, or not any more.
  void gone(NodeId node, bool is_gone);
  /// Nodes that flap: they join only where the set could not do without (T18, F6a).
  void held_back(std::set<NodeId> nodes) { held_back_ = std::move(nodes); }
  void tick(SteadyTime now);

  /// Entries that were asked for: each LogWanted is answered once. None at all: they are not in the log any more.
  struct LogPage {
    NodeId node;
    Seq previous;
    Epoch previous_epoch;  ///< 0: not known any more
    Hash32 previous_chain{};
    std::vector<std::string> entries;  ///< serialized
  };
  void log_read(LogPage page);
  /// True if a snapshot of this epoch, as of entry `applied` with this chain value, brings what this copy lacks; the epoch
  /// is promised then, as by an Append. Nobody who counts lacks what is committed, so who counts never installs (I4, I13).
  /// What is committed here goes only where an operator went on without it (recovered_epoch).
  bool begin_install(Epoch epoch, Seq applied, const Hash32& chain);
  /// True if no write is under way.
  bool is_settled() const { return writing_.empty() && !building_; }
  /// A copy of the state was installed, everything before it here is void.
  void installed(const Recovered& recovered);
  /// The learner has stored a snapshot up to `seq`: go on from there.
  void snapshot_taken(NodeId node, Seq seq);
  void snapshot_failed(NodeId node);

  // ---- at the primary
  /// F6: the entry that opens the epoch, once it may be appended; nothing before, and after.
  std::optional<Appended> take_epoch_start(WallTime now);
  /// True if an entry may be appended now: primary of a large enough set, nothing in flight, not about to leave.
  bool may_append() const;
  /// Log time for an entry appended now: never before the last one's.
  WallTime log_time(WallTime now) const { return std::max(now, last_time_); }
  /// Gives `body` its epoch, sequence and place in the chain. may_append() must be true; `time` from log_time().
  Appended append(log::Entry body, WallTime time);
  /// F8: leaves the lead to a member of the set. False: not now.
  bool hand_off(Epoch epoch, NodeId to);

  /// Nobody else counts: what we know is so.
  bool is_alone() const { return set_ && set_->all().size() == 1; }
  bool has_enough_copies() const { return set_ && set_->large_enough(); }
  /// A number; once barriers_passed() is not below it, every member that counts has said, after this call, that it
  /// knows of no later epoch (2.11).
  std::uint64_t want_barrier();
  std::uint64_t barriers_passed() const;

  // ---- what is to be done
  struct Message {
    NodeId to;
    peer::Replication message;
  };
  struct LogWanted {
    NodeId node;
    Seq from;  ///< at least 1
  };
  struct Ready {
    std::vector<LogWrite> writes;     ///< in order, after those before; durable()
    std::vector<Appended> committed;  ///< in order, each once
    std::vector<Message> messages;
    std::vector<LogWanted> log;     ///< log_read()
    std::vector<NodeId> snapshots;  ///< the log is not enough for this learner
    std::optional<Reconfiguration> reconfiguration;
    std::string trouble;  ///< for the operator: why it is quarantined
  };
  Ready take_ready();

  Role role() const { return role_; }
  bool leads() const { return role_ == Role::candidate || role_ == Role::primary; }
  Epoch epoch() const { return epoch_; }  ///< led, or of the last entry
  Epoch promised() const { return promised_; }
  Seq last_seq() const { return last_seq_; }
  Seq committed() const { return committed_; }
  const Hash32& last_chain() const { return last_chain_; }
  const Member& self() const { return self_; }
  const PartitionRow& row() const { return row_; }  ///< the configuration as last known
  SteadyTime now() const { return now_; }           ///< of the last tick
  bool is_leaving() const { return handoff_to_.has_value(); }
  /// When this epoch's EPOCH_START was appended. Once it is committed: everybody who counts knew of no later epoch then.
  SteadyTime epoch_start_at() const { return epoch_start_at_; }
  SteadyTime in_flight_since() const { return in_flight_since_; }  ///< zero: nothing is
  /// From here on entries are needed for copies that are connected and behind.
  Seq needed_from() const;
  struct Copy {
    NodeId node;
    Seq matched;
    bool in_sync, connected;
  };
  std::vector<Copy> copies() const;  ///< at the primary: of the others

 private:
  struct Place {  ///< of an entry in the history
    Seq seq;
    Epoch epoch;
    Hash32 chain{};
  };
  struct Kept {
    Place place;
    Appended appended;
  };
  enum class Sending : std::uint8_t { log, reading, snapshot };
  struct Follower {
    std::optional<StoreId> store;  ///< at the other end; none: no link
    Seq next;                      ///< to be sent
    Seq matched;                   ///< acknowledged in this epoch
    Sending sending = Sending::log;
    bool under_way = false;  ///< a message that must be answered
    bool greeted = false;    ///< has been asked in this epoch
    SteadyTime sent_at{};
    SteadyTime behind_since{};  ///< since its last progress; zero: it is not behind
    std::uint64_t barrier_ok = 0;
    SteadyTime barrier_at{};  ///< when it was last asked for one
    Seq told_commit;
  };

  // Roles (replica.cc).
  void start_leading(Epoch epoch);
  void step_down();
  void forgive(SteadyTime::duration gap);
  void quarantine(std::string why);
  bool may_give_up() const;
  void promise(Epoch epoch);
  Appended append_any(log::Entry body, WallTime time);
  void keep(Appended appended);
  void advance_commit();
  void commit_to(Seq seq);
  void forget_kept();
  const Kept* kept(Seq seq) const;
  std::optional<Place> place(Seq seq) const;
  void note_epoch(Epoch epoch, Seq seq);
  void write(LogWrite write);
  log::PartitionMeta promise_row() const;

  // The others' copies (replica_lead.cc).
  void make_followers();
  void send_due();
  void send_to(NodeId node, Follower& follower);
  void send_append(NodeId node, Follower& follower, peer::Append append);
  peer::Replication to(const Follower& follower) const;
  void on_ack(const Member& from, const peer::Ack& ack);
  void on_mismatch(const Member& from, const peer::Mismatch& mismatch);
  Seq agreed_at_most(const peer::Mismatch& mismatch) const;
  bool is_of_a_history_given_up(const Member& from, const peer::Mismatch& theirs) const;
  void check_progress();
  bool owes_barrier(const Follower& follower) const {
    return barrier_sent_ >= barrier_first_ && follower.barrier_ok < barrier_sent_;
  }

  // Changes of the set (replica_set.cc).
  void consider_change();
  std::optional<std::vector<Member>> wanted_set() const;
  bool is_lost(const Member& member) const;
  bool may_join(NodeId node, const Follower& follower) const;
  void propose(std::vector<Member> wanted, const std::vector<Member>& before);
  std::uint32_t min_in_sync() const { return options_.mutant == Mutant::in_sync_of_one ? 1 : row_.config.min_isr(); }
  void consider_handoff();
  void settle();

  // As a backup (replica_follow.cc).
  void follow_epoch(Epoch epoch);
  void on_append(const Member& from, Epoch epoch, const peer::Append& append);
  bool take_entries(Epoch epoch, const peer::Append& append);
  std::optional<std::vector<Appended>> new_entries(Epoch epoch, const peer::Append& append);
  void take(Appended appended);
  bool agrees_at(const peer::Append& append);
  void cut_from(Seq seq);
  void answer_mismatch(const Member& from, Seq refused);
  void acknowledge();
  void reply(const Member& from, Epoch epoch, peer::Replication message);

  const PartitionId partition_;
  const Member self_;
  const Options options_;

  Role role_ = Role::backup;
  SteadyTime now_{};
  PartitionRow row_;
  Epoch promised_;

  // The log: what is kept of it in memory is everything after base_.
  Place base_;
  std::deque<Kept> kept_;
  std::size_t kept_bytes_ = 0;
  std::vector<EpochStart> epoch_starts_;
  Seq last_seq_;
  Epoch last_epoch_;
  Hash32 last_chain_;
  WallTime last_time_;
  Seq committed_;

  // Writes under way.
  std::uint64_t next_ticket_ = 1;
  std::uint64_t durable_ticket_ = 0;
  std::uint64_t promise_ticket_ = 0;  ///< of the newest promise
  std::deque<std::pair<std::uint64_t, Seq>> writing_;
  Seq durable_seq_;
  std::optional<LogWrite> building_;  ///< of this turn

  // While leading.
  Epoch epoch_;
  Seq epoch_first_;  ///< LESO
  std::optional<InSyncSet> set_;
  std::map<NodeId, Follower> followers_;
  std::map<NodeId, Epoch> reads_;  ///< of the log that are under way, and the epoch in which they were asked for
  bool in_flight_ = false;         ///< last_seq_ is appended and not committed
  bool epoch_started_ = false;     ///< EPOCH_START is appended, at:
  SteadyTime epoch_start_at_{};
  SteadyTime in_flight_since_{};
  struct Change {
    std::vector<Member> wanted;
    std::uint64_t compared;
    bool unknown = false;
  };
  std::optional<Change> change_;  ///< sent to the store, not settled
  SteadyTime next_change_{};      ///< after a refusal
  std::optional<NodeId> handoff_to_;
  SteadyTime handoff_until_{};
  std::uint64_t barrier_wanted_ = 0, barrier_sent_ = 0;
  std::uint64_t barrier_first_ = 1;  ///< of this epoch

  // While following.
  std::optional<Member> primary_;
  Seq verified_;  ///< our log is the same as the primary's up to here, in the promised epoch
  Seq primary_committed_;
  bool ack_due_ = false;

  std::map<NodeId, StoreId> links_;
  std::map<NodeId, bool> gone_;
  std::set<NodeId> held_back_;
  Ready ready_;
};

/// The member that a configuration names.
Member member_of(const log::PartitionConfig::Store& store);
std::vector<Member> in_sync_of(const log::PartitionConfig& config);

}  // namespace holdfast::failover

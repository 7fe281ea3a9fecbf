/// A partition where it is served: its queue of commands, the entry under construction, its rows in memory, its
/// subscribers' feeds and its users' connections. The heart of the server.
///
/// Lives for one epoch at its primary; made and owned by Copy, which hands on what comes in and what is to be done.
/// Sans-IO: inputs are calls, work() works them off, outputs are taken with take_ready() and carried out by the owner of the Copy (Worker, or a
/// test that runs a whole node in one thread). Thread: one worker, always the same.
///
/// The life of a command: submit() -> decided together with what else is waiting, into one entry -> the entry is in the
/// log (durable()) and committed -> its rows are visible, its answer, effects and events go out. A command that needs rows
/// that are not in memory steps aside until they are loaded, and with it those that must keep its order. One entry is in
/// flight; everything that arrives meanwhile shares the next one: that is the batching. What is decided without writing
/// anything is answered when every copy that counts has said that we still lead (2.11).
///
/// Bounds: `waiting_max` commands of clients (beyond: RETRY); subscribers' commands are never refused, their feeds bound
/// them. Row memory: `cache_bytes` and what the state does not have yet; an eighth of it besides for whole ranges. Pages (of
/// history, of lists) are read a few at a time, since a full one costs as much as a hundred messages; the others wait
/// apart, so that a crowd that reads holds up nobody who writes: `pages_waiting_max` of them (beyond: RETRY).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "failover/replica.h"
#include "server/attached.h"
#include "server/bus/feed.h"
#include "server/bus/pace.h"
#include "server/bus/subscriber.h"
#include "server/bus/timers.h"
#include "server/chat/attachment.h"
#include "server/chat/rules.h"
#include "server/last_nodes.h"
#include "storage/range_cache.h"
#include "storage/recent_rows.h"
#include "storage/row_cache.h"

namespace holdfast {

using Answered = std::function<void(command::Answer)>;

/// The epoch is over: to be asked again, of whoever leads then. Nothing is known of what was under way.
command::Answer elsewhere();
/// Asked by somebody who can be told to come again; what others ask is carried out, however late.
bool is_of_client(const command::Command& command);
/// Reads as many rows as a client likes, up to the most that one answer may have.
bool is_page(const command::Command& command);

struct PartitionOptions {
  PartitionId id;
  std::uint16_t partitions = 64;
  std::uint64_t first_position = 1;  ///< of inbox rows that are added
  std::size_t cache_bytes = 4u << 20;
  std::size_t waiting_max = 8192;
  std::size_t page_rows_at_once = 2'048;  ///< that pages under way may bring, by what pages brought lately
  std::size_t pages_waiting_max = 8192;
  std::size_t entry_commands_max = 2048;
  std::size_t entry_bytes_max = 1u << 20;
  std::chrono::milliseconds revocation_wait{800};  ///< a gateway that does not confirm holds its sessions by then
  std::chrono::seconds sweep_interval{5};
  std::size_t timers_running_max = 16;          ///< at the same time
  std::size_t intents_running_max = 16;         ///< and are carried out outside, at the same time
  bus::Pace* pace = nullptr;                    ///< of what is due; outlives the partition; null: as fast as it goes
  std::chrono::milliseconds stuck_after{2000};  ///< without a commit, or a barrier, for so long: RETRY
  Attached::Timing timing{};
  bus::Feed::Bounds feed{};
};

/// Where a subscriber stood when the state was last written; the feed goes on from there.
struct SubscriberAt {
  const bus::Subscriber* subscriber;
  Seq cursor;
};

/// What the epoch begins with.
struct Inherited {
  std::vector<SubscriberAt> subscribers;
  std::vector<std::shared_ptr<const log::Entry>> unapplied;  ///< committed, and not known to be in the state, in order
};

class Partition {
 public:
  /// `replica` is the primary of an epoch, and leads it for as long as this lives.
  Partition(const PartitionOptions& options, const chat::Limits& limits, failover::Replica& replica,
            const Inherited& inherited);
  ~Partition();

  /// The epoch is over. What waits and what is under way is answered elsewhere(); nothing comes in any more.
  std::vector<std::pair<Answered, command::Answer>> close();

  // ---- what comes in
  void submit(command::Command command, Answered then);
  void attach(const chat::Attach& attach);
  void detach(const UserId& user, chat::ConnectionRef connection);
  /// The node of these connections can't be reached: they attach again when it can.
  void detach_node(NodeId node);
  void give_credit(chat::ConnectionRef connection, std::uint64_t bytes) { attached_.give_credit(connection, bytes); }
  void watch_presence(chat::ConnectionRef watcher, const std::vector<UserId>& users);
  void tell(const chat::TellUsers& tell) { attached_.tell(tell); }
  void tick(SteadyTime steady, WallTime wall);

  /// Why writes are refused, or held back, for now.
  enum class Pressure : std::uint8_t { none, lagging, storage_full };
  void set_pressure(Pressure pressure) { pressure_ = pressure; }

  /// For a backup: nothing new is decided until let_go(), or until then; what is in flight is finished. Reads go on.
  void hold(SteadyTime until) { held_until_ = until; }
  void let_go() { held_until_.reset(); }
  bool is_held() const { return held_until_.has_value(); }
  /// Held, and nothing is in flight any more.
  bool is_at_rest() const { return is_held() && !flight_; }

  // ---- answers to what was asked for
  /// The replica says that this entry is committed: the next one in order.
  void committed(const failover::Appended& entry);
  void applied(Seq seq) {
    rows_.applied(seq);
    recent_.applied(seq);
  }
  void row_loaded(const std::string& key, std::optional<std::string_view> value);
  void range_loaded(std::uint64_t ticket, std::vector<Row> rows);
  void log_read(std::size_t subscriber, std::vector<std::shared_ptr<const log::Entry>> entries);
  /// A command of ours was answered by its target.
  void command_done(std::size_t subscriber, Seq seq, std::uint32_t event);

  // ---- what is to be done
  struct RangeWanted {
    std::uint64_t ticket;
    Seq applied;  ///< once the state has this
    Range range;
  };
  struct ToSend {
    PartitionId target;
    command::Command command;
    std::size_t subscriber;
    Seq seq;
    std::uint32_t event;
  };
  struct LogWanted {
    std::size_t subscriber;
    Seq from;
  };
  struct Ready {
    std::vector<std::pair<Answered, command::Answer>> answers;
    std::vector<chat::Delivery> deliveries;  ///< to gateways
    std::vector<ToSend> commands;            ///< to partitions; command_done() when answered
    std::vector<chat::TellUsers> tells;      ///< to partitions of these users
    std::vector<chat::BeginIntent> intents;  ///< to be done outside; IntentDone when that has ended
    std::vector<std::string> rows;           ///< row_loaded()
    std::vector<RangeWanted> ranges;         ///< range_loaded()
    std::vector<LogWanted> log;              ///< log_read()
  };
  /// Works off what has come in: after inputs, and again while has_passed(). What comes of it is then taken.
  void work(WallTime now);
  Ready take_ready();
  /// A barrier has passed that something waits for.
  bool has_passed() const { return !unbarred_.empty() && unbarred_.front().barrier <= replica_.barriers_passed(); }

  /// Below this the log is no longer needed by any subscriber, whatever a crash takes.
  Seq slowest_cursor() const;
  bool idle() const;  ///< nothing is waiting, in flight or on its way

  struct Figures {
    std::uint64_t commands = 0, entries = 0, loads = 0, reruns = 0, refused = 0;
    std::size_t waiting = 0, cached_bytes = 0, connections = 0;  ///< at present
    Figures& operator+=(const Figures& other);
  };
  Figures figures() const;

 private:
  struct Needs;
  struct Pending;
  struct Flight;
  struct Follower;
  struct Attaching;
  class RowView;
  class EntryView;
  using PendingPtr = std::unique_ptr<Pending>;

  // Deciding (partition.cc).
  bool build_entry(WallTime now);
  bool decide_into(Flight& flight, EntryView& view, const chat::Context& context, PendingPtr& pending);
  bool run_solo(Flight& flight, EntryView& view, const chat::Context& context);
  void run_reads(WallTime now);
  void start_pages();
  void page_read(const Needs& needs);
  std::deque<PendingPtr>* chain_of(Pending& pending);
  void set_aside(PendingPtr pending);
  void release(Pending* pending);
  void refuse_client_writes(v1::ErrorCode code, const std::string& why, std::chrono::milliseconds retry);
  void launch(Flight flight, WallTime time);
  void show_writes(const std::shared_ptr<const log::Entry>& entry);
  void sweep();

  // What follows from a decision (partition_effects.cc).
  void release_decided(Flight& flight);
  void hold_for_barrier(Flight flight);
  void release_passed();
  void give_up_stuck();
  void carry_out(chat::Effect effect, const std::string& session, std::vector<chat::ConnectionRef>& ended);
  void tell_members(const chat::TellMembers& tell);
  void answer(Answered then, command::Answer answer, std::vector<chat::ConnectionRef> ended, SteadyTime not_before);
  void finish_attach(chat::ConnectionRef connection);
  void finish_attached(const chat::Attach& attach, std::uint64_t head,
                       const std::optional<state::CurrentIncident>& incident,
                       const std::optional<state::Account>& account);
  void note_last_nodes();
  void release_held();
  void read_page(const Attached::Page& page);

  // The bus (partition_bus.cc).
  void write_cursors(log::Entry& entry);
  void run_followers();
  void follow(std::size_t index);
  void run_timers();

  // Rows that are not in memory (partition_rows.cc).
  void want(Needs& needs);
  void let_go(Needs& needs);
  void want_range(const Range& range, std::function<void(std::vector<Row>)> then);

  const PartitionOptions options_;
  const chat::Limits& limits_;

  failover::Replica& replica_;
  RowCache rows_;
  RecentRows recent_;
  RangeCache ranges_;
  bus::Timers intents_;  ///< whose end may be long in coming
  bus::Timers timers_;   ///< all others
  Attached attached_;
  LastNodes last_nodes_;
  std::map<chat::ConnectionRef, std::unique_ptr<Attaching>> attaching_;
  std::vector<std::unique_ptr<Follower>> followers_;
  Pressure pressure_ = Pressure::none;
  std::optional<SteadyTime> held_until_;  ///< hold()
  SteadyTime steady_now_{};
  WallTime wall_now_{};
  const SteadyTime opened_at_;
  SteadyTime next_sweep_{};
  struct Sweeping {
    command::Sweep next;
    bool under_way = false;
  };
  std::shared_ptr<Sweeping> sweeping_;  ///< the answer's too: it may come when this partition is closed and gone

  std::deque<PendingPtr> writes_waiting_;
  std::deque<PendingPtr> reads_waiting_;
  std::deque<PendingPtr> pages_waiting_;  ///< for their turn to be read
  std::size_t pages_under_way_ = 0;
  std::size_t usual_page_rows_ = kPageRowsAtFirst;  ///< that pages brought lately
  static constexpr std::size_t kPageRowsAtFirst = 500, kPageRowsLeast = 64;
  std::unordered_map<std::string, std::deque<PendingPtr>> chains_;  ///< order key -> who waits behind the one set aside
  std::unordered_map<Pending*, PendingPtr> aside_;                  ///< waiting for rows
  PendingPtr solo_;                                                 ///< while it is here nothing else is decided
  std::unordered_map<std::string, std::vector<Needs*>> row_waiters_;
  std::unordered_map<std::uint64_t, std::function<void(std::vector<Row>)>> range_waiters_;
  std::uint64_t next_ticket_ = 1;
  std::size_t client_commands_ = 0;  ///< waiting, for the bound

  std::unique_ptr<Flight> flight_;  ///< the entry that is being made durable
  struct Unbarred {                 ///< decided without writing: waits for a barrier
    std::uint64_t barrier;
    SteadyTime since;
    std::unique_ptr<Flight> decided;
  };
  std::deque<Unbarred> unbarred_;
  struct Held {  ///< an answer that waits for gateways to confirm
    std::vector<chat::ConnectionRef> connections;
    SteadyTime not_before;
    SteadyTime until;
    Answered then;
    command::Answer answer;
  };
  std::vector<Held> held_;

  Ready ready_;
  Figures figures_;
};

}  // namespace holdfast

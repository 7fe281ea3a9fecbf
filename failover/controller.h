/// One node's part in keeping the cluster whole: it registers, watches the others, tells the replicas what the
/// configuration store says, carries their changes there, and coordinates when it is this node's turn.
///
/// Sans-IO; owned by the cluster thread, all calls on it. Tick it every 20 ms or so; after each call take_ready() and do
/// what it says, in the order of its fields. Deterministic: the same calls give the same outputs.
/// Suspicion may be wrong, promotion may not be unsafe: everything that matters is a compare-and-swap of part/<p>.
/// Never fails; what it can't make sense of becomes a happening and changes nothing (fails closed).
///
/// Inside: Detector (who is alive), Coordinator (who leads what), Balancer (copies and evenness), Registration (own
/// rows), CasQueue (changes under way), ClusterView (what the store says).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "failover/balancer.h"
#include "failover/cas_queue.h"
#include "failover/cluster_view.h"
#include "failover/coordinator.h"
#include "failover/detector.h"
#include "failover/flap_limits.h"
#include "failover/happenings.h"
#include "failover/reconfiguration.h"
#include "failover/registration.h"

namespace holdfast::failover {

struct ControllerOptions {
  Registration::Options node;
  Detector::Options detector;
  Coordinator::Options coordinator;
  Balancer::Options balancer;
  FlapLimits::Options flaps;
  CasQueue::Options queue;
  std::chrono::milliseconds beat{100};
  std::chrono::milliseconds list_unsettled{200};  ///< between listings while anything is under way
  std::chrono::milliseconds list_settled{1000};
  std::size_t happenings_max = 1000;
  std::uint64_t seed = 0;  ///< of the nonces: random in a real node
  StoreFloor floor{};      ///< what earlier lives of this node saw of the store: nothing older is believed
};

struct Addressed {
  NodeId to;
  peer::Frame frame;
};
struct Configured {
  PartitionId partition;
  PartitionRow row;
};
struct Reconfigured {
  PartitionId partition;
  std::uint64_t compared;  ///< the revision that it was asked for against
  Outcome outcome;         ///< after `unknown` comes another
};
/// To the replica of a partition that this node leads: give it to `to` if it can.
struct Handoff {
  PartitionId partition;
  Epoch epoch;
  NodeId to;
};

struct Ready {
  std::vector<Submission> transactions;  ///< ConfigStore::transact, then transaction_done(); any number at once
  bool list = false;                     ///< ConfigStore::list(""), then listed() or list_failed(); never two at once
  std::vector<Addressed> frames;
  std::optional<std::map<NodeId, std::string>> peers;  ///< whom to dial at which peer address, when that changed
  std::vector<Configured> configured;                  ///< every part row that changed
  std::vector<Reconfigured> reconfigured;              ///< answers to reconfigure(); after `configured`
  std::vector<NodeId> gone;                            ///< dead on the evidence that promotes: shrink at once
  std::vector<NodeId> back;                            ///< heard again after that
  std::optional<std::set<NodeId>>
      held_back;  ///< when it changed: nodes that flap or are slow: grow by them only at min_isr (F6a)
  std::vector<Handoff> handoffs;
};

class Controller {
 public:
  explicit Controller(ControllerOptions options);

  /// From the store. `now` of all calls never goes back.
  void listed(const ConfigRows& rows, SteadyTime now);
  void list_failed(SteadyTime now);
  /// Errc::retry_later of the store is `refused`: nothing was written.
  void transaction_done(std::uint64_t ticket, Outcome outcome, SteadyTime now);
  /// Something may have changed in the store: list soon.
  void hint(SteadyTime now);

  /// From the peer links: a link stands in both directions; the one that we dialled is gone.
  void link_up(NodeId node, BootId boot, SteadyTime now);
  void link_down(NodeId node, LinkDown how, SteadyTime now);
  /// Beat, BeatAck, Seen or Handoff; others only say that the node is alive.
  void received(NodeId from, const peer::Frame& frame, SteadyTime now);

  /// Beats go out, and are answered, only while `works`: all workers turned lately, and no sync hangs.
  void own_health(peer::Beat::Health health, std::uint32_t sessions, std::uint32_t primaries, bool works = true);
  /// Partitions whose copy here is quarantined. Others learn of a new one at once.
  void own_quarantined(const std::set<PartitionId>& partitions);
  /// Of a replica of ours. Answered by `reconfigured`; one at a time for each partition.
  void reconfigure(const Reconfiguration& wanted);
  void tick(SteadyTime now, WallTime wall);

  /// An operator's. Ok: it is under way; happenings say when it was done. Otherwise nothing changes.
  Status move(PartitionId partition, NodeId to);
  Status drain(NodeId node);
  Status undrain(NodeId node);
  Status rebalance();
  Status remove(NodeId node);
  /// An operator's last resort: goes on with one node's copy alone, in an epoch above `above`, when too many of those who
  /// had everything that was acknowledged are gone. What only they had is lost. Stores that are left out never count again
  /// under their ids. Refused where enough of the in-sync set is there and sound, and for a copy that is quarantined.
  struct Recovery {
    PartitionId partition;
    NodeId to;
    Epoch above;  ///< the highest that is promised anywhere, as far as is known
    Seq last;     ///< of that copy, for the history
  };
  Status unsafe_recover(const Recovery& recovery);

  Ready take_ready();

  const ClusterView& view() const { return view_; }
  const Detector& detector() const { return detector_; }
  const Happenings& happenings() const { return happenings_; }
  /// Our own node row stands.
  bool registered() const { return registration_.registered(); }
  bool coordinates() const { return coordinator_.leads(view_); }
  /// The link between us and a living member is cut, or was a moment ago, and it is for us to stand aside: we should lead
  /// nothing, and our clients should go elsewhere, since half of what they ask for can't be reached from here.
  bool stands_aside() const { return now_ < aside_until_; }
  /// Empty, or why the coordinator does nothing.
  std::string safe_mode() const { return coordinator_.safe_mode(situation()); }

 private:
  Situation situation() const { return {view_, detector_, flaps_, queue_, now_}; }
  void begin(SteadyTime now);
  void react();
  void judge();
  void take_verdict(const Verdict& verdict);
  void decide();
  void beat();
  void tell(const peer::Frame& frame);
  void tell_opinions();
  void hand_off(NodeId from, const Handoff& handoff);
  void take_settled();
  void turn_away(const Reconfiguration& wanted);
  void update_peers();
  void want_listing();
  bool unsettled() const;

  // What happened, for people (controller_history.cc).
  void happened(Happening::Kind kind, NodeId node, std::string text, std::uint32_t partitions = 0,
                std::chrono::milliseconds took = {});
  void note_partitions(const std::vector<PartitionId>& changed);
  void note_members(const std::map<NodeId, MemberEntry>& before);
  void note_coordinator(const std::optional<CoordinatorEntry>& before);
  void note_registration(bool before);
  void note_quarantined();
  bool died_lately(NodeId node) const;

  // Operators' requests (controller_operator.cc).
  Status set_draining(NodeId node, bool draining);
  Status known_member(NodeId node) const;

  const ControllerOptions options_;
  const Self self_;
  SteadyTime now_{};
  SteadyTime wall_at_{};
  WallTime wall_{};

  ClusterView view_;
  Detector detector_;
  FlapLimits flaps_;
  CasQueue queue_;
  Coordinator coordinator_;
  Balancer balancer_;
  Registration registration_;
  Happenings happenings_;

  bool list_ok_ = false;  ///< the last listing came
  bool list_under_way_ = false;
  bool hinted_ = true;
  SteadyTime next_list_{};
  SteadyTime next_beat_{};
  std::uint64_t beat_number_ = 0;
  peer::Beat::Health health_ = peer::Beat::OK;
  std::uint32_t sessions_ = 0;
  std::uint32_t primaries_ = 0;
  bool works_ = true;

  std::map<PartitionId, PartitionRow> told_;                        ///< what `configured` said last
  std::set<PartitionId> asked_by_replica_;                          ///< whose change in the queue a replica asked for
  std::vector<std::pair<PartitionId, std::uint64_t>> turned_away_;  ///< to be answered `refused` after the next listing
  std::set<NodeId> gone_;                                           ///< told, and not `back`
  std::map<NodeId, SteadyTime> dead_since_;
  std::set<NodeId> held_back_;
  std::map<NodeId, std::set<PartitionId>> quarantined_;  ///< told
  SteadyTime aside_until_{};
  std::string safe_mode_told_;
  std::string problem_told_;
  std::map<NodeId, std::string> peers_;
  Ready ready_;
};

}  // namespace holdfast::failover

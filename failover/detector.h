/// Which of the other nodes are alive, and on which evidence (section 3).
///
/// Sans-IO; owned by Controller. Thread: the cluster thread; advance() comes before each other call, and at least every
/// 20 ms. Never fails. A verdict may be wrong: whatever it leads to is a compare-and-swap.
///
/// A node is dead when
///   refused  its process is gone: connections to its kernel are refused, or a new process answers, as seen by two
///            observers, or by all that are left if that is one. A kernel's word counts also from who is late.
///   silent   nothing came from it for 1.5 to 2.5 s (by how regular its beats were), and a majority of the others say so
///            too; with one other only, its lease must be gone as well.
///   lease    its row is gone and nothing comes from it.
/// Who was late itself accuses nobody of silence for a while, and waits longer (Lifeguard): time in which we did not run
/// is no silence of others.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "failover/cluster_view.h"
#include "failover/link_down.h"
#include "proto/peer.pb.h"

namespace holdfast::failover {

enum class Life : std::uint8_t { unknown, alive, suspect, dead };
enum class Evidence : std::uint8_t { none, refused, restarted, silent, lease };
const char* name_of(Evidence evidence);

struct Verdict {
  NodeId node;
  Life life;
  Evidence evidence;
  std::string text;                 ///< for people: who saw what
  std::chrono::milliseconds after;  ///< since the node was last heard
};

class Detector {
 public:
  struct Options {
    std::chrono::milliseconds suspect_after{300};
    std::chrono::milliseconds silence_floor{1500};
    std::chrono::milliseconds silence_cap{2500};
    std::chrono::milliseconds opinion_life{1000};  ///< of what another node said; it says so again with each beat
    std::chrono::milliseconds apart_after{1000};   ///< not heard by us, but by others: their link to us is cut
    std::chrono::milliseconds late_after{150};     ///< between two turns of ours
    std::chrono::milliseconds late_for{1000};      ///< how long we accuse nobody then
  };
  Detector(NodeId self, Options options) : self_(self), options_(options) {}

  /// A turn of ours begins.
  void advance(SteadyTime now);
  void set_cluster(const ClusterView& view);
  void link_up(NodeId node, BootId boot);
  void link_down(NodeId node, LinkDown how);
  /// A frame came from it.
  void heard(NodeId node);
  void beat(NodeId node, const peer::Beat& beat);
  void seen(NodeId observer, const peer::Seen& seen);
  /// Looks at everybody again. The verdicts are what changed since.
  std::vector<Verdict> judge();

  Life life(NodeId node) const;
  bool dead(NodeId node) const { return life(node) == Life::dead; }
  /// The latest life of the node that we know of.
  std::optional<BootId> boot_of(NodeId node) const;
  /// Frames of it come here, or to another node that says so.
  bool heard_by_anybody(NodeId node) const;
  /// A living member that we don't hear while everybody whom we hear does, if it is us who should stand aside: it has the
  /// lower number, or we don't hear others either. Of two who don't hear each other this names at most one, unless both
  /// miss more.
  std::optional<NodeId> stands_aside_for() const;
  bool late() const { return now_ < late_until_; }
  int patience() const { return patience_; }  ///< what our time-outs are multiplied with
  std::optional<peer::Beat::Health> health_of(NodeId node) const;
  /// Partitions of which the node's copy takes no part any more, as its last beat of this life says. Ours: own_quarantined().
  const std::set<PartitionId>& quarantined_of(NodeId node) const;
  bool quarantined(NodeId node, PartitionId partition) const { return quarantined_of(node).contains(partition); }
  std::optional<std::chrono::milliseconds> clock_offset_of(NodeId node) const;
  /// Whether our wall clock is within `most` of at least half of those who are heard; nothing: fewer than two are.
  std::optional<bool> own_clock_agrees(std::chrono::milliseconds most) const;
  void own_wall(WallTime wall) { wall_ = wall; }
  void own_health(peer::Beat::Health health) { own_health_ = health; }
  void own_quarantined(std::set<PartitionId> partitions) { own_quarantined_ = std::move(partitions); }

  std::vector<NodeId> hears() const;
  /// What we have to say about others; to be sent with each beat, and at once when a connection is refused.
  std::vector<peer::Seen> opinions() const;

 private:
  struct Opinion {
    peer::Seen::What what;
    std::string boot;
    SteadyTime at;
  };
  struct Peer {
    std::optional<BootId> boot;
    SteadyTime boot_since{};
    std::set<BootId> past_boots;
    std::optional<BootId> registered_boot;  ///< whom its row named last
    bool registered = false;
    bool was_registered = false;
    bool member = false;
    bool refused = false;  ///< the last connection of ours was, in this life
    bool ever_heard = false;
    SteadyTime last_heard{};  ///< or, before that, when we first knew of it
    std::optional<SteadyTime> last_beat;
    std::deque<std::chrono::milliseconds> intervals;  ///< between beats, the latest
    std::map<NodeId, Opinion> opinions;               ///< of others about it
    std::map<NodeId, SteadyTime> heard_by;            ///< others whose beats name it
    peer::Beat::Health health = peer::Beat::OK;
    std::set<PartitionId> quarantined;
    std::optional<std::chrono::milliseconds> clock_offset;
    std::optional<std::pair<BootId, SteadyTime>> restarted;  ///< the life before this one; told to others for a while
    Life life = Life::unknown;
    Evidence evidence = Evidence::none;
    std::string text;
  };

  Peer& peer(NodeId node);
  void take_registered(NodeId node, Peer& peer, BootId boot);
  void new_life(NodeId node, Peer& peer, BootId boot);
  std::chrono::milliseconds silence(const Peer& peer) const;
  std::chrono::milliseconds silence_limit(const Peer& peer) const;
  bool fresh(SteadyTime at) const { return at + options_.opinion_life >= now_; }
  std::vector<NodeId> observers_gone(const Peer& peer) const;
  std::vector<NodeId> observers_silent(const Peer& peer) const;
  std::size_t others_alive(NodeId accused) const;
  std::size_t others(NodeId accused) const;
  bool heard_by_all(const std::vector<NodeId>& observers, const Peer& peer) const;
  std::pair<Life, Evidence> judge(NodeId node, const Peer& peer, std::string& text) const;

  const NodeId self_;
  const Options options_;
  SteadyTime now_{};
  WallTime wall_{};
  bool started_ = false;
  SteadyTime late_until_{};
  SteadyTime calmer_at_{};
  int patience_ = 1;
  bool self_member_ = false;
  peer::Beat::Health own_health_ = peer::Beat::OK;
  std::set<PartitionId> own_quarantined_;
  std::map<NodeId, Peer> peers_;
  std::vector<Verdict> restarts_;  ///< to be told by the next judge()
};

}  // namespace holdfast::failover

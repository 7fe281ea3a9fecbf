#include "failover/detector.h"

#include <algorithm>
#include <cmath>

namespace holdfast::failover {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kIntervals = 50;
constexpr int kPatienceMax = 8;
constexpr milliseconds kCalmAfter{2000};  ///< our patience halves after so long without a late turn
constexpr milliseconds kLeaseMax{5000};   ///< no lease outlives its process by so long, but where etcd's leader changes
constexpr milliseconds kNeverHeard{1000};  ///< how long links may take to come up before an unregistered node is dead

milliseconds whole_ms(SteadyTime::duration d) { return std::chrono::duration_cast<milliseconds>(d); }

std::string names(const std::vector<NodeId>& nodes) {
  std::string text;
  for (const NodeId node : nodes) text += (text.empty() ? "" : ", ") + std::to_string(node.value);
  return text;
}

}  // namespace

const char* name_of(Evidence evidence) {
  switch (evidence) {
    case Evidence::none: return "none";
    case Evidence::refused: return "refused";
    case Evidence::restarted: return "restarted";
    case Evidence::silent: return "silent";
    case Evidence::lease: return "lease";
  }
  return "none";
}

void Detector::advance(SteadyTime now) {
  const auto gap = now - now_;
  if (started_ && gap > options_.late_after) {
    late_until_ = now + options_.late_for;
    patience_ = std::min(patience_ * 2, kPatienceMax);
    calmer_at_ = now + kCalmAfter;
    for (auto& [node, peer] : peers_) {
      peer.last_heard += gap;
      if (peer.last_beat) *peer.last_beat += gap;
      for (auto& [observer, opinion] : peer.opinions) opinion.at += gap;
      for (auto& [observer, at] : peer.heard_by) at += gap;
    }
  } else if (patience_ > 1 && now >= calmer_at_) {
    patience_ /= 2;
    calmer_at_ = now + kCalmAfter;
  }
  started_ = true;
  now_ = std::max(now, now_);
}

Detector::Peer& Detector::peer(NodeId node) {
  const auto [it, added] = peers_.try_emplace(node);
  if (added) it->second.last_heard = now_;
  return it->second;
}

void Detector::set_cluster(const ClusterView& view) {
  self_member_ = view.members().contains(self_);
  for (const auto& [node, entry] : view.members())
    if (node != self_) peer(node);
  for (const auto& [node, entry] : view.nodes())
    if (node != self_) peer(node);
  for (auto& [node, known] : peers_) {
    const NodeEntry* row = view.node(node);
    known.member = view.members().contains(node);
    known.registered = row != nullptr;
    if (row == nullptr) continue;
    known.was_registered = true;
    take_registered(node, known, row->boot);
  }
}

/// Boot ids say nothing of their order, and a connection of a process that ended soon may be heard of after its
/// successor's. Rows do: a life that registers is later than all that did before. And one that never gets to it, while the
/// row of another outlives every lease, was the earlier one.
void Detector::take_registered(NodeId node, Peer& known, BootId boot) {
  const bool fresh = known.registered_boot != boot;
  known.registered_boot = boot;
  if (known.boot == boot) return;
  if (!known.past_boots.contains(boot)) return new_life(node, known, boot);
  if (!fresh && now_ - known.boot_since < kLeaseMax) return;
  known.past_boots.erase(boot);
  known.past_boots.insert(*known.boot);
  known.boot = boot;
  known.boot_since = now_;
}

void Detector::new_life(NodeId node, Peer& known, BootId boot) {
  if (known.boot) {
    known.past_boots.insert(*known.boot);
    known.restarted = std::pair(*known.boot, now_);
    restarts_.push_back(
        {node, Life::alive, Evidence::restarted, "a new process answers for it", whole_ms(now_ - known.last_heard)});
  }
  known.boot = boot;
  known.boot_since = now_;
  known.refused = false;
  known.opinions.clear();
  known.last_heard = now_;
  known.intervals.clear();
  known.last_beat.reset();
  known.quarantined.clear();                                 // what it finds of its disk it finds anew
  if (known.life == Life::dead) known.life = Life::suspect;  // judged anew; alive once heard
}

void Detector::link_up(NodeId node, BootId boot) {
  Peer& known = peer(node);
  if (known.past_boots.contains(boot)) return;
  if (known.boot != boot) new_life(node, known, boot);
  known.refused = false;
  known.ever_heard = true;
  known.last_heard = now_;
}

void Detector::link_down(NodeId node, LinkDown how) {
  Peer& known = peer(node);
  if (how == LinkDown::refused && known.ever_heard) known.refused = true;
}

void Detector::heard(NodeId node) {
  Peer& known = peer(node);
  if (known.refused) return;  // what was still on its way when its process ended
  known.ever_heard = true;
  known.last_heard = now_;
}

void Detector::beat(NodeId node, const peer::Beat& beat) {
  heard(node);
  Peer& known = peer(node);
  if (known.last_beat) {
    known.intervals.push_back(whole_ms(now_ - *known.last_beat));
    if (known.intervals.size() > kIntervals) known.intervals.pop_front();
  }
  known.last_beat = now_;
  known.health = beat.health();
  known.quarantined.clear();
  for (const std::uint32_t partition : beat.quarantined())
    known.quarantined.insert(PartitionId(static_cast<std::uint16_t>(partition)));
  known.clock_offset = milliseconds(beat.time_ms() - to_ms(wall_));
  for (const std::uint32_t other : beat.hears()) {
    const auto about = peers_.find(NodeId(other));
    if (about == peers_.end()) continue;
    about->second.heard_by[node] = now_;
    const auto opinion = about->second.opinions.find(node);
    if (opinion != about->second.opinions.end() && opinion->second.what == peer::Seen::SILENT)
      about->second.opinions.erase(opinion);
  }
}

void Detector::seen(NodeId observer, const peer::Seen& seen) {
  const NodeId node(seen.node());
  if (node == self_ || node == observer) return;
  Peer& known = peer(node);
  if (seen.what() == peer::Seen::ALIVE) {
    known.opinions.erase(observer);
    known.heard_by[observer] = now_;
    return;
  }
  known.opinions[observer] = Opinion{seen.what(), seen.boot_id(), now_};
  if (seen.what() == peer::Seen::SILENT) known.heard_by.erase(observer);
}

milliseconds Detector::silence(const Peer& known) const { return whole_ms(now_ - known.last_heard); }

/// phi >= 8 of normally distributed intervals is about six deviations above the mean; within a floor and a cap.
milliseconds Detector::silence_limit(const Peer& known) const {
  double mean = 100, variance = 0;
  if (!known.intervals.empty()) {
    const auto count = static_cast<double>(known.intervals.size());
    double sum = 0;
    for (const auto interval : known.intervals) sum += static_cast<double>(interval.count());
    mean = sum / count;
    for (const auto interval : known.intervals) variance += std::pow(static_cast<double>(interval.count()) - mean, 2);
    variance /= count;
  }
  const milliseconds limit(static_cast<std::int64_t>(mean + 6 * std::sqrt(variance)));
  return std::clamp(limit, options_.silence_floor, options_.silence_cap) * patience_;
}

std::vector<NodeId> Detector::observers_gone(const Peer& known) const {
  std::vector<NodeId> observers;
  if (known.refused) observers.push_back(self_);
  for (const auto& [observer, opinion] : known.opinions) {
    const bool gone = opinion.what == peer::Seen::REFUSED || opinion.what == peer::Seen::RESTARTED;
    const bool this_life = known.boot && known.boot->bytes() == opinion.boot;
    if (gone && this_life && fresh(opinion.at)) observers.push_back(observer);
  }
  return observers;
}

std::vector<NodeId> Detector::observers_silent(const Peer& known) const {
  std::vector<NodeId> observers;
  if (!late()) observers.push_back(self_);
  for (const auto& [observer, opinion] : known.opinions) {
    const auto by = peers_.find(observer);
    const bool trusted = by != peers_.end() && by->second.member && by->second.health != peer::Beat::LATE;
    if (trusted && fresh(opinion.at)) observers.push_back(observer);
  }
  return observers;
}

std::size_t Detector::others_alive(NodeId accused) const {
  std::size_t count = 1;
  for (const auto& [node, known] : peers_) {
    const bool gone = known.refused || known.life == Life::dead || known.life == Life::unknown;
    if (node != accused && known.member && !gone && silence(known) < options_.suspect_after) ++count;
  }
  return count;
}

std::size_t Detector::others(NodeId accused) const {
  std::size_t count = self_member_ ? 1 : 0;
  for (const auto& [node, known] : peers_)
    if (node != accused && known.member) ++count;
  return count;
}

std::pair<Life, Evidence> Detector::judge(NodeId node, const Peer& known, std::string& text) const {
  const auto gone = observers_gone(known);
  const auto silent_for = silence(known);
  const bool silent = silent_for >= options_.suspect_after * patience_;
  if (known.life == Life::dead && known.evidence == Evidence::refused && known.refused)
    return {Life::dead, Evidence::refused};
  if (!gone.empty() && gone.size() >= std::min<std::size_t>(2, others_alive(node))) {
    text = "its process is gone, seen by " + names(gone);
    return {Life::dead, Evidence::refused};
  }
  if (!known.registered && !late()) {
    const bool over = known.was_registered ? silent : silent_for >= kNeverHeard * patience_;
    if (over) {
      text = "its lease is gone and nothing came for " + std::to_string(silent_for.count()) + " ms";
      return {Life::dead, Evidence::lease};
    }
  }
  if (known.life == Life::dead && silent) return {Life::dead, known.evidence};
  if (silent_for >= silence_limit(known) && !late()) {
    const auto agree = observers_silent(known);
    const std::size_t count = others(node);
    if (count > 1 ? agree.size() * 2 > count : !known.registered) {
      text = "nothing came for " + std::to_string(silent_for.count()) + " ms, as say " + names(agree);
      return {Life::dead, Evidence::silent};
    }
  }
  if (silent || known.refused) {
    text = known.refused ? "connections to it are refused"
                         : "nothing came for " + std::to_string(silent_for.count()) + " ms";
    return {Life::suspect, Evidence::none};
  }
  return {known.ever_heard ? Life::alive : Life::unknown, Evidence::none};
}

std::vector<Verdict> Detector::judge() {
  std::vector<Verdict> verdicts = std::exchange(restarts_, {});
  for (auto& [node, known] : peers_) {
    std::string text;
    const auto [life, evidence] = judge(node, known, text);
    if (life == known.life) continue;
    known.life = life;
    known.evidence = evidence;
    verdicts.push_back({node, life, evidence, text, silence(known)});
  }
  return verdicts;
}

Life Detector::life(NodeId node) const {
  if (node == self_) return Life::alive;
  const auto it = peers_.find(node);
  return it == peers_.end() ? Life::unknown : it->second.life;
}

std::optional<BootId> Detector::boot_of(NodeId node) const {
  const auto it = peers_.find(node);
  return it == peers_.end() ? std::nullopt : it->second.boot;
}

bool Detector::heard_by_anybody(NodeId node) const {
  const auto it = peers_.find(node);
  if (it == peers_.end()) return node == self_;
  const Peer& known = it->second;
  if (known.ever_heard && !known.refused && silence(known) < options_.suspect_after) return true;
  return std::any_of(known.heard_by.begin(), known.heard_by.end(), [&](const auto& by) { return fresh(by.second); });
}

std::optional<peer::Beat::Health> Detector::health_of(NodeId node) const {
  if (node == self_) return own_health_;
  const auto it = peers_.find(node);
  if (it == peers_.end() || !it->second.last_beat) return std::nullopt;
  return it->second.health;
}

const std::set<PartitionId>& Detector::quarantined_of(NodeId node) const {
  static const std::set<PartitionId> kNone;
  if (node == self_) return own_quarantined_;
  const auto it = peers_.find(node);
  return it == peers_.end() ? kNone : it->second.quarantined;
}

std::optional<milliseconds> Detector::clock_offset_of(NodeId node) const {
  const auto it = peers_.find(node);
  return it == peers_.end() ? std::nullopt : it->second.clock_offset;
}

std::optional<bool> Detector::own_clock_agrees(milliseconds most) const {
  std::size_t heard = 0, differ = 0;
  for (const NodeId node : hears()) {
    const auto offset = clock_offset_of(node);
    if (!offset) continue;
    ++heard;
    if (*offset > most || -*offset > most) ++differ;
  }
  if (heard < 2) return std::nullopt;
  return differ * 2 <= heard;
}

std::vector<NodeId> Detector::hears() const {
  std::vector<NodeId> hears;
  for (const auto& [node, known] : peers_)
    if (known.ever_heard && !known.refused && silence(known) < options_.suspect_after) hears.push_back(node);
  return hears;
}

bool Detector::heard_by_all(const std::vector<NodeId>& observers, const Peer& known) const {
  return std::all_of(observers.begin(), observers.end(), [&](NodeId observer) {
    const auto by = known.heard_by.find(observer);
    return by != known.heard_by.end() && by->second + options_.suspect_after >= now_;
  });
}

std::optional<NodeId> Detector::stands_aside_for() const {
  const std::vector<NodeId> observers = hears();
  if (late() || !self_member_ || observers.empty()) return std::nullopt;
  std::vector<NodeId> apart;
  for (const auto& [node, known] : peers_) {
    const bool here = known.member && known.registered && known.ever_heard && !known.refused;
    const bool cut = here && silence(known) >= options_.apart_after * patience_;
    if (cut && heard_by_all(observers, known)) apart.push_back(node);
  }
  if (apart.empty() || (apart.size() == 1 && self_ < apart.front())) return std::nullopt;
  return apart.front();
}

std::vector<peer::Seen> Detector::opinions() const {
  std::vector<peer::Seen> opinions;
  const auto say = [&](NodeId node, peer::Seen::What what, BootId boot, milliseconds silent) {
    peer::Seen seen;
    seen.set_node(node.value);
    seen.set_boot_id(boot.str());
    seen.set_what(what);
    seen.set_silent_ms(static_cast<std::uint32_t>(silent.count()));
    opinions.push_back(std::move(seen));
  };
  for (const auto& [node, known] : peers_) {
    if (!known.boot || !known.member) continue;
    if (known.restarted && fresh(known.restarted->second))
      say(node, peer::Seen::RESTARTED, known.restarted->first, milliseconds{});
    if (known.refused) {
      say(node, peer::Seen::REFUSED, *known.boot, silence(known));
    } else if (!late() && silence(known) >= options_.suspect_after * patience_) {
      say(node, peer::Seen::SILENT, *known.boot, silence(known));
    }
  }
  return opinions;
}

}  // namespace holdfast::failover

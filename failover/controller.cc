#include "failover/controller.h"

#include <algorithm>
#include <utility>

namespace holdfast::failover {
namespace {

using std::chrono::milliseconds;
using Kind = Happening::Kind;

/// A link that comes and goes must not move the lead of partitions to and fro with it.
constexpr std::chrono::seconds kAsideFor{3};

/// The partition of a row part/<p>; the key is one that we made.
std::optional<PartitionId> partition_of_key(const std::string& key) {
  if (!key.starts_with("part/")) return std::nullopt;
  return PartitionId(static_cast<std::uint16_t>(std::stoul(key.substr(5))));
}

}  // namespace

Controller::Controller(ControllerOptions options)
    : options_(std::move(options)),
      self_(options_.node.self),
      view_(options_.floor),
      detector_(self_.node, options_.detector),
      flaps_(options_.flaps),
      queue_(options_.queue, options_.seed),
      coordinator_(self_, options_.coordinator),
      balancer_(options_.balancer),
      registration_(options_.node),
      happenings_(options_.happenings_max) {}

void Controller::begin(SteadyTime now) {
  now_ = std::max(now, now_);
  detector_.advance(now_);
  detector_.own_wall(wall_ + std::chrono::duration_cast<milliseconds>(now_ - wall_at_));
}

void Controller::tick(SteadyTime now, WallTime wall) {
  wall_ = wall;
  wall_at_ = now;
  begin(now);
  if (now_ >= next_beat_) beat();
  react();
}

void Controller::react() {
  judge();
  decide();
  take_settled();
  want_listing();
}

// ---------------------------------------------------------------------------------------------- the store

void Controller::listed(const ConfigRows& rows, SteadyTime now) {
  begin(now);
  list_under_way_ = false;
  const auto members = view_.members();
  const auto coordinator = view_.coordinator();
  const bool registered = registration_.registered();
  const auto taken = view_.take(rows);
  list_ok_ = !taken.refused;
  for (const std::string& problem : taken.problems) happened(Kind::problem, {}, problem);
  if (taken.refused) return react();
  detector_.set_cluster(view_);
  coordinator_.listed(situation());
  registration_.listed(view_);
  note_partitions(taken.partitions);
  note_members(members);
  note_coordinator(coordinator);
  note_registration(registered);
  update_peers();
  for (const PartitionId partition : taken.partitions) {
    told_[partition] = view_.partitions().at(partition);
    ready_.configured.push_back({partition, told_.at(partition)});
  }
  queue_.listed(rows);
  take_settled();
  for (const auto& [partition, compared] : std::exchange(turned_away_, {}))
    ready_.reconfigured.push_back({partition, compared, Outcome::refused});
  react();
}

void Controller::list_failed(SteadyTime now) {
  begin(now);
  list_under_way_ = false;
  if (std::exchange(list_ok_, false)) happened(Kind::problem, {}, "the configuration store can't be listed");
  next_list_ = now_ + options_.list_unsettled;
  react();
}

void Controller::transaction_done(std::uint64_t ticket, Outcome outcome, SteadyTime now) {
  begin(now);
  queue_.done(ticket, outcome);
  react();
}

void Controller::hint(SteadyTime now) {
  begin(now);
  hinted_ = true;
  react();
}

void Controller::want_listing() {
  if (list_under_way_) return;
  const bool soon = list_ok_ && (hinted_ || queue_.wants_listing() || !turned_away_.empty());
  if (unsettled()) next_list_ = std::min(next_list_, now_ + options_.list_unsettled);
  if (!soon && now_ < next_list_) return;
  list_under_way_ = true;
  hinted_ = false;
  queue_.listing_begun();
  next_list_ = now_ + options_.list_settled;
  ready_.list = true;
}

bool Controller::unsettled() const {
  return !list_ok_ || !queue_.idle() || !registered() || balancer_.busy() || coordinator_.anybody_lost(situation());
}

void Controller::take_settled() {
  for (const Settled& settled : queue_.take_settled()) {
    const auto partition = partition_of_key(settled.change.key);
    if (!partition) continue;
    if (asked_by_replica_.contains(*partition)) {
      ready_.reconfigured.push_back({*partition, settled.change.compared, settled.outcome});
      if (settled.outcome != Outcome::unknown) asked_by_replica_.erase(*partition);
    }
  }
}

// ---------------------------------------------------------------------------------------------- peers

void Controller::link_up(NodeId node, BootId boot, SteadyTime now) {
  begin(now);
  detector_.link_up(node, boot);
  tell_opinions();
  react();
}

void Controller::link_down(NodeId node, LinkDown how, SteadyTime now) {
  begin(now);
  detector_.link_down(node, how);
  if (how == LinkDown::refused) tell_opinions();
  react();
}

void Controller::received(NodeId from, const peer::Frame& frame, SteadyTime now) {
  begin(now);
  detector_.heard(from);
  switch (frame.what_case()) {
    case peer::Frame::kBeat: {
      detector_.beat(from, frame.beat());
      if (!works_) break;  // who does no work is not alive, whatever its threads can answer (T11)
      peer::Frame answer;
      answer.mutable_beat_ack()->set_number(frame.beat().number());
      answer.mutable_beat_ack()->set_time_ms(to_ms(wall_));
      ready_.frames.push_back({from, std::move(answer)});
      break;
    }
    case peer::Frame::kSeen:
      detector_.seen(from, frame.seen());
      react();
      break;
    case peer::Frame::kHandoff: {
      const PartitionId partition(static_cast<std::uint16_t>(frame.handoff().partition()));
      ready_.handoffs.push_back({partition, Epoch(frame.handoff().epoch()), NodeId(frame.handoff().to_node())});
      break;
    }
    default: break;
  }
}

void Controller::tell(const peer::Frame& frame) {
  for (const auto& [node, address] : peers_) ready_.frames.push_back({node, frame});
}

void Controller::tell_opinions() {
  for (const peer::Seen& seen : detector_.opinions()) {
    peer::Frame frame;
    *frame.mutable_seen() = seen;
    tell(frame);
  }
}

void Controller::beat() {
  next_beat_ = now_ + options_.beat;
  if (!works_) return;
  peer::Frame frame;
  peer::Beat& beat = *frame.mutable_beat();
  beat.set_number(++beat_number_);
  beat.set_time_ms(to_ms(wall_));
  for (const NodeId node : detector_.hears()) beat.add_hears(node.value);
  beat.set_health(health_ == peer::Beat::OK && detector_.late() ? peer::Beat::LATE : health_);
  beat.set_sessions(sessions_);
  beat.set_primaries(primaries_);
  for (const PartitionId partition : detector_.quarantined_of(self_.node)) beat.add_quarantined(partition.value);
  tell(frame);
  tell_opinions();
}

void Controller::own_health(peer::Beat::Health health, std::uint32_t sessions, std::uint32_t primaries, bool works) {
  health_ = health;
  sessions_ = sessions;
  primaries_ = primaries;
  works_ = works;
  detector_.own_health(health);
}

void Controller::own_quarantined(const std::set<PartitionId>& partitions) {
  if (partitions == detector_.quarantined_of(self_.node)) return;
  detector_.own_quarantined(partitions);
  next_beat_ = {};
}

/// Nodes whose row is gone are dialled at their last address for as long as they are members.
void Controller::update_peers() {
  std::map<NodeId, std::string> peers;
  for (const auto& [node, address] : peers_)
    if (view_.members().contains(node)) peers.emplace(node, address);
  for (const auto& [node, entry] : view_.nodes())
    if (node != self_.node) peers[node] = entry.row.peer_address();
  if (peers == peers_) return;
  peers_ = std::move(peers);
  ready_.peers = peers_;
}

// ---------------------------------------------------------------------------------------------- decisions

void Controller::judge() {
  for (const Verdict& verdict : detector_.judge()) take_verdict(verdict);
  note_quarantined();
  if (detector_.stands_aside_for()) aside_until_ = now_ + kAsideFor;
  auto held_back = flaps_.held_back(now_);
  const std::set<NodeId> flapping = held_back;
  for (const auto& [node, address] : peers_)
    if (detector_.health_of(node) == peer::Beat::SLOW) held_back.insert(node);
  if (held_back == held_back_) return;
  for (const NodeId node : held_back)
    if (!held_back_.contains(node))
      happened(Kind::held_back, node, flapping.contains(node) ? "died too often lately" : "its disk is slow");
  held_back_ = held_back;
  ready_.held_back = held_back;
}

void Controller::take_verdict(const Verdict& verdict) {
  const NodeId node = verdict.node;
  if (verdict.evidence == Evidence::restarted) {
    if (!gone_.contains(node)) flaps_.died(node, now_);
    dead_since_[node] = now_;
    happened(Kind::restarted, node, verdict.text, 0, verdict.after);
    return;
  }
  switch (verdict.life) {
    case Life::suspect: happened(Kind::suspected, node, verdict.text, 0, verdict.after); break;
    case Life::dead:
      happened(Kind::dead, node, std::string(name_of(verdict.evidence)) + ": " + verdict.text, 0, verdict.after);
      dead_since_[node] = now_;
      flaps_.died(node, now_);
      if (gone_.insert(node).second) ready_.gone.push_back(node);
      break;
    case Life::alive:
      flaps_.well_again(node, now_);
      if (gone_.erase(node) == 0) break;
      ready_.back.push_back(node);
      happened(Kind::returned, node, "it is heard again");
      break;
    case Life::unknown: break;
  }
}

void Controller::decide() {
  if (!list_ok_) return;
  const Situation here = situation();
  for (RowChange& change : registration_.wanted(view_, queue_)) queue_.add(std::move(change));
  if (auto change = coordinator_.take_over(here, wall_)) queue_.add(std::move(*change));
  for (RowChange& change : coordinator_.promotions(here)) queue_.add(std::move(change));
  for (RowChange& change : coordinator_.own_new_epochs(here)) queue_.add(std::move(change));
  if (!coordinates()) return;
  const std::string safe_mode = coordinator_.safe_mode(here);
  if (safe_mode != safe_mode_told_ && !safe_mode.empty()) happened(Kind::safe_mode, {}, safe_mode);
  safe_mode_told_ = safe_mode;
  if (!safe_mode.empty()) return;
  if (coordinator_.anybody_lost(here)) balancer_.failed_over(now_);
  auto plan = balancer_.plan(here, coordinator_);
  for (RowChange& change : plan.changes) queue_.add(std::move(change));
  for (const HandoffOrder& order : plan.handoffs) hand_off(order.from, {order.partition, order.epoch, order.to});
  for (const NodeId node : plan.drained)
    happened(Kind::drained, node, "it leads nothing, and others hold what they can");
}

void Controller::hand_off(NodeId from, const Handoff& handoff) {
  if (from == self_.node) {
    ready_.handoffs.push_back(handoff);
    return;
  }
  peer::Frame frame;
  frame.mutable_handoff()->set_partition(handoff.partition.value);
  frame.mutable_handoff()->set_epoch(handoff.epoch.value);
  frame.mutable_handoff()->set_to_node(handoff.to.value);
  ready_.frames.push_back({from, std::move(frame)});
}

void Controller::turn_away(const Reconfiguration& wanted) {
  turned_away_.emplace_back(wanted.partition, wanted.compared_revision);
}

void Controller::reconfigure(const Reconfiguration& wanted) {
  RowChange change;
  change.key = partition_key(wanted.partition);
  change.compared = wanted.compared_revision;
  for (const NodeId node : wanted.must_be_live) {
    const auto& in_sync = wanted.wanted.in_sync();
    const auto store =
        std::find_if(in_sync.begin(), in_sync.end(), [&](const auto& s) { return s.node() == node.value; });
    if (store == in_sync.end() || !view_.live(*store)) return turn_away(wanted);
    change.also.push_back({node_key(node), view_.node(node)->revision});
  }
  change.value = wanted.wanted;
  if (!queue_.add(std::move(change))) return turn_away(wanted);
  asked_by_replica_.insert(wanted.partition);
}

Ready Controller::take_ready() {
  for (Submission& submission : queue_.take_submissions()) ready_.transactions.push_back(std::move(submission));
  return std::exchange(ready_, {});
}

}  // namespace holdfast::failover

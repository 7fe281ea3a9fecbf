/// Replica: changes of the in-sync set, and leaving the lead to another (2.6, F6a, F8).
#include <algorithm>

#include "base/check.h"
#include "failover/replica.h"

namespace holdfast::failover {
namespace {

constexpr std::chrono::milliseconds kAfterRefusal{200};

bool contains(const std::vector<Member>& members, const Member& member) {
  return std::ranges::find(members, member) != members.end();
}

}  // namespace

/// Its disk is not there any more, or there is evidence that it is dead, or it makes no progress.
bool Replica::is_lost(const Member& member) const {
  const auto evidence = gone_.find(member.node);
  if (evidence != gone_.end() && evidence->second) return true;
  const auto at = followers_.find(member.node);
  if (at == followers_.end()) return false;
  const Follower& follower = at->second;
  if (follower.store && *follower.store != member.store && options_.mutant != Mutant::no_store_id) return true;
  return follower.behind_since != SteadyTime{} && now_ - follower.behind_since >= options_.slow;
}

bool Replica::may_join(NodeId node, const Follower& follower) const {
  if (!follower.store || follower.matched == Seq{}) return false;
  const auto evidence = gone_.find(node);
  if (evidence != gone_.end() && evidence->second) return false;
  if (held_back_.contains(node) && set_->stored().size() > set_->min_in_sync()) return false;
  if (options_.mutant == Mutant::learner_counts) return true;
  if (options_.mutant == Mutant::swap_unfilled && role_ == Role::candidate) return true;
  if (options_.mutant == Mutant::no_epoch_start_bound) return follower.matched >= committed_;
  if (role_ == Role::candidate) return follower.matched.value + 1 >= epoch_first_.value;
  return follower.matched >= std::max(committed_, epoch_first_);
}

/// The set as it should be, if that is another than the one in the store.
std::optional<std::vector<Member>> Replica::wanted_set() const {
  const std::vector<Member>& stored = set_->stored();
  std::vector<Member> stay, unwanted, joining;
  const auto& replicas = row_.config.replicas();
  for (const Member& member : stored) {
    if (member != self_ && is_lost(member)) continue;
    const bool placed = member == self_ || std::ranges::find(replicas, member.node.value) != replicas.end();
    (placed ? stay : unwanted).push_back(member);
  }
  for (const auto& [node, follower] : followers_) {
    if (std::ranges::find(replicas, node.value) == replicas.end() || !may_join(node, follower)) continue;
    const Member learner{node, *follower.store};
    if (!contains(stored, learner)) joining.push_back(learner);
  }
  const bool lost = stay.size() + unwanted.size() < stored.size();
  std::vector<Member> wanted = stay;
  // A copy that is not wanted here any more leaves when those that are wanted suffice.
  if (stay.size() < std::max<std::size_t>(set_->min_in_sync(), static_cast<std::size_t>(replicas.size())))
    wanted.insert(wanted.end(), unwanted.begin(), unwanted.end());
  // A candidate swaps in whom it needs to open, and adds nobody else (F6a, T3).
  if (role_ == Role::primary || (lost && wanted.size() < set_->min_in_sync()))
    wanted.insert(wanted.end(), joining.begin(), joining.end());
  if (wanted.size() < set_->min_in_sync()) return std::nullopt;
  std::ranges::sort(wanted);
  std::vector<Member> before = stored;
  std::ranges::sort(before);
  return wanted == before ? std::nullopt : std::optional(wanted);
}

void Replica::consider_change() {
  if (change_ || handoff_to_ || now_ < next_change_ || durable_ticket_ < promise_ticket_) return;
  if (auto wanted = wanted_set()) propose(std::move(*wanted), set_->stored());
}

void Replica::propose(std::vector<Member> wanted, const std::vector<Member>& before) {
  Reconfiguration out{partition_, row_.revision, row_.config, {}};
  out.wanted.clear_in_sync();
  for (const Member& member : wanted) {
    auto& store = *out.wanted.add_in_sync();
    store.set_node(member.node.value);
    store.set_store_id(member.store.str());
    if (!contains(before, member)) out.must_be_live.push_back(member.node);
  }
  // Who is to come counts before the store is asked; who is to leave counts until it has said so.
  if (options_.mutant == Mutant::shrink_before_cas)
    set_->settle(wanted, set_->min_in_sync());
  else if (options_.mutant != Mutant::no_union_on_grow)
    set_->propose(wanted);
  change_ = Change{std::move(wanted), row_.revision, false};
  ready_.reconfiguration = std::move(out);
}

bool Replica::hand_off(Epoch epoch, NodeId to) {
  if (role_ != Role::primary || epoch != epoch_ || change_ || handoff_to_ || to == self_.node) return false;
  const auto follower = followers_.find(to);
  if (follower == followers_.end() || !follower->second.store) return false;
  if (!contains(set_->stored(), {to, *follower->second.store})) return false;
  handoff_to_ = to;
  handoff_until_ = now_ + options_.handoff;
  return true;
}

/// Nothing is admitted any more; when the target has everything, the store is asked.
void Replica::consider_handoff() {
  if (!handoff_to_) return;
  if (now_ > handoff_until_) {
    // Also while the store does not answer. What was asked of it may still take effect, and is a promotion like any then.
    handoff_to_.reset();
    return;
  }
  if (change_) return;
  const auto follower = followers_.find(*handoff_to_);
  if (follower == followers_.end() || !follower->second.store) {
    handoff_to_.reset();
    return;
  }
  if (role_ != Role::primary || in_flight_ || follower->second.matched < last_seq_) return;
  Reconfiguration out{partition_, row_.revision, row_.config, {*handoff_to_}};
  out.wanted.set_epoch(epoch_.value + 1);
  out.wanted.mutable_primary()->set_node(handoff_to_->value);
  out.wanted.mutable_primary()->set_store_id(follower->second.store->str());
  change_ = Change{set_->stored(), row_.revision, false};
  ready_.reconfiguration = std::move(out);
}

void Replica::reconfigured(std::uint64_t compared_revision, Outcome outcome) {
  if (!change_ || change_->compared != compared_revision) return;
  if (outcome == Outcome::unknown) {
    change_->unknown = true;
    handoff_to_.reset();  // the store may be away for long: what comes meanwhile is admitted again
    if (options_.mutant != Mutant::union_dropped) return;
  }
  if (outcome == Outcome::applied) return;  // the configuration that says so settles it
  // It does not stand, nor will it. If it did for a while, the configuration that replaced it is on its way.
  change_.reset();
  handoff_to_.reset();
  next_change_ = now_ + kAfterRefusal;
  if (set_) set_->settle(set_->stored(), set_->min_in_sync());
  if (leads()) advance_commit();
}

/// The store has moved on in our epoch: whatever we asked for against an older revision can't take effect any more.
void Replica::settle() {
  if (change_ && row_.revision > change_->compared) {
    change_.reset();
    handoff_to_.reset();
  }
  if (!change_) set_->settle(in_sync_of(row_.config), min_in_sync());
  make_followers();
  advance_commit();
}

}  // namespace holdfast::failover

/// Replica: the copies of the others, as the candidate or primary sees them.
#include <algorithm>

#include "base/check.h"
#include "failover/replica.h"

namespace holdfast::failover {

/// Everybody who counts and everybody who is to have a copy.
void Replica::make_followers() {
  std::map<NodeId, bool> wanted;
  for (const Member& member : set_->all()) wanted[member.node] = true;
  for (const std::uint32_t node : row_.config.replicas()) wanted[NodeId(node)] = true;
  wanted.erase(self_.node);
  std::erase_if(followers_, [&](const auto& one) { return !wanted.contains(one.first); });
  for (const auto& [node, yes] : wanted) {
    if (followers_.contains(node)) continue;
    Follower& follower = followers_[node];
    follower.next = last_seq_.next();
    follower.behind_since = now_;
    if (const auto link = links_.find(node); link != links_.end()) follower.store = link->second;
  }
}

void Replica::send_due() {
  if (durable_ticket_ < promise_ticket_) return;
  const bool none_out = barrier_sent_ < barrier_first_ || barriers_passed() == barrier_sent_;
  if (barrier_wanted_ > barrier_sent_ && none_out && role_ == Role::primary) {
    barrier_sent_ = barrier_wanted_;
    for (auto& [node, follower] : followers_) {
      if (!follower.store) continue;
      peer::Replication message = to(follower);
      message.mutable_barrier()->set_number(barrier_sent_);
      ready_.messages.push_back({node, std::move(message)});
      follower.barrier_at = now_;
    }
  }
  for (auto& [node, follower] : followers_) send_to(node, follower);
}

peer::Replication Replica::to(const Follower& follower) const {
  peer::Replication message;
  message.set_partition(partition_.value);
  message.set_epoch(epoch_.value);
  if (options_.mutant != Mutant::no_store_id) message.set_to_store(follower.store->str());
  return message;
}

/// What this copy lacks and is not under way: entries, the question where our logs agree, or news of what is committed.
void Replica::send_to(NodeId node, Follower& follower) {
  if (!follower.store || follower.under_way || follower.sending != Sending::log) return;
  const bool lacks = follower.next <= last_seq_;
  const bool knows = follower.told_commit >= committed_ || now_ < follower.sent_at + options_.news;
  if (!lacks && follower.greeted && follower.matched == last_seq_ && knows) return;
  const Seq previous(follower.next.value - 1);
  const auto at = place(previous);
  if (!at) {
    if (!reads_.try_emplace(node, epoch_).second) return;  // one is under way, and is of no use any more
    follower.sending = Sending::reading;
    ready_.log.push_back({node, follower.next});
    return;
  }
  peer::Append append;
  append.set_previous_seq(at->seq.value);
  append.set_previous_epoch(at->epoch.value);
  append.set_previous_chain(std::string(as_bytes(at->chain)));
  std::size_t bytes = 0;
  for (Seq seq = follower.next; seq <= last_seq_ && bytes < options_.append_bytes_max; seq = seq.next()) {
    const std::string_view entry = entry_bytes(*kept(seq)->appended.encoded);
    append.add_entries(std::string(entry));
    bytes += entry.size();
  }
  send_append(node, follower, std::move(append));
}

void Replica::send_append(NodeId node, Follower& follower, peer::Append append) {
  append.set_commit(committed_.value);
  follower.greeted = true;
  follower.told_commit = committed_;
  // News of a commit alone needs no answer: it is told again with the next entry, or the next tick.
  follower.under_way = !append.entries().empty() || follower.matched < last_seq_;
  follower.sent_at = now_;
  peer::Replication message = to(follower);
  *message.mutable_append() = std::move(append);
  ready_.messages.push_back({node, std::move(message)});
}

void Replica::on_ack(const Member& from, const peer::Ack& ack) {
  const auto at = followers_.find(from.node);
  const Seq durable(ack.durable());
  if (at == followers_.end() || durable > last_seq_) return;
  Follower& follower = at->second;
  if (follower.store != from.store) return;
  follower.under_way = false;
  if (follower.matched == Seq{} || durable > follower.matched) {
    follower.matched = std::max(follower.matched, durable);
    follower.next = follower.matched.next();
    follower.behind_since = follower.matched < last_seq_ ? now_ : SteadyTime{};
  }
  Member member = from;
  if (options_.mutant == Mutant::no_store_id)
    for (const Member& one : set_->all())
      if (one.node == from.node) member = one;
  set_->durable(member, follower.matched);
  advance_commit();
}

/// Where our logs can agree at most, by the epochs that both know (2.8).
Seq Replica::agreed_at_most(const peer::Mismatch& theirs) const {
  Seq ours_end{};
  Epoch shared{};
  for (std::size_t i = 0; i < epoch_starts_.size(); ++i) {
    if (epoch_starts_[i].epoch.value > theirs.last_epoch()) break;
    shared = epoch_starts_[i].epoch;
    ours_end = i + 1 < epoch_starts_.size() ? Seq(epoch_starts_[i + 1].first_seq.value - 1) : last_seq_;
  }
  Seq theirs_end(theirs.last_seq());
  for (const auto& start : theirs.epoch_starts())
    if (start.epoch() > shared.value) theirs_end = std::min(theirs_end, Seq(start.first_seq() - 1));
  return std::min(ours_end, theirs_end);
}

/// Its committed entries are not ours: they were committed before an operator went on without them, so they depose nobody,
/// and it begins anew. Where none did, whoever knows more as committed than a leader knows better, whether he counts or not.
bool Replica::is_of_a_history_given_up(const Member& from, const peer::Mismatch& theirs) const {
  if (row_.config.recovered_epoch() <= theirs.last_epoch() || set_->counts(from)) return false;
  const bool differs_there = theirs.committed() > 0 && theirs.refused_previous() == theirs.committed();
  return theirs.committed() > last_seq_.value || differs_there;
}

void Replica::on_mismatch(const Member& from, const peer::Mismatch& mismatch) {
  const auto at = followers_.find(from.node);
  if (at == followers_.end() || at->second.store != from.store) return;
  Follower& follower = at->second;
  if (follower.sending != Sending::log) return;
  const Seq theirs(mismatch.committed());
  if (is_of_a_history_given_up(from, mismatch)) {
    follower.sending = Sending::snapshot;
    follower.matched = Seq{};
    ready_.snapshots.push_back(from.node);
    return;
  }
  if (theirs > last_seq_)
    return quarantine("node " + std::to_string(from.node.value) + " knows entry " + std::to_string(theirs.value) +
                      " as committed, and this log ends at " + std::to_string(last_seq_.value));
  // Its commit point itself is refused: it is quarantined, or will be once it has read the configuration; not asked again at once.
  if (theirs > Seq{} && mismatch.refused_previous() == theirs.value) return;
  Seq agreed = std::min(agreed_at_most(mismatch), last_seq_);
  if (mismatch.refused_previous() > 0 && mismatch.refused_previous() <= mismatch.last_seq())
    agreed = std::min(agreed, Seq(mismatch.refused_previous() - 1));
  follower.next = std::max(agreed, theirs).next();
  follower.matched = Seq{};
  follower.under_way = false;
}

void Replica::log_read(LogPage page) {
  const auto asked = reads_.find(page.node);
  if (asked == reads_.end()) return;
  const bool current = leads() && asked->second == epoch_;
  reads_.erase(asked);
  const auto at = followers_.find(page.node);
  if (at == followers_.end() || at->second.sending != Sending::reading) return;
  Follower& follower = at->second;
  follower.sending = Sending::log;
  // What was read in an earlier epoch may have been cut off since.
  if (!current || !follower.store || durable_ticket_ < promise_ticket_) return;
  if (page.entries.empty()) {
    follower.sending = Sending::snapshot;
    ready_.snapshots.push_back(page.node);
    return;
  }
  peer::Append append;
  append.set_previous_seq(page.previous.value);
  append.set_previous_epoch(page.previous_epoch.value);
  append.set_previous_chain(std::string(as_bytes(page.previous_chain)));
  for (std::string& entry : page.entries) append.add_entries(std::move(entry));
  send_append(page.node, follower, std::move(append));
}

void Replica::snapshot_taken(NodeId node, Seq seq) {
  const auto at = followers_.find(node);
  if (at == followers_.end()) return;
  at->second.sending = Sending::log;
  at->second.next = seq.next();
}

void Replica::snapshot_failed(NodeId node) {
  if (const auto at = followers_.find(node); at != followers_.end()) at->second.sending = Sending::log;
}

/// What was not answered is asked again; a node that is told nothing new learns what is committed.
void Replica::check_progress() {
  for (auto& [node, follower] : followers_) {
    const bool behind = follower.matched < last_seq_ || owes_barrier(follower);
    if (!behind)
      follower.behind_since = {};
    else if (follower.behind_since == SteadyTime{})
      follower.behind_since = now_;
    if (!follower.store) continue;
    // Entries that go out all the time say nothing about a barrier: it has a clock of its own.
    if (owes_barrier(follower) && role_ == Role::primary && now_ >= follower.barrier_at + options_.resend) {
      peer::Replication message = to(follower);
      message.mutable_barrier()->set_number(barrier_sent_);
      ready_.messages.push_back({node, std::move(message)});
      follower.barrier_at = now_;
    }
    if (now_ >= follower.sent_at + options_.resend) follower.under_way = false;
  }
}

}  // namespace holdfast::failover

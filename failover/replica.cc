#include "failover/replica.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::failover {

namespace {

constexpr std::chrono::milliseconds kLateAfter{200};  ///< between two ticks

}  // namespace

const char* name_of(Role role) {
  switch (role) {
    case Role::backup: return "backup";
    case Role::candidate: return "candidate";
    case Role::primary: return "primary";
    case Role::quarantined: return "quarantined";
  }
  return "unknown";
}

Member member_of(const log::PartitionConfig::Store& store) {
  return {NodeId(store.node()), StoreId::from_bytes(store.store_id()).value_or(StoreId{})};
}

std::vector<Member> in_sync_of(const log::PartitionConfig& config) {
  std::vector<Member> members;
  for (const auto& store : config.in_sync()) members.push_back(member_of(store));
  return members;
}

Replica::Replica(PartitionId partition, Member self, const Recovered& recovered)
    : Replica(partition, self, recovered, Options()) {}

Replica::Replica(PartitionId partition, Member self, const Recovered& recovered, Options options)
    : partition_(partition), self_(self), options_(options), promised_(recovered.promised) {
  installed(recovered);
}

void Replica::installed(const Recovered& recovered) {
  kept_.clear();
  kept_bytes_ = 0;
  writing_.clear();  // what is under way was of the log before
  last_seq_ = durable_seq_ = recovered.last_seq;
  last_epoch_ = recovered.last_epoch;
  last_chain_ = recovered.last_chain;
  last_time_ = recovered.last_time;
  epoch_starts_ = recovered.epoch_starts;
  std::erase_if(epoch_starts_, [&](const EpochStart& start) { return start.first_seq > last_seq_; });
  base_ = {Seq(last_seq_.value - recovered.tail.size()), last_epoch_, last_chain_};
  if (!recovered.tail.empty()) {
    base_.epoch = recovered.epoch_before_tail;
    base_.chain = recovered.chain_before_tail;
  }
  committed_ = base_.seq;
  for (const Appended& entry : recovered.tail) keep(entry);
  if (!leads()) epoch_ = last_epoch_;
  verified_ = Seq{};
  role_ = Role::backup;
  if (building_) {  // of what was to be written only the promise still holds
    building_->cut.reset();
    building_->entries.clear();
    writing_.emplace_back(building_->ticket, durable_seq_);
  }
}

// ------------------------------------------------------------------------------------------------ roles

void Replica::configured(const PartitionRow& row) {
  if (row.revision <= row_.revision || role_ == Role::quarantined) return;
  if (row.config.epoch() < row_.config.epoch())
    return quarantine("the configuration went back from epoch " + std::to_string(row_.config.epoch()) + " to " +
                      std::to_string(row.config.epoch()));
  const bool new_epoch = row.config.epoch() > row_.config.epoch();
  row_ = row;
  const Epoch epoch(row.config.epoch());
  if (leads() && epoch == epoch_) {
    settle();
    return;
  }
  if (leads() && epoch > epoch_) step_down();
  // F7: an epoch that was promised in an earlier life of this process is not led again.
  if (new_epoch && member_of(row.config.primary()) == self_ && epoch > promised_) start_leading(epoch);
}

void Replica::start_leading(Epoch epoch) {
  HF_CHECK(epoch > promised_ && epoch > last_epoch_, "a leader leads a new epoch (I1, F7)");
  epoch_ = epoch;
  epoch_first_ = last_seq_.next();
  role_ = Role::candidate;
  primary_.reset();
  ack_due_ = false;
  epoch_started_ = in_flight_ = false;
  promise(epoch);
  set_.emplace(in_sync_of(row_.config), min_in_sync());
  change_.reset();
  handoff_to_.reset();
  next_change_ = {};
  barrier_first_ = barrier_sent_ + 1;  // nobody owes an answer to what was asked in an earlier epoch
  followers_.clear();
  make_followers();
}

void Replica::step_down() {
  role_ = Role::backup;
  set_.reset();
  followers_.clear();
  change_.reset();
  handoff_to_.reset();
  in_flight_ = epoch_started_ = false;
  in_flight_since_ = {};
  verified_ = Seq{};
}

void Replica::quarantine(std::string why) {
  if (leads()) step_down();
  role_ = Role::quarantined;
  ready_.trouble = std::move(why);
}

/// An operator went on without what this copy has: where that is another history than the primary's, it is void, though it
/// was committed once. Who counts has the history that holds.
bool Replica::may_give_up() const {
  if (leads() || row_.config.recovered_epoch() <= last_epoch_.value) return false;
  const auto members = in_sync_of(row_.config);
  return std::ranges::find(members, self_) == members.end();
}

void Replica::promise(Epoch epoch) {
  promised_ = epoch;
  if (options_.mutant == Mutant::volatile_promise) return;
  write({.partition = partition_, .ticket = 0, .cut = {}, .entries = {}, .promise = promise_row()});
  promise_ticket_ = building_->ticket;
}

log::PartitionMeta Replica::promise_row() const {
  log::PartitionMeta row;
  row.set_promised_epoch(promised_.value);
  for (const EpochStart& start : epoch_starts_) {
    auto& out = *row.add_epoch_starts();
    out.set_epoch(start.epoch.value);
    out.set_first_seq(start.first_seq.value);
  }
  return row;
}

// ------------------------------------------------------------------------------------------------ the log

/// Into this turn's write: everything of a turn is synced together.
void Replica::write(LogWrite more) {
  if (!building_) {
    building_ = LogWrite{partition_, next_ticket_++, {}, {}, {}};
    writing_.emplace_back(building_->ticket, durable_seq_);
  }
  HF_CHECK(!more.cut || building_->entries.empty(), "what is cut off goes before what is written");
  if (more.cut) building_->cut = more.cut;
  for (auto& entry : more.entries) building_->entries.push_back(std::move(entry));
  if (more.promise) building_->promise = std::move(more.promise);
  writing_.back().second = last_seq_;
}

void Replica::durable(std::uint64_t ticket) {
  durable_ticket_ = std::max(durable_ticket_, ticket);
  while (!writing_.empty() && writing_.front().first <= ticket) {
    durable_seq_ = writing_.front().second;
    writing_.pop_front();
  }
  if (leads()) {
    if (durable_ticket_ < promise_ticket_) return;  // what we lead by is not ours yet (F5)
    set_->durable(self_, durable_seq_);
    advance_commit();
    return;
  }
  acknowledge();
}

void Replica::keep(Appended appended) {
  const Place at{appended.encoded->seq, Epoch(appended.entry->epoch()), appended.encoded->chain};
  kept_bytes_ += appended.encoded->value.size();
  kept_.push_back({at, std::move(appended)});
}

const Replica::Kept* Replica::kept(Seq seq) const {
  if (seq <= base_.seq || seq.value > base_.seq.value + kept_.size()) return nullptr;
  return &kept_[seq.value - base_.seq.value - 1];
}

std::optional<Replica::Place> Replica::place(Seq seq) const {
  if (seq == base_.seq) return base_;
  const Kept* at = kept(seq);
  return at ? std::optional(at->place) : std::nullopt;
}

void Replica::forget_kept() {
  while (!kept_.empty() && kept_bytes_ > options_.kept_bytes && kept_.front().place.seq <= committed_) {
    kept_bytes_ -= kept_.front().appended.encoded->value.size();
    base_ = kept_.front().place;
    kept_.pop_front();
  }
}

void Replica::note_epoch(Epoch epoch, Seq seq) {
  if (epoch_starts_.empty() || epoch_starts_.back().epoch < epoch) epoch_starts_.push_back({epoch, seq});
  // Who is so far behind that an older one is asked for has committed what is older still: that is where logs meet.
  if (epoch_starts_.size() > kEpochStartsKept) epoch_starts_.erase(epoch_starts_.begin());
}

/// Hands out what has become committed.
void Replica::commit_to(Seq seq) {
  while (committed_ < seq) {
    committed_ = committed_.next();
    const Kept* at = kept(committed_);
    HF_CHECK(at, "what is not committed is kept");
    ready_.committed.push_back(at->appended);
  }
  forget_kept();
}

// ------------------------------------------------------------------------------------------------ leading

std::optional<Appended> Replica::take_epoch_start(WallTime now) {
  if (role_ != Role::candidate || epoch_started_ || durable_ticket_ < promise_ticket_) return std::nullopt;
  const bool early = options_.mutant == Mutant::open_early;
  if (!early && (committed_ < last_seq_ || set_->commit_point() < last_seq_ || !set_->large_enough()))
    return std::nullopt;
  if (early) commit_to(last_seq_);
  epoch_started_ = true;
  epoch_start_at_ = now_;
  log::Entry body;
  body.set_kind(log::Entry::EPOCH_START);
  return append_any(std::move(body), log_time(now));
}

bool Replica::may_append() const {
  return role_ == Role::primary && !in_flight_ && !handoff_to_ && set_->large_enough();
}

Appended Replica::append(log::Entry body, WallTime time) {
  HF_CHECK(may_append(), "one entry in flight, and only a primary appends (W1)");
  return append_any(std::move(body), time);
}

Appended Replica::append_any(log::Entry body, WallTime time) {
  HF_CHECK(time >= last_time_, "log time does not go back");
  in_flight_ = true;
  in_flight_since_ = now_;
  last_seq_ = last_seq_.next();
  last_epoch_ = epoch_;
  last_time_ = time;
  body.set_epoch(epoch_.value);
  body.set_seq(last_seq_.value);
  body.set_time_ms(to_ms(time));
  auto encoded = std::make_shared<const EncodedEntry>(encode_entry(partition_, body, last_chain_));
  last_chain_ = encoded->chain;
  Appended appended{std::make_shared<const log::Entry>(std::move(body)), encoded};
  keep(appended);
  const bool first_of_epoch = epoch_starts_.empty() || epoch_starts_.back().epoch < epoch_;
  note_epoch(epoch_, last_seq_);
  LogWrite more{.partition = partition_, .ticket = 0, .cut = {}, .entries = {std::move(encoded)}, .promise = {}};
  if (first_of_epoch) more.promise = promise_row();
  write(std::move(more));
  return appended;
}

void Replica::advance_commit() {
  const Seq point = std::min(set_->commit_point(), last_seq_);
  // The inherited tail is committed as a whole, when everybody who counts has all of it (F6).
  if (role_ == Role::candidate && point.value + 1 < epoch_first_.value) return;
  if (point <= committed_) return;
  commit_to(point);
  if (committed_ < last_seq_) return;
  in_flight_ = false;
  in_flight_since_ = {};
  if (role_ == Role::candidate && epoch_started_) role_ = Role::primary;
}

std::uint64_t Replica::want_barrier() {
  if (barrier_wanted_ == barrier_sent_) ++barrier_wanted_;
  return barrier_wanted_;
}

std::uint64_t Replica::barriers_passed() const {
  if (options_.mutant == Mutant::no_barriers) return barrier_wanted_;
  if (role_ != Role::primary || barrier_sent_ < barrier_first_) return 0;
  std::uint64_t passed = barrier_sent_;
  for (const Member& member : set_->all()) {
    if (member == self_) continue;
    const auto follower = followers_.find(member.node);
    const bool there = follower != followers_.end() && follower->second.store == member.store;
    passed = std::min(passed, there ? follower->second.barrier_ok : 0);
  }
  return passed;
}

// ------------------------------------------------------------------------------------------------ in and out

void Replica::received(const Member& from, const peer::Replication& message) {
  if (role_ == Role::quarantined) return;
  if (message.to_store() != self_.store.bytes() && !message.to_store().empty())
    return;  // for who was here before (I12)
  const Epoch epoch(message.epoch());
  if (message.has_append()) return on_append(from, epoch, message.append());
  if (message.has_nack()) {
    // Somebody promised a later epoch: ours is over. Which one it is, the configuration will say.
    if (leads() && epoch == epoch_ && message.nack().promised() > epoch_.value && options_.mutant != Mutant::no_fencing)
      step_down();
    return;
  }
  if (message.has_barrier()) {
    if (leads() || epoch != promised_) return;
    peer::Replication ok;
    ok.mutable_barrier_ok()->set_number(message.barrier().number());
    return reply(from, epoch, std::move(ok));
  }
  if (!leads() || epoch != epoch_) return;
  if (message.has_ack()) on_ack(from, message.ack());
  if (message.has_mismatch()) on_mismatch(from, message.mismatch());
  if (message.has_barrier_ok()) {
    const auto at = followers_.find(from.node);
    if (at == followers_.end() || at->second.store != from.store) return;
    at->second.barrier_ok = std::max(at->second.barrier_ok, message.barrier_ok().number());
  }
}

void Replica::link_up(const Member& member) {
  links_[member.node] = member.store;
  if (const auto at = followers_.find(member.node); at != followers_.end()) {
    Follower& follower = at->second;
    if (follower.store != member.store) {
      follower.matched = follower.told_commit = Seq{};
      follower.barrier_ok = 0;
      follower.barrier_at = {};
    }
    follower.store = member.store;
    follower.under_way = false;
    follower.sending = Sending::log;
  }
}

void Replica::link_down(NodeId node) {
  links_.erase(node);
  if (const auto at = followers_.find(node); at != followers_.end()) {
    at->second.store.reset();
    at->second.under_way = false;
  }
}

void Replica::gone(NodeId node, bool is_gone) { gone_[node] = is_gone; }

void Replica::tick(SteadyTime now) {
  if (const auto gap = now - now_; now_ != SteadyTime{} && gap > kLateAfter) forgive(gap);
  now_ = now;
  if (leads()) check_progress();
}

/// A process that was frozen finds answers in its sockets, and its clock runs before it has read them: nobody else is late
/// for what we slept through.
void Replica::forgive(SteadyTime::duration gap) {
  for (auto& [node, follower] : followers_)
    for (SteadyTime* since : {&follower.behind_since, &follower.sent_at, &follower.barrier_at})
      if (*since != SteadyTime{}) *since += gap;
}

Replica::Ready Replica::take_ready() {
  if (leads()) {
    consider_handoff();
    consider_change();
    send_due();
  }
  if (building_) ready_.writes.push_back(*std::exchange(building_, std::nullopt));
  return std::exchange(ready_, {});
}

Seq Replica::needed_from() const {
  Seq from = committed_.next();
  for (const auto& [node, follower] : followers_)
    if (follower.store && follower.matched > Seq{}) from = std::min(from, follower.matched.next());
  return from;
}

std::vector<Replica::Copy> Replica::copies() const {
  std::vector<Copy> copies;
  if (!leads()) return copies;
  for (const auto& [node, follower] : followers_) {
    const auto& stored = set_->stored();
    const bool in_sync = std::ranges::any_of(stored, [&, id = node](const Member& m) { return m.node == id; });
    copies.push_back({node, follower.matched, in_sync, follower.store.has_value()});
  }
  return copies;
}

}  // namespace holdfast::failover

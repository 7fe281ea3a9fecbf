/// Replica: as a backup or learner of somebody else's epoch (W4, 2.8).
#include <algorithm>

#include "base/check.h"
#include "failover/replica.h"

namespace holdfast::failover {

void Replica::reply(const Member& from, Epoch epoch, peer::Replication message) {
  message.set_partition(partition_.value);
  message.set_epoch(epoch.value);
  message.set_to_store(from.store.str());
  ready_.messages.push_back({from.node, std::move(message)});
}

void Replica::follow_epoch(Epoch epoch) {
  if (leads()) step_down();
  promise(epoch);
  verified_ = Seq{};
  ack_due_ = false;
}

void Replica::on_append(const Member& from, Epoch epoch, const peer::Append& append) {
  if (epoch < promised_ && options_.mutant != Mutant::no_fencing) {
    peer::Replication nack;
    nack.mutable_nack()->set_promised(promised_.value);
    return reply(from, epoch, std::move(nack));
  }
  if (epoch != promised_) follow_epoch(epoch);
  if (leads()) return;  // our own epoch, from somebody else: no such message can be
  primary_ = from;
  // Where a new epoch begins, its leader has all that is committed (F6). Who lacks some of it hears so, and is quarantined:
  // it is his log that is not whole, and not ours that differs.
  const bool lacks = verified_ < committed_ && Seq(append.previous_seq()) < committed_;
  if (lacks || Seq(append.previous_seq()) > last_seq_ || !agrees_at(append)) {
    if (role_ != Role::quarantined) answer_mismatch(from, Seq(append.previous_seq()));
    return;
  }
  if (!take_entries(epoch, append)) return;
  primary_committed_ = std::max(primary_committed_, Seq(append.commit()));
  ack_due_ = true;
  acknowledge();
}

/// The entry before the first one sent is the same in both logs. Below what is kept, everything is committed, and so the
/// same; take_entries() checks the chain where they meet.
bool Replica::agrees_at(const peer::Append& append) {
  const auto ours = place(Seq(append.previous_seq()));
  if (!ours) return append.previous_seq() + static_cast<std::uint64_t>(append.entries_size()) > base_.seq.value;
  if (as_bytes(ours->chain) == append.previous_chain()) return true;
  // Whether what was committed may be given up stands in the configuration: it may come after what it led to.
  if (promised_.value > row_.config.epoch() || may_give_up()) return false;
  if (ours->seq <= committed_ || ours->epoch.value == append.previous_epoch())
    quarantine("entry " + std::to_string(ours->seq.value) + " of epoch " + std::to_string(ours->epoch.value) +
               " differs from the primary's of epoch " + std::to_string(append.previous_epoch()) +
               (ours->seq <= committed_ ? ", and is committed" : ""));
  return false;
}

/// What of it our log lacks; nothing if it can't be taken. All of it is looked at before anything is cut off or written.
std::optional<std::vector<Appended>> Replica::new_entries(Epoch epoch, const peer::Append& append) {
  Seq seq(append.previous_seq());
  Hash32 chain{};
  std::copy_n(append.previous_chain().begin(), std::min(append.previous_chain().size(), chain.size()), chain.begin());
  std::vector<Appended> fresh;
  Epoch before = place(seq) ? place(seq)->epoch : Epoch{};
  for (const std::string& bytes : append.entries()) {
    seq = seq.next();
    auto encoded = std::make_shared<const EncodedEntry>(encode_entry(partition_, seq, bytes, chain));
    chain = encoded->chain;
    if (seq < base_.seq) continue;
    if (const auto ours = place(seq); ours && fresh.empty()) {
      before = ours->epoch;
      if (ours->chain == chain) continue;
      if (seq <= committed_ || ours->epoch == epoch) {
        quarantine("entry " + std::to_string(seq.value) + " differs from the primary's, and is " +
                   (seq <= committed_ ? "committed" : "of the same epoch"));
        return std::nullopt;
      }
      before = place(Seq(seq.value - 1))->epoch;
    }
    auto entry = std::make_shared<log::Entry>();
    if (!entry->ParseFromString(bytes) || entry->seq() != seq.value || entry->epoch() > epoch.value ||
        entry->epoch() < before.value)
      return std::nullopt;  // no primary sends such an entry
    before = Epoch(entry->epoch());
    fresh.push_back({std::move(entry), std::move(encoded)});
  }
  return fresh;
}

/// False: it can't be taken, and nobody is to be told that it was.
bool Replica::take_entries(Epoch epoch, const peer::Append& append) {
  auto fresh = new_entries(epoch, append);
  if (!fresh) return false;
  if (!fresh->empty() && fresh->front().encoded->seq <= last_seq_) cut_from(fresh->front().encoded->seq);
  for (Appended& one : *fresh) take(std::move(one));
  epoch_ = last_epoch_;
  verified_ = std::max(verified_, Seq(append.previous_seq() + static_cast<std::uint64_t>(append.entries_size())));
  return true;
}

void Replica::take(Appended appended) {
  last_seq_ = appended.encoded->seq;
  last_epoch_ = Epoch(appended.entry->epoch());
  last_chain_ = appended.encoded->chain;
  last_time_ = from_ms(appended.entry->time_ms());
  const bool first_of_epoch = epoch_starts_.empty() || epoch_starts_.back().epoch < last_epoch_;
  note_epoch(last_epoch_, last_seq_);
  LogWrite more{.partition = partition_, .ticket = 0, .cut = {}, .entries = {appended.encoded}, .promise = {}};
  if (first_of_epoch) more.promise = promise_row();
  keep(std::move(appended));
  write(std::move(more));
}

/// Another history holds from here on (KIP-101, KIP-279).
void Replica::cut_from(Seq seq) {
  HF_CHECK(seq > committed_, "what is committed is never cut off (I4, I11)");
  const LogWrite::Cut cut{seq, last_seq_};
  while (!kept_.empty() && kept_.back().place.seq >= seq) {
    kept_bytes_ -= kept_.back().appended.encoded->value.size();
    kept_.pop_back();
  }
  const Place end = kept_.empty() ? base_ : kept_.back().place;
  last_seq_ = end.seq;
  last_epoch_ = end.epoch;
  last_chain_ = end.chain;
  std::erase_if(epoch_starts_, [&](const EpochStart& start) { return start.first_seq >= seq; });
  durable_seq_ = std::min(durable_seq_, last_seq_);
  for (auto& [ticket, last] : writing_) last = std::min(last, last_seq_);
  // One write has one cut, and it goes before the entries.
  if (building_ && (building_->cut || !building_->entries.empty()))
    ready_.writes.push_back(*std::exchange(building_, std::nullopt));
  write({.partition = partition_, .ticket = 0, .cut = cut, .entries = {}, .promise = promise_row()});
}

bool Replica::begin_install(Epoch epoch, Seq applied, const Hash32& chain) {
  if (role_ == Role::quarantined || epoch < promised_) return false;
  if (leads() && epoch == promised_) return false;
  for (const Member& member : in_sync_of(row_.config))
    if (member == self_) return false;
  const auto ours = place(applied);
  if (!may_give_up() && (applied <= committed_ || (ours && ours->chain == chain))) return false;
  if (epoch > promised_) follow_epoch(epoch);
  return true;
}

void Replica::answer_mismatch(const Member& from, Seq refused) {
  peer::Replication message;
  auto& mismatch = *message.mutable_mismatch();
  mismatch.set_last_seq(last_seq_.value);
  mismatch.set_last_epoch(last_epoch_.value);
  mismatch.set_committed(committed_.value);
  mismatch.set_refused_previous(refused.value);
  for (const EpochStart& start : epoch_starts_) {
    auto& out = *mismatch.add_epoch_starts();
    out.set_epoch(start.epoch.value);
    out.set_first_seq(start.first_seq.value);
  }
  reply(from, promised_, std::move(message));
}

/// What is the same as the primary's and synced is acknowledged; what it has committed of that is handed out.
void Replica::acknowledge() {
  if (!primary_ || leads() || role_ == Role::quarantined) return;
  const bool early = options_.mutant == Mutant::ack_before_sync || options_.mutant == Mutant::volatile_promise;
  if (durable_ticket_ < promise_ticket_ && !early) return;
  const bool synced = options_.mutant != Mutant::ack_before_sync;
  const Seq same = synced ? std::min(verified_, durable_seq_) : verified_;
  commit_to(std::max(committed_, std::min(primary_committed_, same)));
  if (!ack_due_ || same < verified_) return;
  ack_due_ = false;
  peer::Replication message;
  message.mutable_ack()->set_durable(same.value);
  reply(*primary_, promised_, std::move(message));
}

}  // namespace holdfast::failover

#include "server/copy.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "proto/state.pb.h"
#include "storage/keys.h"

namespace holdfast {

namespace {

constexpr std::chrono::milliseconds kOpensAgain{500};

}  // namespace

Copy::Copy(const PartitionOptions& options, const chat::Limits& limits, failover::Member self, Found found,
           failover::Replica::Options replica)
    : options_(options),
      limits_(limits),
      mutant_(replica.mutant),
      replica_(options.id, self, found.recovered, replica),
      subscribers_(std::move(found.subscribers)),
      slowest_since_{{Seq{}, slowest_committed()}} {}

void Copy::installed(const failover::Recovered& recovered, const std::vector<Seq>& cursors) {
  HF_CHECK(!serving_, "who serves installs nothing");
  HF_CHECK(is_drained(), "nothing of what was here before is written over what came");
  HF_CHECK(cursors.size() == subscribers_.size(), "every subscriber stands somewhere");
  const bool lost = mutant_ == failover::Mutant::cursors_lost;
  for (std::size_t i = 0; i < cursors.size(); ++i) subscribers_[i].cursor = lost ? recovered.last_seq : cursors[i];
  slowest_since_ = {{Seq{}, slowest_committed()}};
  replica_.installed(recovered);
}

std::vector<std::string> Copy::subscribers() const {
  std::vector<std::string> names;
  for (const SubscriberAt& at : subscribers_) names.emplace_back(at.subscriber->name());
  return names;
}

// ------------------------------------------------------------------------------------------------ what comes in

void Copy::submit(command::Command command, Answered then) {
  if (serving_) return serving_->submit(std::move(command), std::move(then));
  if (!replica_.leads()) return void(answers_.emplace_back(std::move(then), elsewhere()));
  if (command.has_source() || early_.size() < options_.waiting_max)
    return early_.push_back({std::move(command), std::move(then), replica_.now()});
  chat::Draft draft;
  draft.refuse(v1::RETRY, "the partition opens, and much waits for it", std::chrono::milliseconds(100));
  answers_.emplace_back(std::move(then), std::move(draft.answer()));
}

void Copy::tick(SteadyTime steady, WallTime wall) {
  replica_.tick(steady);
  if (!serving_) return;
  make_certain(steady);
  serving_->tick(steady, wall);
}

/// A barrier is always under way: whoever holds our users' sessions relies on it.
void Copy::make_certain(SteadyTime now) {
  constexpr std::chrono::milliseconds kInterval{250};
  if (replica_.is_alone()) return;
  if (certain_barrier_ != 0 && replica_.barriers_passed() >= certain_barrier_) {
    certain_at_ = certain_asked_;
    certain_barrier_ = 0;
  }
  if (certain_barrier_ != 0 || now < certain_asked_ + kInterval) return;
  certain_barrier_ = replica_.want_barrier();
  certain_asked_ = now;
}

void Copy::applied(Seq seq) {
  while (!unapplied_.empty() && unapplied_.front()->seq() <= seq.value) unapplied_.pop_front();
  if (serving_) serving_->applied(seq);
}

void Copy::row_loaded(std::uint64_t life, const std::string& key, std::optional<std::string_view> value) {
  if (serving_ && life == life_) serving_->row_loaded(key, value);
}

void Copy::range_loaded(std::uint64_t life, std::uint64_t ticket, std::vector<Row> rows) {
  if (serving_ && life == life_) serving_->range_loaded(ticket, std::move(rows));
}

void Copy::log_read(std::uint64_t life, std::size_t subscriber,
                    std::vector<std::shared_ptr<const log::Entry>> entries) {
  if (serving_ && life == life_) serving_->log_read(subscriber, std::move(entries));
}

void Copy::command_done(std::uint64_t life, std::size_t subscriber, Seq seq, std::uint32_t event) {
  if (serving_ && life == life_) serving_->command_done(subscriber, seq, event);
}

// ------------------------------------------------------------------------------------------------ what is to be done

Copy::Ready Copy::take_ready(WallTime now) {
  Ready ready;
  drain(ready);
  follow_role(ready);
  if (replica_.take_epoch_start(now)) drain(ready);
  if (serving_) {
    serving_->set_pressure(pressure_);
    do {
      serving_->work(now);
      drain(ready);
    } while (serving_->has_passed());
    Partition::Ready served = serving_->take_ready();
    for (auto& answer : ready.serving.answers) served.answers.push_back(std::move(answer));
    ready.serving = std::move(served);
  }
  for (auto& answer : std::exchange(answers_, {})) ready.serving.answers.push_back(std::move(answer));
  ready.life = life_;
  return ready;
}

void Copy::drain(Ready& ready) {
  failover::Replica::Ready done = replica_.take_ready();
  const auto move_all = [](auto& from, auto& to) {
    for (auto& one : from) to.push_back(std::move(one));
  };
  for (const failover::Appended& entry : done.committed) committed(entry);
  move_all(done.committed, ready.apply);
  move_all(done.writes, ready.writes);
  move_all(done.messages, ready.messages);
  move_all(done.log, ready.copies_log);
  move_all(done.snapshots, ready.snapshots);
  if (done.reconfiguration) ready.reconfiguration = std::move(done.reconfiguration);
  if (!done.trouble.empty()) ready.trouble = std::move(done.trouble);
}

void Copy::committed(const failover::Appended& appended) {
  note_cursors(*appended.entry);
  unapplied_.push_back(appended.entry);
  if (serving_ && Epoch(appended.entry->epoch()) == serving_epoch_) serving_->committed(appended);
}

/// Where the subscribers stand, for the day that this copy serves.
void Copy::note_cursors(const log::Entry& entry) {
  for (const log::Write& write : entry.writes()) {
    if (static_cast<keys::Family>(write.key().front()) != keys::Family::cursor) continue;
    for (SubscriberAt& at : subscribers_) {
      if (keys::cursor(at.subscriber->name()) != write.key()) continue;
      state::Cursor cursor;
      HF_CHECK(cursor.ParseFromString(write.put()), "a logged row parses");
      at.cursor = Seq(cursor.seq());
    }
  }
  if (const Seq slowest = slowest_committed(); slowest != slowest_since_.back().cursor)
    slowest_since_.push_back({Seq(entry.seq()), slowest});
}

Seq Copy::slowest_committed() const {
  Seq slowest(std::numeric_limits<std::uint64_t>::max());
  for (const SubscriberAt& at : subscribers_) slowest = std::min(slowest, at.cursor);
  return slowest;
}

void Copy::follow_role(Ready& ready) {
  const bool serves = replica_.role() == failover::Role::primary;
  if (serving_ && (!serves || replica_.epoch() != serving_epoch_)) close(ready);
  if (serves && !serving_) open();
  // One that is alone waits for its own disk only, and there is nobody else to be asked.
  const bool waits_for_others = !replica_.is_alone() && !early_.empty();
  const bool stuck = waits_for_others && replica_.now() - early_.front().since > options_.stuck_after;
  if (!replica_.leads() || stuck) give_back_early();
}

/// All at once: what is taken after something of its route was given back would overtake it.
void Copy::give_back_early() {
  for (Early& early : std::exchange(early_, {})) {
    const bool waited = replica_.now() - early.since > options_.stuck_after;
    if (!replica_.leads() || !waited || !is_of_client(early.command)) {
      answers_.emplace_back(std::move(early.then), elsewhere());
      continue;
    }
    chat::Draft draft;
    draft.refuse(v1::RETRY, "too few copies of this partition can be reached for it to open", kOpensAgain);
    answers_.emplace_back(std::move(early.then), std::move(draft.answer()));
  }
}

void Copy::open() {
  ++life_;
  certain_barrier_ = 0;
  // That the epoch is open shows no more than this: the answers may have lain in our sockets for long.
  certain_at_ = replica_.epoch_start_at();
  certain_asked_ = {};
  serving_epoch_ = replica_.epoch();
  if (mutant_ == failover::Mutant::subscribers_skipped)
    for (SubscriberAt& at : subscribers_) at.cursor = replica_.committed();
  serving_ = std::make_unique<Partition>(
      options_, limits_, replica_,
      Inherited{subscribers_, std::vector<std::shared_ptr<const log::Entry>>(unapplied_.begin(), unapplied_.end())});
  for (Early& early : std::exchange(early_, {})) serving_->submit(std::move(early.command), std::move(early.then));
}

void Copy::close(Ready& ready) {
  for (auto& answer : serving_->close()) ready.serving.answers.push_back(std::move(answer));
  past_ += serving_->figures();
  past_.waiting = past_.cached_bytes = past_.connections = 0;
  serving_.reset();
}

// ------------------------------------------------------------------------------------------------ figures

Seq Copy::slowest_cursor() const {
  Seq slowest(replica_.needed_from().value - 1);
  if (held_at_) slowest = std::min(slowest, *held_at_);
  return std::min(slowest, serving_ ? serving_->slowest_cursor() : slowest_committed());
}

Seq Copy::log_may_go_to(Seq flushed) {
  while (slowest_since_.size() > 1 && slowest_since_[1].entry <= flushed) slowest_since_.pop_front();
  return std::min({flushed, slowest_cursor(), slowest_since_.front().cursor});
}

bool Copy::idle() const { return early_.empty() && answers_.empty() && (!serving_ || serving_->idle()); }

Partition::Figures Copy::figures() const {
  Partition::Figures sum = past_;
  if (serving_) sum += serving_->figures();
  return sum;
}

}  // namespace holdfast

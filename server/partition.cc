#include "server/partition.h"

#include "base/check.h"
#include "proto/state.pb.h"
#include "server/partition_internal.h"
#include "server/services/due.h"
#include "server/services/rules.h"
#include "storage/keys.h"

namespace holdfast {
namespace {

constexpr std::chrono::milliseconds kFullAgain{5'000};    // a full disk: until somebody has made room
constexpr std::chrono::milliseconds kFullElsewhere{500};  // until another node leads

std::string order_of(const command::Command& command) {
  if (!command.has_source()) return std::string(services::order_key(command));
  // The target takes nothing older than the last it took: one that overtook another would make it lost.
  const auto& source = command.source();
  return "s" + std::to_string(source.partition()) + "/" + source.subscriber();
}

}  // namespace

command::Answer elsewhere() {
  command::Answer answer;
  answer.set_elsewhere(true);
  return answer;
}

bool is_of_client(const command::Command& command) {
  return !command.has_source() && !command.has_sweep() && !command.has_run_due() && !command.has_intent_done() &&
         !command.has_note_attached();
}

bool is_page(const command::Command& command) {
  if (command.has_history_for()) return true;
  switch (command.request().operation_case()) {
    case v1::ClientFrame::kListMembers:
    case v1::ClientFrame::kListConversations:
    case v1::ClientFrame::kGetPositions: return true;
    default: return false;
  }
}

Partition::Partition(const PartitionOptions& options, const chat::Limits& limits, failover::Replica& replica,
                     const Inherited& inherited)
    : options_(options),
      limits_(limits),
      replica_(replica),
      rows_(options.cache_bytes),
      ranges_(options.cache_bytes / 8),
      intents_(options.intents_running_max, services::is_intent),
      timers_(options.timers_running_max, services::is_no_intent),
      attached_(options.timing),
      last_nodes_(replica.self().node),
      opened_at_(replica.now()),
      sweeping_(std::make_shared<Sweeping>()) {
  HF_CHECK(replica.role() == failover::Role::primary, "only a primary serves");
  // Feeds begin with what is in memory anyway; only what lies before that is read from the log.
  const auto& unapplied = inherited.unapplied;
  const Seq before = unapplied.empty() ? replica.committed() : Seq(unapplied.front()->seq() - 1);
  for (const SubscriberAt& at : inherited.subscribers) {
    const Seq from = std::max(before, at.cursor);
    auto follower = std::make_unique<Follower>(
        Follower{at.subscriber, bus::Feed(at.cursor, from, options.feed), at.cursor, at.cursor, {}});
    follower->needs.ready = [this, index = followers_.size()] { follow(index); };
    for (const auto& entry : unapplied)
      if (entry->seq() > from.value) follower->feed.committed(entry);
    followers_.push_back(std::move(follower));
  }
  for (const auto& entry : unapplied) show_writes(entry);
}

Partition::~Partition() = default;

std::vector<std::pair<Answered, command::Answer>> Partition::close() {
  auto answers = std::exchange(ready_.answers, {});  // decided and committed: they stand
  const auto give_back = [&](Answered& then) { answers.emplace_back(std::move(then), elsewhere()); };
  if (flight_)
    for (Flight::Decided& decided : flight_->decided) give_back(decided.then);
  for (Unbarred& held : unbarred_)
    for (Flight::Decided& decided : held.decided->decided) give_back(decided.then);
  for (Held& held : held_) give_back(held.then);
  for (auto& [raw, pending] : aside_) give_back(pending->then);
  if (solo_) give_back(solo_->then);
  for (auto& [order, chain] : chains_)
    for (PendingPtr& pending : chain) give_back(pending->then);
  for (auto* waiting : {&writes_waiting_, &reads_waiting_, &pages_waiting_})
    for (PendingPtr& pending : *waiting) give_back(pending->then);
  return answers;
}

// ------------------------------------------------------------------------------------------------ what comes in

void Partition::submit(command::Command command, Answered then) {
  ++figures_.commands;
  auto pending = std::make_unique<Pending>();
  pending->read_only = services::is_read_only(command);
  pending->page = is_page(command);
  pending->client = !pending->page && is_of_client(command);
  const bool full = pending->page ? pages_waiting_.size() >= options_.pages_waiting_max
                                  : pending->client && client_commands_ >= options_.waiting_max;
  if (full) {
    ++figures_.refused;
    chat::Draft draft;
    draft.refuse(v1::RETRY, "the partition's queue is full", std::chrono::milliseconds(100));
    ready_.answers.emplace_back(std::move(then), std::move(draft.answer()));
    return;
  }
  if (pending->client) ++client_commands_;
  pending->command = std::move(command);
  pending->then = std::move(then);
  pending->needs.ready = [this, raw = pending.get()] { release(raw); };
  auto& waiting = pending->page ? pages_waiting_ : pending->read_only ? reads_waiting_ : writes_waiting_;
  waiting.push_back(std::move(pending));
}

void Partition::watch_presence(chat::ConnectionRef watcher, const std::vector<UserId>& users) {
  attached_.watch(watcher, users, steady_now_);
}

void Partition::tick(SteadyTime steady, WallTime wall) {
  steady_now_ = steady;
  wall_now_ = wall;
  if (held_until_ && steady >= *held_until_) let_go();
  attached_.tick(steady);
  release_held();
  give_up_stuck();
  note_last_nodes();
  if (steady < next_sweep_) return;
  next_sweep_ = steady + options_.sweep_interval;
  sweep();
}

void Partition::note_last_nodes() {
  auto note = last_nodes_.take(steady_now_);
  if (!note) return;
  command::Command command;
  *command.mutable_note_attached() = std::move(*note);
  submit(std::move(command), [](const command::Answer&) {});
}

void Partition::sweep() {
  if (sweeping_->under_way) return;
  static constexpr keys::Family kSwept[] = {keys::Family::attempts, keys::Family::session, keys::Family::request,
                                            keys::Family::client_id, keys::Family::inbox};
  if (sweeping_->next.family() == 0) sweeping_->next.set_family(static_cast<std::uint32_t>(kSwept[0]));
  sweeping_->under_way = true;
  command::Command command;
  *command.mutable_sweep() = sweeping_->next;
  submit(command, [sweeping = sweeping_](const command::Answer& answer) {
    sweeping->under_way = false;
    sweeping->next.set_from(answer.sweep_state().next_from());
    if (!answer.sweep_state().next_from().empty()) return;
    const auto at = std::ranges::find(kSwept, static_cast<keys::Family>(sweeping->next.family()));
    sweeping->next.set_family(static_cast<std::uint32_t>(at + 1 == std::end(kSwept) ? kSwept[0] : *(at + 1)));
  });
}

// ------------------------------------------------------------------------------------------------ deciding

void Partition::work(WallTime now) {
  wall_now_ = now;
  release_passed();
  run_followers();
  run_timers();
  run_reads(now);
  while (replica_.may_append() && build_entry(now)) {
  }
  for (const Attached::Page& page : attached_.take_pages()) read_page(page);
  for (auto& delivery : attached_.take_deliveries()) ready_.deliveries.push_back(std::move(delivery));
}

Partition::Ready Partition::take_ready() { return std::exchange(ready_, {}); }

/// True: something was decided, and more may be at once, because nothing of it is to be written.
bool Partition::build_entry(WallTime now) {
  if (is_held() || pressure_ == Pressure::lagging) return false;
  if (pressure_ == Pressure::storage_full) {
    // Another copy's node takes over if its disk has room.
    const bool alone = replica_.row().config.in_sync_size() < 2;
    refuse_client_writes(v1::STORAGE_FULL, "the server's disk is full: it takes no writes at present",
                         alone ? kFullAgain : kFullElsewhere);
    return false;
  }
  if (writes_waiting_.empty() && !solo_) return false;

  const WallTime time = replica_.log_time(now);
  const chat::Context context{time, options_.id, options_.partitions, limits_, options_.first_position};
  Flight flight;
  Needs none;
  EntryView view(*this, none);
  if (solo_) {
    if (!run_solo(flight, view, context)) return false;
  } else {
    while (!writes_waiting_.empty() && !solo_ && flight.decided.size() < options_.entry_commands_max &&
           flight.bytes < options_.entry_bytes_max) {
      PendingPtr pending = std::move(writes_waiting_.front());
      writes_waiting_.pop_front();
      if (auto* behind = chain_of(*pending))
        behind->push_back(std::move(pending));
      else if (!decide_into(flight, view, context, pending))
        pending->solo ? void(solo_ = std::move(pending)) : set_aside(std::move(pending));
    }
  }
  const bool decided = !flight.decided.empty();
  launch(std::move(flight), time);
  // What asked for an exact range gets it when nothing is in flight; if nothing is, that is now.
  if (solo_ && !flight_ && solo_->needs.open == 0) want(solo_->needs);
  return decided && !flight_;
}

/// The command that needs an exact range, alone in its entry. Nothing is in flight.
bool Partition::run_solo(Flight& flight, EntryView& view, const chat::Context& context) {
  if (solo_->needs.open > 0) return false;
  if (!solo_->needs.missing() && decide_into(flight, view, context, solo_)) {
    solo_.reset();
    return true;
  }
  want(solo_->needs);
  return false;
}

/// False: rows are missing, and nothing was decided.
bool Partition::decide_into(Flight& flight, EntryView& view, const chat::Context& context, PendingPtr& pending) {
  view.look_for(*pending);
  chat::Draft draft;
  services::rule_for(pending->command)(context, pending->command, view, draft);
  if (pending->needs.missing()) return false;

  std::vector<std::uint32_t> places;  // in the entry, of the draft's writes
  places.reserve(draft.writes.size());
  for (log::Write& write : draft.writes) {
    places.push_back(static_cast<std::uint32_t>(flight.body.writes_size()));
    if (view.put_again(write)) continue;
    flight.bytes += write.key().size() + write.put().size() + 16;
    log::Write& kept = *flight.body.add_writes();
    kept = std::move(write);
    view.wrote(kept);
  }
  for (log::Event& event : draft.events) {
    if (event.has_change_made())  // names the write of the change, which is never one that was put again
      event.mutable_change_made()->set_write_index(places[event.change_made().write_index()]);
    *flight.body.add_events() = std::move(event);
  }
  if (pending->client) --client_commands_;
  let_go(pending->needs);
  flight.decided.push_back({std::move(pending->then), std::move(draft.answer()), std::move(draft.effects),
                            std::move(*pending->command.mutable_session())});
  return true;
}

/// The entry goes to the log. If nothing is to be written, what was decided stands on committed rows and goes out at once.
void Partition::launch(Flight flight, WallTime time) {
  if (flight.decided.empty()) return;
  const bool writes = flight.body.writes_size() > 0 || flight.body.events_size() > 0;
  if (writes) {
    write_cursors(flight.body);
    ++figures_.entries;
    flight.appended = replica_.append(std::move(flight.body), time);
    flight_ = std::make_unique<Flight>(std::move(flight));
    return;
  }
  hold_for_barrier(std::move(flight));
}

void Partition::committed(const failover::Appended& appended) {
  HF_CHECK(flight_ && flight_->appended.encoded == appended.encoded, "a primary commits what it has in flight");
  const std::unique_ptr<Flight> flight = std::move(flight_);
  show_writes(appended.entry);
  for (auto& follower : followers_) {
    follower->cursor_committed = follower->cursor_written;
    follower->feed.committed(appended.entry);
  }
  release_decided(*flight);
}

/// From now on rules see what the entry wrote.
void Partition::show_writes(const std::shared_ptr<const log::Entry>& entry) {
  const Seq seq(entry->seq());
  bool recent = false;
  for (const log::Write& write : entry->writes()) {
    const auto family = static_cast<keys::Family>(write.key().front());
    if (family == keys::Family::inbox) continue;  // read in ranges only
    if (family == keys::Family::due)
      for (bus::Timers* timers : {&intents_, &timers_})
        write.has_put() ? timers->wrote(write.key()) : timers->removed(write.key());
    if (write.what_case() == log::Write::kRemoveUntil)
      ranges_.removed_range(write.key(), write.remove_until());
    else if (family == keys::Family::member)
      ranges_.wrote(write.key());
    if (RecentRows::keeps(write.key()) && !rows_.concerns(write.key())) {
      recent_.wrote(write, seq);
      recent = true;
    } else if (write.what_case() == log::Write::kRemoveUntil) {
      rows_.removed_range(write.key(), write.remove_until(), seq);
    } else if (write.what_case() == log::Write::kRemove) {
      rows_.wrote(write.key(), std::nullopt, seq);
    } else {
      rows_.wrote(write.key(), write.put(), seq);
    }
  }
  if (recent) recent_.hold(entry);
}

/// A page wants rows that are hardly ever in memory: it comes back when they have been read, which takes a turn of the loop or
/// more. So this also bounds what is worked off in one turn. Pages of a few rows cost little, and many may go at once.
void Partition::start_pages() {
  while (!pages_waiting_.empty() &&
         (pages_under_way_ == 0 || (pages_under_way_ + 1) * usual_page_rows_ <= options_.page_rows_at_once)) {
    reads_waiting_.push_back(std::move(pages_waiting_.front()));
    pages_waiting_.pop_front();
    ++pages_under_way_;
  }
}

void Partition::page_read(const Needs& needs) {
  constexpr std::size_t kOfSoMany = 8;
  std::size_t rows = 1;
  for (const auto& [range, found] : needs.ranges) rows += found.size();
  // What was refused has read nothing, and says nothing of the others.
  if (!needs.ranges.empty()) {
    usual_page_rows_ = std::max(rows, (usual_page_rows_ * (kOfSoMany - 1) + rows) / kOfSoMany);
    usual_page_rows_ =
        std::max(usual_page_rows_, kPageRowsLeast);  // else small ones would make way for a flood of large ones
  }
  --pages_under_way_;
  start_pages();
}

void Partition::run_reads(WallTime now) {
  start_pages();
  const chat::Context context{replica_.log_time(now), options_.id, options_.partitions, limits_,
                              options_.first_position};
  while (!reads_waiting_.empty()) {
    PendingPtr pending = std::move(reads_waiting_.front());
    reads_waiting_.pop_front();
    RowView view(*this, pending->needs);
    chat::Draft draft;
    services::rule_for(pending->command)(context, pending->command, view, draft);
    if (view.missing()) {
      set_aside(std::move(pending));
      continue;
    }
    HF_CHECK(draft.writes.empty() && draft.events.empty(), "what only reads writes nothing");
    if (pending->client) --client_commands_;
    if (pending->page) page_read(pending->needs);
    let_go(pending->needs);
    Flight flight;
    flight.decided.push_back(
        {std::move(pending->then), std::move(draft.answer()), std::move(draft.effects), pending->command.session()});
    // What a live session reads is committed, and that is enough; what decides about sessions must be as of now.
    pending->command.has_request() ? release_decided(flight) : hold_for_barrier(std::move(flight));
  }
}

void Partition::refuse_client_writes(v1::ErrorCode code, const std::string& why, std::chrono::milliseconds retry) {
  std::deque<PendingPtr> kept;
  for (PendingPtr& pending : writes_waiting_) {
    if (!pending->client) {
      kept.push_back(std::move(pending));
      continue;
    }
    --client_commands_;
    ++figures_.refused;
    chat::Draft draft;
    draft.refuse(code, why, retry);
    ready_.answers.emplace_back(std::move(pending->then), std::move(draft.answer()));
  }
  writes_waiting_ = std::move(kept);
}

// ------------------------------------------------------------------------------------------------ standing aside

/// Those who wait behind a command that stands aside, if this one has to wait there too.
std::deque<Partition::PendingPtr>* Partition::chain_of(Pending& pending) {
  if (chains_.empty()) return nullptr;
  pending.order = order_of(pending.command);
  const auto chain = chains_.find(pending.order);
  return chain == chains_.end() ? nullptr : &chain->second;
}

void Partition::set_aside(PendingPtr pending) {
  ++figures_.reruns;
  Pending& waiting = *pending;
  if (!waiting.read_only) waiting.order = order_of(waiting.command);
  if (!waiting.order.empty()) chains_.try_emplace(waiting.order);
  aside_.emplace(&waiting, std::move(pending));
  want(waiting.needs);
}

/// Its rows are here: it goes on, before those that wait behind it, before everybody else.
void Partition::release(Pending* raw) {
  const auto at = aside_.find(raw);
  if (at == aside_.end()) return;  // the one that runs alone is looked at by build_entry()
  PendingPtr pending = std::move(at->second);
  aside_.erase(at);
  if (pending->read_only) {
    reads_waiting_.push_front(std::move(pending));
    return;
  }
  if (const auto chain = chains_.find(pending->order); chain != chains_.end()) {
    auto behind = std::move(chain->second);
    chains_.erase(chain);
    for (auto& each : std::ranges::reverse_view(behind)) writes_waiting_.push_front(std::move(each));
  }
  writes_waiting_.push_front(std::move(pending));
}

// ------------------------------------------------------------------------------------------------ figures

Seq Partition::slowest_cursor() const {
  Seq slowest = replica_.committed();
  for (const auto& follower : followers_) slowest = std::min(slowest, follower->cursor_committed);
  return slowest;
}

bool Partition::idle() const {
  return writes_waiting_.empty() && reads_waiting_.empty() && pages_waiting_.empty() && aside_.empty() && !solo_ &&
         !flight_ && unbarred_.empty() && !intents_.busy(wall_now_) && !timers_.busy(wall_now_) &&
         std::ranges::all_of(followers_, [&](const auto& f) { return f->feed.cursor() == replica_.committed(); });
}

Partition::Figures& Partition::Figures::operator+=(const Figures& other) {
  commands += other.commands;
  entries += other.entries;
  loads += other.loads;
  reruns += other.reruns;
  refused += other.refused;
  waiting += other.waiting;
  cached_bytes += other.cached_bytes;
  connections += other.connections;
  return *this;
}

Partition::Figures Partition::figures() const {
  Figures figures = figures_;
  figures.waiting = writes_waiting_.size() + reads_waiting_.size() + pages_waiting_.size() + aside_.size();
  figures.cached_bytes = rows_.bytes();
  figures.connections = attached_.size();
  return figures;
}

}  // namespace holdfast

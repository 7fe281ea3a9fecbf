#include "server/worker.h"

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>

#include "base/check.h"
#include "base/seam.h"
#include "server/backups.h"
#include "server/cluster.h"
#include "server/damage.h"
#include "server/mail/seams.h"
#include "server/mail_seams.h"
#include "server/peer_frames.h"
#include "server/worker_loop.h"

namespace holdfast {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kTick{100};

template <class... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};

}  // namespace

Worker::Worker(std::uint16_t index, Shared& shared, double due_per_s)
    : index_(index),
      shared_(shared),
      loop_(std::make_unique<Loop>()),
      slots_(shared.partitions),
      pace_(due_per_s),
      backup_hold_(backup_host()) {}

Worker::~Worker() { gateway_.reset(); }

void Worker::add_copy(std::unique_ptr<Copy> copy) {
  const PartitionId id = copy->id();
  slots_[id.value].copy = std::move(copy);
  touch(id);
}

void Worker::make_gateway(const gateway::GatewayOptions& options, gateway::Admission& admission,
                          std::optional<TlsContext> tls) {
  gateway_ = std::make_unique<gateway::Gateway>(
      options,
      gateway::GatewayParts{.backend = *this, .attachments = *this, .admission = admission, .tls = std::move(tls)},
      executor(), index_);
}

any_io_executor Worker::executor() { return loop_->context.get_executor(); }

void Worker::run() {
  outboxes_.resize(shared_.workers.size());
  tick();
  loop_->context.run();
}

void Worker::stop() {
  loop_->work.reset();
  loop_->context.stop();
}

BackupHoldHost Worker::backup_host() {
  const auto serving = [this] {
    std::vector<PartitionId> all;
    for (const Slot& slot : slots_)
      if (slot.copy && slot.copy->serving()) all.push_back(slot.copy->id());
    return all;
  };
  return {.serving = serving,
          .copy = [this](PartitionId partition) -> Copy& { return *slots_[partition.value].copy; },
          .wake = [this](PartitionId partition) { touch(partition); },
          .blocking = [this](std::function<void()> job) { shared_.filling(std::move(job)); },
          .call = [this](std::function<void()> then) { call(std::move(then)); },
          .log = shared_.log_database,
          .state = shared_.state_database};
}

// ------------------------------------------------------------------------------------------------ mail and turns

void Worker::send(Mail mail) {
  {
    const std::lock_guard lock(mutex_);
    inbox_.push_back(std::move(mail));
    if (std::exchange(turn_posted_, true)) return;
  }
  post_turn();
}

void Worker::send_all(std::vector<Mail> mails) {
  {
    const std::lock_guard lock(mutex_);
    for (Mail& mail : mails) inbox_.push_back(std::move(mail));
    if (std::exchange(turn_posted_, true)) return;
  }
  post_turn();
}

void Worker::post_turn() {
  asio::post(loop_->context, [this] { turn(); });
}

void Worker::turn() {
  ++turns_;
  in_turn_ = true;
  std::vector<Mail> mails;
  {
    const std::lock_guard lock(mutex_);
    mails.swap(inbox_);
    turn_posted_ = false;
  }
  for (Mail& mail : mails) receive(mail);
  do {
    route();
    for (const PartitionId id : std::exchange(touched_, {})) {
      slots_[id.value].touched = false;
      Copy& copy = *slots_[id.value].copy;
      copy.set_pressure(pressure());
      Copy::Ready ready = copy.take_ready(shared_.log_time());
      // At once: what waits at the mail desk goes by it.
      if (shared_.serves[id.value].load(std::memory_order_relaxed) != copy.served_epoch().value)
        publish_serving(copy, steady_now());
      carry_out(copy, std::move(ready));
    }
    backup_hold_.look();
  } while (!touched_.empty() || (router_ && router_->has_output()));
  for (std::size_t i = 0; i < outboxes_.size(); ++i)
    if (!outboxes_[i].empty()) shared_.workers[i]->send_all(std::exchange(outboxes_[i], {}));
  keep_pace();
  in_turn_ = false;
}

/// What is due and was refused gets its turn, some milliseconds later.
void Worker::keep_pace() {
  if (!pace_.anybody_waits() || std::exchange(pace_timer_set_, true)) return;
  loop_->pace_timer.expires_after(bus::Pace::kInterval);
  loop_->pace_timer.async_wait([this](const error_code& error) {
    pace_timer_set_ = false;
    if (error) return;
    for (const PartitionId id : pace_.turns(steady_now())) touch(id);
    keep_pace();
  });
}

/// What was begun outside of a turn is worked off in one, soon.
void Worker::want_turn() {
  if (in_turn_) return;
  const std::lock_guard lock(mutex_);
  if (!std::exchange(turn_posted_, true)) post_turn();
}

Copy& Worker::touch(PartitionId id) {
  Slot& slot = slots_[id.value];
  HF_CHECK(slot.copy, "the partition is this worker's");
  if (!std::exchange(slot.touched, true)) {
    touched_.push_back(id);
    want_turn();
  }
  return *slot.copy;
}

void Worker::receive(Mail& mail) {
  std::visit(Match{
                 [&](mail::Submit& m) {
                   if (m.from == index_) return touch(m.partition).submit(std::move(m.command), std::move(m.then));
                   Worker* from = shared_.workers[m.from];
                   touch(m.partition)
                       .submit(std::move(m.command), [this, from, then = std::move(m.then)](command::Answer answer) {
                         to(*from, mail::Answer{then, std::move(answer)});
                       });
                 },
                 [&](mail::Answer& m) { m.then(std::move(m.answer)); },
                 [&](mail::Durable& m) { touch(m.partition).replica().durable(m.ticket); },
                 [&](mail::Applied& m) { slots_[m.partition.value].copy->applied(m.seq); },
                 [&](mail::RowLoaded& m) { touch(m.partition).row_loaded(m.life, m.key, m.value); },
                 [&](mail::RangeLoaded& m) { touch(m.partition).range_loaded(m.life, m.ticket, std::move(m.rows)); },
                 [&](mail::LogRead& m) { touch(m.partition).log_read(m.life, m.subscriber, std::move(m.entries)); },
                 [&](mail::Deliver& m) { gateway_->deliver(std::move(m.deliveries)); },
                 [&](mail::Tell& m) { serve(m.partition, [&](Partition& here) { here.tell(m.tell); }); },
                 [&](mail::Attach& m) { attach(m.attach); },
                 [&](mail::Detach& m) { detach(m.user, m.connection); },
                 [&](mail::Credit& m) { give_credit(m.user, m.connection, m.bytes); },
                 [&](mail::Watch& m) {
                   serve(m.partition, [&](Partition& here) { here.watch_presence(m.watcher, m.users); });
                 },
                 [&](mail::Call& m) { m.call(); },
                 [&](auto&) { receive_news(mail); },
             },
             mail);
}

/// To another worker: with the rest of this turn if there is one. Only on this worker's thread.
void Worker::to(Worker& worker, Mail mail) {
  if (!in_turn_) return worker.send(std::move(mail));
  outboxes_[worker.index_].push_back(std::move(mail));
}

// ------------------------------------------------------------------------------------------------ what partitions ask for

void Worker::carry_out(Copy& copy, Copy::Ready ready) {
  const PartitionId id = copy.id();
  slots_[id.value].life = ready.life;
  for (LogWrite& write : ready.writes) shared_.committer->submit(std::move(write));
  for (failover::Appended& entry : ready.apply) {
    if (seams_are_watched()) pass_mail_seams(*entry.entry);
    const Seq seq = entry.encoded->seq;
    shared_.state->apply(id, seq, std::move(entry.entry), entry.encoded->value.size());
  }
  send_replication(id, ready);
  Partition::Ready& serving = ready.serving;
  for (std::string& key : serving.rows) load_row(id, ready.life, std::move(key));
  for (const auto& wanted : serving.ranges) load_range(id, ready.life, wanted);
  for (const auto& wanted : serving.log) read_log(id, ready.life, wanted);
  for (auto& sent : serving.commands) {
    ask(sent.target, std::move(sent.command),
        [this, id, life = ready.life, subscriber = sent.subscriber, seq = sent.seq,
         event = sent.event](const command::Answer&) { touch(id).command_done(life, subscriber, seq, event); });
  }
  for (const auto& each : serving.tells) tell(each);
  for (chat::BeginIntent& intent : serving.intents) begin(id, std::move(intent));
  if (!serving.deliveries.empty()) hand_out(std::move(serving.deliveries));
  for (auto& [then, answer] : serving.answers) then(std::move(answer));
}

/// What became of it goes to whoever leads the partition by then.
void Worker::begin(PartitionId id, chat::BeginIntent intent) {
  if (shared_.outside == nullptr) return;
  command::Command answer;
  answer.set_user(intent.user.str());
  answer.mutable_intent_done()->set_intent(intent.id.str());
  const std::uint64_t epoch = slots_[id.value].copy->served_epoch().value;
  auto is_ours = [&serves = shared_.serves[id.value], epoch] { return serves.load() == epoch; };
  shared_.outside->begin(*this, std::move(intent), is_ours, [this, id, answer](const command::IntentDone& done) {
    command::Command command = answer;
    command.mutable_intent_done()->MergeFrom(done);
    if (done.outcome() == command::IntentDone::DONE) pass_seam(holdfast::mail::seams::kHeard);
    call([this, id, command = std::move(command)] { ask(id, command, [](const command::Answer&) {}); });
  });
}

/// A copy that serves reads what is there. One that no longer does, or anew, may have lost what it had asked for to
/// trimming, or to a snapshot that took its place: nobody waits for that answer any more.
void Worker::read_failed(PartitionId id, std::uint64_t life, const Error& error) {
  const Slot& slot = slots_[id.value];
  if (slot.copy->serving() != nullptr && slot.life == life) end_for_damage(error, shared_.cluster != nullptr);
  spdlog::info("read_came_late partition={} why='{}'", id.value, error.message);
}

void Worker::load_row(PartitionId id, std::uint64_t life, std::string key) {
  auto row = shared_.state->get_in_memory(id, key);
  if (row) return touch(id).row_loaded(life, key, *row);
  if (row.error().code != Errc::retry_later) return read_failed(id, life, row.error());
  shared_.state->get(id, key, [this, id, life, key](Result<std::optional<std::string>> found) {
    if (found) return send(mail::RowLoaded{id, life, key, std::move(*found)});
    if (found.error().code != Errc::retry_later)
      return call([this, id, life, error = found.error()] { read_failed(id, life, error); });
    call([this, id, life, key] { postponed_.emplace_back([this, id, life, key] { load_row(id, life, key); }); });
  });
}

void Worker::load_range(PartitionId id, std::uint64_t life, const Partition::RangeWanted& wanted) {
  shared_.state->scan(id, wanted.applied, wanted.range, [this, id, life, wanted](Result<std::vector<Row>> rows) {
    if (rows) return send(mail::RangeLoaded{id, life, wanted.ticket, std::move(*rows)});
    if (rows.error().code != Errc::retry_later)
      return call([this, id, life, error = rows.error()] { read_failed(id, life, error); });
    call([this, id, life, wanted] {
      postponed_.emplace_back([this, id, life, wanted] { load_range(id, life, wanted); });
    });
  });
}

void Worker::read_log(PartitionId id, std::uint64_t life, Partition::LogWanted wanted) {
  shared_.blocking([this, id, life, wanted] {
    auto stored = shared_.log->read(id, wanted.from, 1u << 20);
    if (!stored) return call([this, id, life, error = stored.error()] { read_failed(id, life, error); });
    std::vector<std::shared_ptr<const log::Entry>> entries;
    for (StoredEntry& each : *stored) entries.push_back(std::make_shared<const log::Entry>(std::move(each.entry)));
    send(mail::LogRead{id, life, wanted.subscriber, std::move(entries)});
  });
}

void Worker::hand_out(std::vector<chat::Delivery> deliveries) {
  std::vector<std::vector<chat::Delivery>> by_worker(shared_.workers.size());
  std::map<NodeId, std::vector<chat::Delivery>> by_node;
  for (chat::Delivery& delivery : deliveries) {
    const auto connection = std::visit([](const auto& d) { return d.connection; }, delivery);
    auto& whose = connection.node == NodeId{} ? by_worker[connection.worker] : by_node[connection.node];
    whose.push_back(std::move(delivery));
  }
  for (auto& [node, theirs] : by_node)
    for (const peer::Frame& frame : peers::deliver(std::move(theirs))) shared_.cluster->send(node, frame);
  for (std::size_t i = 0; i < by_worker.size(); ++i) {
    if (by_worker[i].empty()) continue;
    if (i == index_)
      gateway_->deliver(std::move(by_worker[i]));
    else
      to(*shared_.workers[i], mail::Deliver{std::move(by_worker[i])});
  }
}

void Worker::tell(const chat::TellUsers& all) {
  std::unordered_map<PartitionId, chat::TellUsers> by_partition;
  for (const UserId& user : all.users) by_partition[partition_of(user, shared_.partitions)].users.push_back(user);
  for (auto& [partition, part] : by_partition) {
    part.frame = all.frame;
    if (to_other_node(partition, [&](peer::Frame& frame) { peers::fill(*frame.mutable_tell(), partition, part); }))
      continue;
    Worker& owner = shared_.worker_of(partition);
    if (&owner == this)
      serve(partition, [&](Partition& here) { here.tell(part); });
    else
      to(owner, mail::Tell{partition, std::move(part)});
  }
}

// ------------------------------------------------------------------------------------------------ chat::Backend

void Worker::ask(PartitionId partition, command::Command command, Answered then) {
  if (router_) {
    router_->ask(partition, std::move(command), std::move(then));
    return want_turn();
  }
  Worker& owner = shared_.worker_of(partition);
  if (&owner == this)
    touch(partition).submit(std::move(command), std::move(then));
  else
    to(owner, mail::Submit{partition, std::move(command), std::move(then), index_});
}

bool Worker::admit_stranger() {
  return shared_.strangers.take(steady_now(), 1, shared_.limits->strangers_per_s).count() == 0;
}

void Worker::hash_password(std::string password, std::function<void(Result<std::string>)> then) {
  const Status queued = shared_.passwords->submit([this, password = std::move(password), then] {
    auto hash = shared_.hasher->hash(password);
    call([then, hash = std::move(hash)] { then(hash); });
  });
  if (!queued) call([then, error = queued.error()] { then(error); });
}

void Worker::verify_password(std::string hash, std::string password, std::function<void(Result<bool>)> then) {
  const Status queued = shared_.passwords->submit([this, hash = std::move(hash), password = std::move(password), then] {
    const bool right = shared_.hasher->verify(hash, password);
    call([then, right] { then(right); });
  });
  if (!queued) call([then, error = queued.error()] { then(error); });
}

const chat::TokenKeys& Worker::token_keys() const {
  keys_ = shared_.keys->get();
  return *keys_;
}

void Worker::rotate_token_key(std::function<void(Status)> then) {
  shared_.blocking([this, then] {
    const Status rotated = shared_.rotate_token_key();
    call([then, rotated] { then(rotated); });
  });
}

// ------------------------------------------------------------------------------------------------ chat::Attachments

void Worker::attach(const chat::Attach& attach) {
  const PartitionId partition = partition_of(attach.user, shared_.partitions);
  if (to_other_node(partition, [&](peer::Frame& frame) { peers::fill(*frame.mutable_attach(), attach); })) return;
  Worker& owner = shared_.worker_of(partition);
  if (&owner == this)
    serve(partition, [&](Partition& here) { here.attach(attach); });
  else
    to(owner, mail::Attach{attach});
}

void Worker::detach(const UserId& user, chat::ConnectionRef connection) {
  const PartitionId partition = partition_of(user, shared_.partitions);
  if (to_other_node(partition, [&](peer::Frame& frame) { peers::fill(*frame.mutable_detach(), user, connection); }))
    return;
  Worker& owner = shared_.worker_of(partition);
  if (&owner == this)
    serve(partition, [&](Partition& here) { here.detach(user, connection); });
  else
    to(owner, mail::Detach{user, connection});
}

void Worker::give_credit(const UserId& user, chat::ConnectionRef connection, std::uint64_t bytes) {
  const PartitionId partition = partition_of(user, shared_.partitions);
  if (to_other_node(partition,
                    [&](peer::Frame& frame) { peers::fill(*frame.mutable_credit(), user, connection, bytes); }))
    return;
  Worker& owner = shared_.worker_of(partition);
  if (&owner == this)
    serve(partition, [&](Partition& here) { here.give_credit(connection, bytes); });
  else
    to(owner, mail::Credit{user, connection, bytes});
}

void Worker::watch_presence(chat::ConnectionRef watcher, const std::vector<UserId>& users) {
  std::unordered_map<PartitionId, std::vector<UserId>> by_partition;
  for (const UserId& user : users) by_partition[partition_of(user, shared_.partitions)].push_back(user);
  for (auto& [partition, part] : by_partition) {
    if (to_other_node(partition, [&, id = partition, &users_there = part](peer::Frame& frame) {
          peers::fill(*frame.mutable_watch(), id, watcher, users_there);
        }))
      continue;
    Worker& owner = shared_.worker_of(partition);
    if (&owner == this)
      serve(partition, [&](Partition& here) { here.watch_presence(watcher, part); });
    else
      to(owner, mail::Watch{partition, watcher, std::move(part)});
  }
}

SteadyTime Worker::confirmed_at(PartitionId partition) const { return shared_.confirmed_at(partition); }

// ------------------------------------------------------------------------------------------------ time

void Worker::tick() {
  const SteadyTime steady = steady_now();
  if (index_ == 0 && !shared_.cluster) shared_.clock.look(wall_now(), steady, std::nullopt);
  const WallTime wall = shared_.log_time();
  for (Slot& slot : slots_) {
    if (!slot.copy) continue;
    touch(slot.copy->id()).tick(steady, wall);
    publish_serving(*slot.copy, steady);
  }
  if (router_) router_->tick(steady);
  if (snapshots_) snapshots_->tick();
  backup_hold_.look();
  if (index_ == 0) shared_.backups->tick(steady);
  ticked_.store(steady.time_since_epoch().count(), std::memory_order_relaxed);
  for (auto& again : std::exchange(postponed_, {})) again();
  publish_figures();
  next_tick();
}

void Worker::next_tick() {
  loop_->timer.expires_after(kTick);
  loop_->timer.async_wait([this](const error_code& error) {
    if (!error) tick();
  });
}

Partition::Pressure Worker::pressure() const {
  if (shared_.storage_full.load(std::memory_order_relaxed)) return Partition::Pressure::storage_full;
  return shared_.state->lagging() ? Partition::Pressure::lagging : Partition::Pressure::none;
}

void Worker::publish_figures() {
  Figures sum;
  sum.turns = turns_;
  if (gateway_) sum.gateway = gateway_->figures();
  if (router_) sum.asks = router_->open();
  if (router_) sum.asked_again = router_->asked_again();
  for (const Slot& slot : slots_) {
    if (!slot.copy) continue;
    sum.partitions += slot.copy->figures();
    sum.open_partitions += slot.copy->serving() ? 1 : 0;
    ++sum.roles[slot.copy->replica().role()];
  }
  const std::lock_guard lock(mutex_);
  figures_ = sum;
}

Worker::Figures Worker::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

}  // namespace holdfast

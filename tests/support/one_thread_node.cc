#include "tests/support/one_thread_node.h"

#include <deque>

#include "base/check.h"
#include "proto/state.pb.h"
#include "server/recovery.h"
#include "server/services/delivery.h"
#include "storage/keys.h"
#include "storage/state_batch.h"
#include "storage/state_store.h"
#include "tests/support/one_thread_door.h"

namespace holdfast {
namespace {

constexpr std::chrono::hours kClockJumpMax{24};
constexpr std::uint64_t kTickEvery = 128;  // steps, about
constexpr std::size_t kHashBytes = 32;

}  // namespace

/// What a crash takes.
struct OneThreadNode::Running {
  struct ToApply {
    PartitionId partition;
    std::shared_ptr<const log::Entry> entry;
  };
  struct WaitingRange {
    PartitionId partition;
    std::uint64_t life;
    Partition::RangeWanted wanted;
  };
  struct Channel {
    std::deque<Call> mail;
  };

  explicit Running(MemoryDatabase& log_database, const chat::Limits& limits)
      : log(log_database), config(log), delivery(limits) {}

  LogStore log;
  failover::EmbeddedConfigStore config;
  services::Delivery delivery;
  std::optional<chat::TokenKeys> keys;
  std::vector<std::unique_ptr<Copy>> copies;
  std::vector<bool> touched;
  std::vector<PartitionId> turns;
  std::vector<Channel> channels;       // [from * places + to]
  std::vector<std::size_t> with_mail;  // channels that are not empty
  std::vector<Call> pool;              // in any order
  std::deque<LogWrite> to_commit;
  std::deque<ToApply> to_apply;
  std::vector<Seq> applied, flushed;
  std::vector<WaitingRange> ranges;
};

OneThreadNode::OneThreadNode(OneThreadOptions options)
    : options_(std::move(options)),
      random_(options_.seed),
      limit_(std::make_shared<WriteLimit>()),
      log_database_(limit_),
      state_database_(limit_),
      archive_(options_.partitions) {
  for (std::uint16_t d = 0; d < options_.doors; ++d) doors_.push_back(std::make_unique<Door>(*this, d));
  log_database_.on_write([this](const Batch* batch, Durability durability) {
    if (batch && durability == Durability::synced) keep(*batch);
  });
}

OneThreadNode::~OneThreadNode() = default;

chat::Backend& OneThreadNode::backend(std::uint16_t door) { return *doors_[door]; }
chat::Attachments& OneThreadNode::attachments(std::uint16_t door) { return *doors_[door]; }
Copy& OneThreadNode::copy(std::uint16_t index) { return *running_->copies[index]; }

void OneThreadNode::keep(const Batch& batch) {
  for (const BatchOp& op : batch.ops()) {
    if (op.kind != BatchOp::Kind::put || op.key.size() <= keys::kPartitionBytes || op.key[2] != 'e') continue;
    const auto at = keys::split(op.key);
    if (at->partition.value >= options_.partitions) continue;  // the configuration store's
    log::Entry entry;
    HF_CHECK(entry.ParseFromString(std::string(op.value.substr(kHashBytes))), "an entry parses");
    auto& entries = archive_[at->partition.value];
    HF_CHECK(entry.seq() == entries.size() + 1, "I4: an entry is written once, and right behind the one before");
    entries.push_back(std::move(entry));
  }
}

// ------------------------------------------------------------------------------------------------ start and crash

Status OneThreadNode::start() {
  HF_CHECK(!running_, "a node is started once");
  limit_->on_reached([this] { dead_ = true; });
  running_ = std::make_unique<Running>(log_database_, options_.limits);
  Running& r = *running_;
  auto keys = load_token_keys(r.config, wall_, random_);
  if (!keys) return keys.error();
  r.keys = std::move(*keys);
  auto settings = load_settings(r.config, options_.partitions, random_);
  if (!settings) return settings.error();
  auto recovered =
      recover_partitions(r.log, state_database_, settings->partitions, Replay::everything, wall_, kClockJumpMax, false);
  if (!recovered) return recovered.error();
  const failover::Member self{NodeId(1), StoreId()};
  auto rows = take_epochs(r.config, *recovered, self);
  if (!rows) return rows.error();

  const std::size_t places = applier() + 1;
  r.channels.resize(places * places);
  r.touched.resize(options_.partitions);
  PartitionOptions options = options_.partition;
  options.partitions = settings->partitions;
  for (std::size_t p = 0; p < recovered->size(); ++p) {
    const RecoveredPartition& one = (*recovered)[p];
    state::Cursor cursor;
    const auto row = state_database_.get(keys::stored(one.id, keys::cursor(r.delivery.name())));
    HF_CHECK(row && (!*row || cursor.ParseFromString(**row)), "a cursor parses");
    options.id = one.id;
    r.copies.push_back(std::make_unique<Copy>(options, options_.limits, self,
                                              Copy::Found{one.log, {{&r.delivery, Seq(cursor.seq())}}}));
    r.applied.push_back(one.log.last_seq);
    r.flushed.push_back(*applied_seq(state_database_, one.id, true));
    r.copies.back()->replica().configured((*rows)[p]);
    touch(one.id).tick(steady_, wall_);
  }
  return Ok{};
}

void OneThreadNode::crash() {
  running_.reset();
  connections_.clear();
  dead_ = false;
  log_database_.crash(random_.below(log_database_.forgettable() + 1));
  state_database_.crash(random_.below(state_database_.forgettable() + 1));
}

// ------------------------------------------------------------------------------------------------ one thing at a time

bool OneThreadNode::step() {
  if (!is_running()) return false;
  Running& r = *running_;
  if (!r.to_apply.empty() && random_.below(options_.state_lag) == 0) {
    apply_some(1 + random_.below(r.to_apply.size()));
    return true;
  }
  const std::size_t commit = r.to_commit.empty() ? 0 : 1;
  const std::size_t choices = r.with_mail.size() + r.pool.size() + r.turns.size() + commit;
  if (choices == 0) {
    if (r.to_apply.empty()) return false;
    apply_some(1 + random_.below(r.to_apply.size()));
    return true;
  }
  if (random_.below(kTickEvery) == 0) advance(std::chrono::milliseconds(10));
  if (options_.flush_every > 0 && random_.below(options_.flush_every) == 0) flush_and_trim();
  if (is_dead()) return false;
  std::size_t pick = random_.below(choices);
  if (pick < r.with_mail.size()) {
    auto& mail = r.channels[r.with_mail[pick]].mail;
    const Call call = std::move(mail.front());
    mail.pop_front();
    if (mail.empty()) {
      r.with_mail[pick] = r.with_mail.back();
      r.with_mail.pop_back();
    }
    call();
    return true;
  }
  pick -= r.with_mail.size();
  if (pick < r.pool.size()) {
    std::swap(r.pool[pick], r.pool.back());
    const Call call = std::move(r.pool.back());
    r.pool.pop_back();
    call();
    return true;
  }
  pick -= r.pool.size();
  if (pick < r.turns.size()) {
    const PartitionId id = r.turns[pick];
    r.turns.erase(r.turns.begin() + static_cast<std::ptrdiff_t>(pick));
    turn(id);
    return true;
  }
  commit_some();
  return true;
}

void OneThreadNode::advance(std::chrono::milliseconds by) {
  wall_ += by;
  steady_ += by;
  if (!is_running()) return;
  for (const auto& copy : running_->copies) touch(copy->id()).tick(steady_, wall_);
}

void OneThreadNode::apply_all() {
  while (is_running() && !running_->to_apply.empty()) apply_some(running_->to_apply.size());
}

void OneThreadNode::send(std::size_t from, std::size_t to, Call call) {
  const std::size_t place = from * (applier() + 1) + to;
  auto& mail = running_->channels[place].mail;
  if (mail.empty()) running_->with_mail.push_back(place);
  mail.push_back(std::move(call));
}

void OneThreadNode::later(Call call) { running_->pool.push_back(std::move(call)); }

Copy& OneThreadNode::touch(PartitionId id) {
  if (!running_->touched[id.value]) running_->turns.push_back(id);
  running_->touched[id.value] = true;
  return *running_->copies[id.value];
}

void OneThreadNode::turn(PartitionId id) {
  running_->touched[id.value] = false;
  Copy& copy = *running_->copies[id.value];
  copy.set_pressure(pressure_);
  carry_out(id, copy.take_ready(wall_));
}

// ------------------------------------------------------------------------------------------------ what partitions ask for

void OneThreadNode::carry_out(PartitionId id, Copy::Ready ready) {
  Running& r = *running_;
  for (LogWrite& write : ready.writes) r.to_commit.push_back(std::move(write));
  for (auto& entry : ready.apply) r.to_apply.push_back({id, std::move(entry.entry)});
  Partition::Ready& serving = ready.serving;
  for (std::string& key : serving.rows) load_row(id, ready.life, std::move(key));
  for (auto& wanted : serving.ranges) load_range(id, ready.life, std::move(wanted));
  for (const auto& wanted : serving.log) read_log(id, ready.life, wanted);
  for (auto& sent : serving.commands) {
    ask(id.value, sent.target, std::move(sent.command),
        [this, id, life = ready.life, subscriber = sent.subscriber, seq = sent.seq,
         event = sent.event](const command::Answer&) { touch(id).command_done(life, subscriber, seq, event); });
  }
  for (const auto& each : serving.tells) tell(id.value, each);
  for (auto& delivery : serving.deliveries) deliver(id.value, std::move(delivery));
  for (auto& [then, answer] : serving.answers) then(std::move(answer));
}

/// The answer comes back on the way from the partition to who asked.
void OneThreadNode::ask(std::size_t from, PartitionId partition, command::Command command, Answered then) {
  const bool is_post = command.request().has_post();
  Answered back = [this, from, partition, is_post, then = std::move(then)](command::Answer answer) {
    if (is_post && answer.frame().has_error()) ++refused_posts_;
    send(partition.value, from, [then, answer = std::move(answer)] { then(answer); });
  };
  send(from, partition.value, [this, partition, command = std::move(command), back = std::move(back)]() mutable {
    touch(partition).submit(std::move(command), std::move(back));
  });
}

/// Sometimes from memory at once; otherwise read at one moment and brought at another.
void OneThreadNode::load_row(PartitionId id, std::uint64_t life, std::string key) {
  const auto read = [this, id, key] {
    auto row = state_database_.get(keys::stored(id, key));
    HF_CHECK(row, "memory can be read");
    return std::move(*row);
  };
  if (random_.below(2) == 0) return touch(id).row_loaded(life, key, read());
  later([this, id, life, key, read] {
    later([this, id, life, key, row = read()] { touch(id).row_loaded(life, key, row); });
  });
}

void OneThreadNode::load_range(PartitionId id, std::uint64_t life, Partition::RangeWanted wanted) {
  if (running_->applied[id.value] < wanted.applied) {
    running_->ranges.push_back({id, life, std::move(wanted)});
    return;
  }
  later([this, id, life, wanted = std::move(wanted)] {
    Range range = wanted.range;
    range.from = keys::stored(id, range.from);
    range.until = keys::stored_until(id, range.until);
    auto rows = state_database_.scan(range);
    HF_CHECK(rows, "memory can be read");
    for (Row& row : *rows) row.key.erase(0, keys::kPartitionBytes);
    later([this, id, life, ticket = wanted.ticket, rows = std::move(*rows)] {
      touch(id).range_loaded(life, ticket, rows);
    });
  });
}

void OneThreadNode::read_log(PartitionId id, std::uint64_t life, Partition::LogWanted wanted) {
  later([this, id, life, wanted] {
    auto stored = running_->log.read(id, wanted.from, 1 + random_.below(4096));
    HF_CHECK(stored, "the log has what its subscribers need");
    std::vector<std::shared_ptr<const log::Entry>> entries;
    for (StoredEntry& each : *stored) entries.push_back(std::make_shared<const log::Entry>(std::move(each.entry)));
    later([this, id, life, wanted, entries = std::move(entries)] {
      touch(id).log_read(life, wanted.subscriber, entries);
    });
  });
}

void OneThreadNode::tell(std::size_t from, const chat::TellUsers& all) {
  std::map<PartitionId, chat::TellUsers> by_partition;
  for (const UserId& user : all.users) by_partition[partition_of(user, options_.partitions)].users.push_back(user);
  for (auto& [partition, part] : by_partition) {
    part.frame = all.frame;
    send(from, partition.value, [this, to = partition, what = part] {
      if (Partition* here = touch(to).serving()) here->tell(what);
    });
  }
}

void OneThreadNode::deliver(std::size_t from, chat::Delivery delivery) {
  const auto connection = std::visit([](const auto& d) { return d.connection; }, delivery);
  send(from, door_place(connection.worker), [this, connection, delivery = std::move(delivery)] {
    const auto at = connections_.find(connection);
    if (at == connections_.end()) return;
    const auto on_delivery = at->second;  // it may disconnect
    on_delivery(delivery);
  });
}

// ------------------------------------------------------------------------------------------------ what the disk does

void OneThreadNode::commit_some() {
  Running& r = *running_;
  const std::size_t count = 1 + random_.below(r.to_commit.size());
  const std::vector<LogWrite> writes(r.to_commit.begin(), r.to_commit.begin() + static_cast<std::ptrdiff_t>(count));
  r.to_commit.erase(r.to_commit.begin(), r.to_commit.begin() + static_cast<std::ptrdiff_t>(count));
  LogBatch batch;
  for (const LogWrite& write : writes) batch.add(write);
  if (!log_database_.write(batch.batch(), Durability::synced)) return;
  for (const LogWrite& write : writes)
    send(committer(), write.partition.value,
         [this, id = write.partition, ticket = write.ticket] { touch(id).replica().durable(ticket); });
}

void OneThreadNode::apply_some(std::size_t entries) {
  Running& r = *running_;
  const std::vector<Running::ToApply> taken(r.to_apply.begin(),
                                            r.to_apply.begin() + static_cast<std::ptrdiff_t>(entries));
  r.to_apply.erase(r.to_apply.begin(), r.to_apply.begin() + static_cast<std::ptrdiff_t>(entries));
  StateBatch& batch = state_batch_;
  batch.clear();
  for (const auto& one : taken) {
    HF_CHECK(one.entry->seq() <= archive_[one.partition.value].size(), "I11: only what is durable is applied");
    batch.add(one.partition, *one.entry);
  }
  if (!state_database_.write(batch.finish(), Durability::written)) return;
  for (const auto& [partition, seq] : batch.applied()) {
    HF_CHECK(seq > r.applied[partition.value], "entries are applied in order");
    r.applied[partition.value] = seq;
    send(applier(), partition.value, [this, id = partition, at = seq] { running_->copies[id.value]->applied(at); });
  }
  for (auto& waiting : std::exchange(r.ranges, {}))
    load_range(waiting.partition, waiting.life, std::move(waiting.wanted));
}

void OneThreadNode::flush_and_trim() {
  Running& r = *running_;
  const auto applied = r.applied;
  if (!state_database_.flush()) return;
  r.flushed = applied;
  for (std::uint16_t p = 0; p < options_.partitions; ++p) {
    const std::uint64_t done = std::min(r.copies[p]->slowest_cursor(), r.flushed[p]).value;
    if (done <= options_.log_keep_entries) continue;
    later([this, p, first = Seq(done - options_.log_keep_entries + 1)] {
      const Status trimmed = running_->log.trim(PartitionId(p), first);
      HF_CHECK(trimmed || is_dead(), "the log can be trimmed");
    });
  }
}

// ------------------------------------------------------------------------------------------------ doors

chat::ConnectionRef OneThreadNode::connect(std::uint16_t door, std::function<void(chat::Delivery)> on_delivery) {
  const chat::ConnectionRef connection{door, next_connection_++};
  connections_.emplace(connection, std::move(on_delivery));
  return connection;
}

void OneThreadNode::disconnect(chat::ConnectionRef connection) { connections_.erase(connection); }

void OneThreadNode::Door::ask(PartitionId partition, command::Command command,
                              std::function<void(command::Answer)> then) {
  node_.ask(place(), partition, std::move(command), std::move(then));
}

void OneThreadNode::Door::hash_password(std::string password, std::function<void(Result<std::string>)> then) {
  node_.later([then = std::move(then), hash = "hash of " + password] { then(hash); });
}

void OneThreadNode::Door::verify_password(std::string hash, std::string password,
                                          std::function<void(Result<bool>)> then) {
  node_.later([then = std::move(then), right = hash == "hash of " + password] { then(right); });
}

std::uint16_t OneThreadNode::Door::partitions() const { return node_.options_.partitions; }
const chat::Limits& OneThreadNode::Door::limits() const { return node_.options_.limits; }
const chat::TokenKeys& OneThreadNode::Door::token_keys() const { return *node_.running_->keys; }
WallTime OneThreadNode::Door::now() const { return node_.wall_; }
Random& OneThreadNode::Door::random() { return node_.random_; }
SteadyTime OneThreadNode::Door::confirmed_at(PartitionId) const { return node_.steady_; }
std::size_t OneThreadNode::Door::place() const { return node_.door_place(index_); }

void OneThreadNode::Door::rotate_token_key(std::function<void(Status)> then) {
  node_.later([&node = node_, then = std::move(then)] {
    Running& r = *node.running_;
    chat::TokenKeys rotated = r.keys->rotated(node.wall_, node.options_.limits.session_unused_max, node.random_);
    const Status stored = store_token_keys(r.config, rotated);
    if (node.is_dead()) return;
    if (stored) r.keys = std::move(rotated);
    then(stored);
  });
}

void OneThreadNode::Door::attach(const chat::Attach& attach) {
  const PartitionId id = partition_of(attach.user, node_.options_.partitions);
  node_.send(place(), id.value, [&node = node_, id, attach] {
    if (Partition* here = node.touch(id).serving()) here->attach(attach);
  });
}

void OneThreadNode::Door::detach(const UserId& user, chat::ConnectionRef connection) {
  const PartitionId id = partition_of(user, node_.options_.partitions);
  node_.send(place(), id.value, [&node = node_, id, user, connection] {
    if (Partition* here = node.touch(id).serving()) here->detach(user, connection);
  });
}

void OneThreadNode::Door::give_credit(const UserId& user, chat::ConnectionRef connection, std::uint64_t bytes) {
  const PartitionId id = partition_of(user, node_.options_.partitions);
  node_.send(place(), id.value, [&node = node_, id, connection, bytes] {
    if (Partition* here = node.touch(id).serving()) here->give_credit(connection, bytes);
  });
}

void OneThreadNode::Door::watch_presence(chat::ConnectionRef watcher, const std::vector<UserId>& users) {
  for (const UserId& user : users) {
    const PartitionId id = partition_of(user, node_.options_.partitions);
    node_.send(place(), id.value, [&node = node_, id, watcher, user] {
      if (Partition* here = node.touch(id).serving()) here->watch_presence(watcher, {user});
    });
  }
}

}  // namespace holdfast

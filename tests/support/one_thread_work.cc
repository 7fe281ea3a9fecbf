/// OneThreadNode: what its partitions ask for, and what its disk does.
#include "base/check.h"
#include "proto/state.pb.h"
#include "server/gateway/session.h"
#include "server/peer_frames.h"
#include "storage/keys.h"
#include "tests/support/one_thread_door.h"
#include "tests/support/one_thread_running.h"

namespace holdfast {
namespace {

/// NodeMutant::members_of_now: whoever is a member is one of all changes, and who has left, of none.
void make_members_of_now(std::vector<Row>& rows) {
  for (Row& row : rows) {
    if (static_cast<keys::Family>(row.key.front()) != keys::Family::member) continue;
    state::MemberRow member;
    HF_CHECK(member.ParseFromString(row.value), "a stored row parses");
    if (member.intervals().empty()) continue;
    const bool left = member.intervals().rbegin()->left() != 0;
    member.clear_intervals();
    auto& interval = *member.add_intervals();
    interval.set_joined(left ? UINT64_MAX : 1);
    interval.set_left(left ? UINT64_MAX : 0);
    row.value = member.SerializeAsString();
  }
}

}  // namespace

// ------------------------------------------------------------------------------------------------ what partitions ask for

void OneThreadNode::carry_out(PartitionId id, Copy::Ready ready) {
  Running& r = *running_;
  for (LogWrite& write : ready.writes) r.to_commit.push_back(std::move(write));
  for (auto& entry : ready.apply) {
    if (r.joined) r.joined->around->committed(id, entry);
    r.to_apply.push_back({id, std::move(entry.entry)});
  }
  if (r.joined) replicate(id, ready);
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
  for (chat::BeginIntent& intent : serving.intents) begin(id, std::move(intent));
  for (auto& delivery : serving.deliveries) deliver(id.value, std::move(delivery));
  for (auto& [then, answer] : serving.answers) then(std::move(answer));
}

void OneThreadNode::begin(PartitionId id, chat::BeginIntent intent) {
  if (options_.outside == nullptr) return;
  command::Command answer;
  answer.set_user(intent.user.str());
  answer.mutable_intent_done()->set_intent(intent.id.str());
  options_.outside->begin(*doors_.front(), std::move(intent), {}, [this, id, answer](const command::IntentDone& done) {
    command::Command command = answer;
    command.mutable_intent_done()->MergeFrom(done);
    ask(id.value, id, std::move(command), [](const command::Answer&) {});
  });
}

/// The answer comes back on the way from the partition to who asked.
void OneThreadNode::ask(std::size_t from, PartitionId partition, command::Command command, Answered then) {
  const std::string post = command.request().post().client_message_id();
  if (running_->joined) {
    if (!post.empty())
      then = [this, post, then = std::move(then)](command::Answer answer) {
        if (answer.frame().has_error()) refused_posts_.insert(post);
        then(std::move(answer));
      };
    running_->routers[from]->ask(partition, std::move(command), std::move(then));
    return wake_router(from);
  }
  Answered back = [this, from, partition, post, then = std::move(then)](command::Answer answer) {
    if (!post.empty() && answer.frame().has_error()) refused_posts_.insert(post);
    send(partition.value, from, [then, answer = std::move(answer)] { then(answer); });
  };
  send(from, partition.value, [this, partition, command = std::move(command), back = std::move(back)]() mutable {
    touch(partition).submit(std::move(command), std::move(back));
  });
}

/// Sometimes from memory at once; otherwise read at one moment and brought at another.
void OneThreadNode::load_row(PartitionId id, std::uint64_t life, std::string key) {
  const auto read = [this, id, key]() -> std::optional<std::string> {
    const NodeMutant mutant = running_->joined ? running_->joined->mutant : NodeMutant::none;
    const auto family = static_cast<keys::Family>(key.front());
    if (mutant == NodeMutant::forgets_client_ids && family == keys::Family::client_id) return std::nullopt;
    if (mutant == NodeMutant::forgets_sources && family == keys::Family::source) return std::nullopt;
    auto row = state_database_.get(keys::stored(id, key));
    if (!is_read(row)) return std::nullopt;
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
    if (!is_read(rows)) return;
    for (Row& row : *rows) row.key.erase(0, keys::kPartitionBytes);
    if (running_->joined && running_->joined->mutant == NodeMutant::members_of_now) make_members_of_now(*rows);
    later([this, id, life, ticket = wanted.ticket, rows = std::move(*rows)] {
      touch(id).range_loaded(life, ticket, rows);
    });
  });
}

void OneThreadNode::read_log(PartitionId id, std::uint64_t life, Partition::LogWanted wanted) {
  later([this, id, life, wanted] {
    auto stored = running_->log.read(id, wanted.from, 1 + random_.below(4096));
    if (!is_read(stored) && is_dead()) return;
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
    if (to_other_node(from, partition, [&, id = partition, &what = part](peer::Frame& frame) {
          peers::fill(*frame.mutable_tell(), id, what);
        }))
      continue;
    send(from, partition.value, [this, to = partition, what = part] {
      if (Partition* here = touch(to).serving()) here->tell(what);
    });
  }
}

void OneThreadNode::deliver(std::size_t from, chat::Delivery delivery) {
  const auto connection = std::visit([](const auto& d) { return d.connection; }, delivery);
  if (connection.node != NodeId{}) {
    for (peer::Frame& frame : peers::deliver({std::move(delivery)}))
      running_->joined->around->send(connection.node, std::move(frame));
    return;
  }
  send(from, door_place(connection.worker), [this, connection, delivery = std::move(delivery)] {
    const auto at = connections_.find(gateway::connection_of(connection));
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
  for (const LogWrite& write : writes) {
    if (write.cut) lower_floor(write.partition, Seq(write.cut->first.value - 1));
    batch.add(write);
  }
  if (!log_database_.write(batch.batch(), Durability::synced)) return;
  next_sync_ = steady_ + sync_;
  ++syncs_;
  for (const LogWrite& write : writes)
    if (!write.entries.empty()) floor_[write.partition.value] = write.entries.back()->seq;
  for (const LogWrite& write : writes)
    send(committer(), write.partition.value,
         [this, id = write.partition, ticket = write.ticket] { touch(id).replica().durable(ticket); });
}

DiskWatch::Syncs OneThreadNode::syncs() {
  const bool waits = disk_hangs_ && is_running() && !running_->to_commit.empty();
  if (!waits)
    hangs_since_ = {};
  else if (hangs_since_ == SteadyTime{})
    hangs_since_ = steady_;
  return {syncs_, {}, hangs_since_};
}

bool OneThreadNode::may_commit() const {
  return !running_->to_commit.empty() && !disk_hangs_ &&
         (sync_ == std::chrono::milliseconds{} || steady_ >= next_sync_);
}

Status OneThreadNode::check_floor() {
  const LogStore log(log_database_);
  for (std::uint16_t p = 0; p < options_.partitions; ++p) {
    const auto bounds = log.bounds(PartitionId(p));
    if (!bounds) return bounds.error();
    if (bounds->second < floor_[p])
      return Error{Errc::corrupt, "a log ends before entry " + std::to_string(floor_[p].value)};
  }
  return Ok{};
}

/// In one batch, unless a mutant has it otherwise.
Status OneThreadNode::write_state(const Batch& batch) {
  if (!running_->joined || running_->joined->mutant != NodeMutant::mark_before_rows)
    return state_database_.write(batch, Durability::written);
  Batch marks, rows;
  for (const BatchOp& op : batch.ops()) {
    const bool mark = op.kind == BatchOp::Kind::put && keys::split(op.key)->key == keys::applied();
    if (op.kind == BatchOp::Kind::put) (mark ? marks : rows).put(op.key, op.value);
    if (op.kind == BatchOp::Kind::remove) rows.remove(op.key);
    if (op.kind == BatchOp::Kind::remove_range) rows.remove_range(op.key, op.value);
  }
  if (const Status written = state_database_.write(marks, Durability::written); !written) return written;
  return state_database_.write(rows, Durability::written);
}

void OneThreadNode::apply_some(std::size_t entries) {
  Running& r = *running_;
  const std::vector<Running::ToApply> taken(r.to_apply.begin(),
                                            r.to_apply.begin() + static_cast<std::ptrdiff_t>(entries));
  r.to_apply.erase(r.to_apply.begin(), r.to_apply.begin() + static_cast<std::ptrdiff_t>(entries));
  StateBatch& batch = state_batch_;
  batch.clear();
  for (const auto& one : taken) {
    HF_CHECK(r.joined || one.entry->seq() <= archive_[one.partition.value].size(),
             "I11: only what is durable is applied");
    batch.add(one.partition, *one.entry);
  }
  if (!write_state(batch.finish())) return;
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
  for (std::uint16_t p = 0; p < options_.partitions; ++p)
    send(applier(), p, [this, id = PartitionId(p), at = r.flushed[p]] { trim(id, at); });
}

/// What the log is needed for is known where the partition is; and nobody trims a log while another takes its place.
void OneThreadNode::trim(PartitionId id, Seq flushed) {
  const bool past = running_->joined && running_->joined->mutant == NodeMutant::trims_past_cursors;
  const std::uint64_t done = past ? flushed.value : running_->copies[id.value]->log_may_go_to(flushed).value;
  if (done <= options_.log_keep_entries) return;
  running_->filling.push_back([this, id, first = Seq(done - options_.log_keep_entries)] {
    const Status trimmed = running_->log.trim(id, first);
    HF_CHECK(trimmed || is_dead() || trimmed.error().code == Errc::corrupt, "the log can be trimmed");
  });
}

}  // namespace holdfast

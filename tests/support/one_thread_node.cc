#include "tests/support/one_thread_node.h"

#include "base/check.h"
#include "proto/state.pb.h"
#include "server/recovery.h"
#include "storage/keys.h"
#include "storage/state_batch.h"
#include "storage/state_store.h"
#include "tests/support/one_thread_door.h"
#include "tests/support/one_thread_running.h"

namespace holdfast {
namespace {

constexpr std::chrono::hours kClockJumpMax{24};
constexpr std::uint64_t kTickEvery = 128;  // steps, about
constexpr std::size_t kHashBytes = 32;

}  // namespace

OneThreadNode::OneThreadNode(OneThreadOptions options)
    : options_(std::move(options)),
      random_(options_.seed),
      floor_(options_.partitions),
      limit_(std::make_shared<WriteLimit>()),
      log_database_(limit_),
      state_database_(limit_),
      archive_(options_.partitions) {
  die_at_limit();
  for (std::uint16_t d = 0; d < options_.doors; ++d) doors_.push_back(std::make_unique<Door>(*this, d));
  log_database_.on_write([this](const Batch* batch, Durability durability) {
    if (batch && durability == Durability::synced && (!running_ || !running_->joined)) keep(*batch);
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
  running_ = std::make_unique<Running>(log_database_, options_);
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
  add_copies(*recovered, self, {});
  for (std::size_t p = 0; p < rows->size(); ++p) {
    r.copies[p]->replica().configured((*rows)[p]);
    touch((*recovered)[p].id).tick(steady_, wall_);
  }
  return Ok{};
}

void OneThreadNode::add_copies(const std::vector<RecoveredPartition>& recovered, failover::Member self,
                               failover::Replica::Options replica) {
  Running& r = *running_;
  r.channels.resize(places() * places());
  r.touched.resize(options_.partitions);
  PartitionOptions options = options_.partition;
  options.partitions = options_.partitions;
  for (const RecoveredPartition& one : recovered) {
    auto subscribers = subscribers_at(state_database_, one, r.services);
    if (!is_read(subscribers)) return;
    options.id = one.id;
    r.copies.push_back(
        std::make_unique<Copy>(options, options_.limits, self, Copy::Found{one.log, std::move(*subscribers)}, replica));
    r.applied.push_back(Seq(one.log.last_seq.value - one.log.tail.size()));
    r.flushed.push_back(*applied_seq(state_database_, one.id, true));
  }
}

/// The limit tells of its end once.
void OneThreadNode::die_at_limit() {
  limit_->on_reached([this] { dead_ = true; });
}

void OneThreadNode::crash() {
  running_.reset();
  disk_hangs_ = false;
  hangs_since_ = {};
  connections_.clear();
  dead_ = false;
  die_at_limit();
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
  const std::size_t commit = may_commit() ? 1 : 0;
  const std::size_t fill = r.filling.empty() ? 0 : 1;
  const std::size_t choices = r.with_mail.size() + r.pool.size() + r.turns.size() + r.routes.size() + fill + commit;
  if (choices == 0) {
    if (r.to_apply.empty()) return false;
    apply_some(1 + random_.below(r.to_apply.size()));
    return true;
  }
  if (!r.joined && random_.below(kTickEvery) == 0) advance(std::chrono::milliseconds(10));
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
  pick -= r.turns.size();
  if (pick < r.routes.size()) {
    route_one(pick);
    return true;
  }
  pick -= r.routes.size();
  if (pick < fill) {
    const Call job = std::move(r.filling.front());
    r.filling.pop_front();
    job();
    return true;
  }
  commit_some();
  return true;
}

bool OneThreadNode::has_work() const {
  if (!is_running()) return false;
  const Running& r = *running_;
  return !r.with_mail.empty() || !r.pool.empty() || !r.turns.empty() || !r.routes.empty() || !r.filling.empty() ||
         may_commit() || !r.to_apply.empty();
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
  const std::size_t place = from * places() + to;
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

}  // namespace holdfast

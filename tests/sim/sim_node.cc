#include "tests/sim/sim_node.h"

#include "base/check.h"
#include "server/membership.h"
#include "storage/snapshot_target.h"

namespace holdfast::sim {
namespace {

constexpr Millis kTick{20}, kWorkerTick{100}, kConfirm{250}, kKeepLease{500}, kClockOffMax{10'000};

}  // namespace

SimNode::SimNode(Agenda& agenda, SimStore& store, SimNetwork& network, SimNodeOptions options, Listener listener)
    : agenda_(agenda),
      store_(store),
      network_(network),
      options_(std::move(options)),
      listener_(std::move(listener)),
      pace_(0.9995 + 0.00001 * static_cast<double>(agenda.random().below(100))),
      confirmations_(options_.node.partitions) {
  make_disk();
}

void SimNode::make_disk() {
  if (node_) past_.push_back(std::move(node_));
  OneThreadOptions options = options_.node;
  options.seed = agenda_.random().next();
  node_ = std::make_unique<OneThreadNode>(options);
  store_id_ = agenda_.random().id<StoreId>();
  damaged_ = told_damaged_ = false;
}

bool SimNode::damage(Damage how) {
  HF_CHECK(!controller_, "a disk is damaged while the node is down");
  const bool state = how == Damage::unreadable && agenda_.chance(50);
  MemoryDatabase& database = state ? node_->state_database() : node_->log_database();
  const PartitionId partition(static_cast<std::uint16_t>(agenda_.random().below(options_.node.partitions)));
  Range range{.from = LogStore::entry_key(partition, Seq(1)), .until = LogStore::after_entries(partition)};
  if (how == Damage::unreadable) range = {};
  range.limit = range.bytes_max = SIZE_MAX;
  const auto rows = database.scan(range);
  HF_CHECK(rows, "a disk is damaged once");
  if (rows->empty()) return false;
  const bool tail = how == Damage::torn_tail || how == Damage::lost_tail;
  const bool newest = tail || agenda_.chance(30);
  Row row = newest ? rows->back() : (*rows)[agenda_.random().below(rows->size())];
  if (how == Damage::unreadable) database.make_unreadable(row.key);
  if (tail) database.replace_silently(row.key, std::nullopt);
  if (how == Damage::lost_tail) node_->lower_floor(partition, LogStore(database).bounds(partition)->second);
  if (how == Damage::flipped) {
    char& byte = row.value[agenda_.random().below(row.value.size())];
    byte = static_cast<char>(byte ^ (1 << agenda_.random().below(8)));
    database.replace_silently(row.key, row.value);
  }
  damaged_ = true;
  return true;
}

bool SimNode::is_found_damaged() const {
  return damaged_ &&
         (told_damaged_ || node_->log_database().found_unreadable() || node_->state_database().found_unreadable());
}

SteadyTime SimNode::steady() const {
  return SteadyTime(SteadyTime::duration(
      static_cast<SteadyTime::rep>(static_cast<double>(agenda_.now().time_since_epoch().count()) * pace_)));
}

WallTime SimNode::wall() const {
  return from_ms(1'700'000'000'000) + std::chrono::duration_cast<Millis>(agenda_.now().time_since_epoch()) +
         wall_offset_;
}

// ------------------------------------------------------------------------------------------------ lives

bool SimNode::start() {
  HF_CHECK(!controller_, "a node is started once");
  const bool started = !is_found_damaged() && try_start();
  if (!started && is_found_damaged()) {
    ++damage_found_;
    wipe();
    return false;
  }
  if (!node_->is_dead()) return started;
  ++deaths_;
  if (started)
    crash();
  else
    node_->crash();
  return false;
}

void SimNode::start_alone() {
  HF_CHECK(!controller_ && id_ == NodeId{}, "who belongs to a cluster is never alone again");
  node_->set_time(steady(), wall());
  HF_CHECK(node_->start(), "a node starts alone");
}

void SimNode::crash_alone() { node_->crash(); }

void SimNode::limit_store_writes(std::uint64_t n, WriteLimit::When when) {
  store_writes_left_ = n;
  store_writes_end_ = when;
}

MortalStore::Fate SimNode::next_store_write() {
  if (--store_writes_left_ > 0) return MortalStore::Fate::goes_on;
  store_writes_left_ = UINT64_MAX;
  node_->die();
  return store_writes_end_ == WriteLimit::When::before ? MortalStore::Fate::dies_before : MortalStore::Fate::dies_after;
}

bool SimNode::try_start() {
  const std::uint16_t partitions = options_.node.partitions;
  node_->set_time(steady(), wall());
  LogStore log(node_->log_database());
  if (!discard_interrupted(node_->log_database(), node_->state_database(), partitions)) return false;
  auto recovered = recover_partitions(log, node_->state_database(), partitions, Replay::nothing, wall(),
                                      std::chrono::hours(24), false);
  const Status floor = node_->check_floor();
  if (!recovered || !floor) {
    const Error error = recovered ? floor.error() : recovered.error();
    told_damaged_ = damaged_ && error.code == Errc::corrupt;
    if (!told_damaged_ && !node_->is_dead()) listener_.wrong("recovery: " + error.message);
    return false;
  }
  JoinRequest request{options_.name, partitions, false, wall()};
  Epoch highest{};
  for (const RecoveredPartition& one : *recovered) {
    request.has_data |= one.log.last_seq > Seq{};
    highest = std::max(highest, one.log.promised);
  }
  failover::EmbeddedConfigStore embedded(log);
  ForgetfulStore own(embedded, options_.node_mutant == NodeMutant::founds_unnoted ? "belongs" : "");
  SimStore::Direct reached(store_, id_);
  MortalStore direct(reached, [this] { return next_store_write(); });
  // join_cluster() would wait for the lease of an earlier life to end, in real time.
  const auto belongs = cluster_of(own);
  if (belongs && belongs->empty() && name_is_registered()) return false;
  auto membership = join_cluster(direct, own, request, agenda_.random());
  if (!membership) return false;  // its name is in use until its lease ends, or the store is away
  auto keys = load_token_keys(direct, wall(), agenda_.random());
  if (!keys) return false;

  id_ = membership->node;
  boot_ = agenda_.random().id<BootId>();
  network_.add(id_, *this);
  node_->join(*recovered, {.around = this,
                           .self = {id_, store_id_},
                           .keys = std::move(*keys),
                           .first_route = static_cast<std::uint64_t>(to_ms(wall())) << 20,
                           .replica = options_.replica,
                           .mutant = options_.node_mutant});
  const bool low = options_.node_mutant == NodeMutant::founds_low_epochs;
  run_controller(membership->founder, low ? Epoch(1) : highest.next());
  return true;
}

bool SimNode::name_is_registered() const {
  for (const auto& [key, row] : store_.rows().rows) {
    log::NodeRow node;
    if (key.starts_with("node/") && node.ParseFromString(row.value) && node.name() == options_.name) return true;
  }
  return false;
}

void SimNode::run_controller(bool founder, Epoch founder_epoch) {
  failover::ControllerOptions options = options_.controller;
  options.node.self = {id_, store_id_, boot_};
  options.node.name = options_.name;
  options.node.peer_address = options_.name + ":1";
  options.node.client_address = options_.name + ":2";
  options.node.partitions = options_.node.partitions;
  options.node.founder = founder;
  options.node.founder_epoch = founder_epoch;
  options.seed = agenda_.random().next();
  controller_ = std::make_unique<failover::Controller>(options);
  next_confirm_ = next_tick_ = {};
  tick();
  keep_lease();
}

void SimNode::crash() {
  if (node_->is_dead()) ++deaths_;
  ++life_;
  controller_.reset();
  node_->crash();
  confirmations_ = Confirmations(options_.node.partitions);
  disk_ = {};
  backlog_.clear();
  frozen_ = false;
  network_.died(id_);
}

void SimNode::wipe() {
  HF_CHECK(!controller_, "a disk is changed while the node is down");
  make_disk();
}

void SimNode::freeze() { frozen_ = true; }

void SimNode::thaw() {
  frozen_ = false;
  while (!frozen_ && !backlog_.empty()) {
    const auto what = std::move(backlog_.front());
    backlog_.pop_front();
    what();
  }
}

bool SimNode::step() {
  if (!has_work()) return false;
  node_->set_time(steady(), wall());
  return node_->step();
}

void SimNode::post(std::function<void()> what) {
  if (!is_up()) return;
  if (frozen_)
    backlog_.push_back(std::move(what));
  else
    what();
}

void SimNode::after(Micros delay, std::function<void()> what) {
  agenda_.after(delay, [this, life = life_, what = std::move(what)] {
    if (life == life_) post(what);
  });
}

// ------------------------------------------------------------------------------------------------ the cluster's thread

void SimNode::tick() {
  node_->set_time(steady(), wall());
  if (agenda_.now() >= next_tick_) {
    next_tick_ = agenda_.now() + kWorkerTick;
    node_->tick();
  } else {
    node_->tick_routers();
  }
  std::uint32_t primaries = 0;
  for (std::uint16_t p = 0; p < options_.node.partitions; ++p) primaries += node_->serves(PartitionId(p)) ? 1 : 0;
  disk_.look(node_->syncs(), steady());
  controller_->own_health(disk_.slow(steady()) ? peer::Beat::SLOW : peer::Beat::OK, 0, primaries,
                          !disk_.hangs(steady()));
  controller_->own_quarantined(node_->quarantined());
  controller_->tick(steady(), wall());
  carry_out();
  if (agenda_.now() >= next_confirm_) confirm();
  after(kTick, [this] { tick(); });
}

void SimNode::keep_lease() {
  store_.keep_alive(id_, boot_.str());
  after(kKeepLease, [this] { keep_lease(); });
}

void SimNode::carry_out() {
  failover::Ready ready = controller_->take_ready();
  for (failover::Submission& submission : ready.transactions) {
    const auto fate = next_store_write();
    if (fate == MortalStore::Fate::dies_before) return;
    if (options_.replica.mutant == failover::Mutant::unconditional_cas)
      std::erase_if(submission.transaction.compares, [](const auto& one) { return one.key.starts_with("part/"); });
    store_.transact(id_, boot_.str(), submission.transaction,
                    [this, life = life_, ticket = submission.ticket](failover::Outcome outcome) {
                      if (life != life_) return;
                      post([this, ticket, outcome] {
                        controller_->transaction_done(ticket, outcome, steady());
                        carry_out();
                      });
                    });
    if (fate == MortalStore::Fate::dies_after) return;
  }
  if (ready.list) {
    store_.list(id_, [this, life = life_](std::optional<failover::ConfigRows> rows) {
      if (life != life_) return;
      post([this, rows = std::move(rows)] {
        rows ? controller_->listed(*rows, steady()) : controller_->list_failed(steady());
        carry_out();
      });
    });
  }
  for (auto& [to, frame] : ready.frames) send(to, std::move(frame));
  if (ready.peers) {
    std::set<NodeId> peers;
    for (const auto& [node, address] : *ready.peers) peers.insert(node);
    network_.set_peers(id_, peers);
  }
  for (const auto& news : ready.configured) {
    node_->configured(news.partition, news.row);
    confirmations_.configured(news.partition, NodeId(news.row.config.primary().node()), Epoch(news.row.config.epoch()));
    take_confirmations();
  }
  for (const auto& [partition, compared, outcome] : ready.reconfigured)
    node_->reconfigured(partition, compared, outcome);
  for (const NodeId node : ready.gone) node_->gone(node, true);
  for (const NodeId node : ready.back) node_->gone(node, false);
  if (ready.held_back) node_->held_back(*ready.held_back);
  for (const auto& handoff : ready.handoffs) node_->hand_off(handoff.partition, handoff.epoch, handoff.to);
}

void SimNode::send(NodeId to, peer::Frame frame) {
  network_.send(id_, to, std::make_shared<const peer::Frame>(std::move(frame)));
}

void SimNode::reconfigure(const failover::Reconfiguration& wanted) {
  controller_->reconfigure(wanted);
  carry_out();
}

void SimNode::opened() { confirm(); }

void SimNode::quarantined(PartitionId partition, const std::string& why) {
  if (damaged_) {
    told_damaged_ = true;  // an operator reads that, and acts some time later
    ++quarantines_;
    if (options_.operator_after == Millis{}) return node_->die();
    return after(options_.operator_after, [this] { node_->die(); });
  }
  listener_.wrong("quarantined partition " + std::to_string(partition.value) + " on node " + std::to_string(id_.value) +
                  ": " + why);
}

// ------------------------------------------------------------------------------------------------ links

bool SimNode::refuses(const End& other) const {
  const Millis apart = wall_offset_ - static_cast<const SimNode&>(other).wall_offset_;
  return apart > kClockOffMax || apart < -kClockOffMax;
}

void SimNode::on_up(NodeId other) {
  const auto& them = static_cast<const SimNode&>(network_.end(other));
  post([this, member = failover::Member{other, them.store_id_}, boot = them.boot_] {
    confirmations_.link_up(member, boot.str());
    node_->link(member, true);
    controller_->link_up(member.node, boot, steady());
    carry_out();
    confirm();
  });
}

void SimNode::on_down(NodeId other, failover::LinkDown how) {
  post([this, other, how] {
    if (confirmations_.link_down(other)) node_->link(*confirmations_.met(other), false);
    controller_->link_down(other, how, steady());
    carry_out();
  });
}

void SimNode::on_frame(const failover::Member& member, SimNetwork::Frame frame) {
  post([this, member, from = member.node, frame] {
    switch (frame->what_case()) {
      case peer::Frame::kBeat:
      case peer::Frame::kBeatAck:
      case peer::Frame::kSeen:
      case peer::Frame::kHandoff: controller_->received(from, *frame, steady()); return carry_out();
      case peer::Frame::kConfirm:
        confirmations_.received(from, frame->confirm(), steady());
        return take_confirmations();
      default:
        if (confirmations_.met(from)) node_->from_peer(member, frame);
    }
  });
}

void SimNode::confirm() {
  next_confirm_ = agenda_.now() + kConfirm;
  std::vector<Confirmations::Served> served;
  for (std::uint16_t p = 0; p < options_.node.partitions; ++p) {
    const Epoch epoch(node_->serves(PartitionId(p)));
    if (epoch != Epoch{}) served.push_back({PartitionId(p), epoch, node_->confirmed_at(PartitionId(p))});
  }
  for (auto& [to, frame] : confirmations_.say(served, steady())) send(to, std::move(frame));
  take_confirmations();
}

void SimNode::take_confirmations() {
  const Confirmations::Ready ready = confirmations_.take_ready();
  for (const auto& [partition, at] : ready.certain) node_->confirm(partition, at);
  if (options_.never_reattaches) return;
  for (const auto& [partition, ask_again] : ready.reattach) node_->reattach(partition, ask_again);
}

}  // namespace holdfast::sim

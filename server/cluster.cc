#include <future>

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/check.h"
#include "server/cluster_impl.h"

namespace holdfast {

using failover::Controller;

namespace {

constexpr std::chrono::milliseconds kTick{20};
constexpr std::chrono::milliseconds kWorkerLate{200};

}  // namespace

Cluster::Cluster(ClusterOptions options, failover::ConfigStore& store, failover::ConfigStore& own, Shared& shared)
    : impl_(std::make_unique<Impl>(std::move(options), store, own, shared)) {}

Cluster::~Cluster() { stop(); }

Result<std::uint16_t> Cluster::listen() { return impl_->links.listen(); }

void Cluster::set_addresses(const std::string& peer, const std::string& client) {
  impl_->options.controller.node.peer_address = peer;
  impl_->options.controller.node.client_address = client;
}

void Cluster::set_admin_address(const std::string& address) { impl_->admin_address = address; }

void Cluster::start() {
  Impl& impl = *impl_;
  impl.controller = std::make_unique<Controller>(impl.options.controller);
  impl.store.watch("", [this] {
    impl_->post([this] {
      impl_->controller->hint(steady_now());
      impl_->carry_out();
    });
  });
  impl.thread = std::thread([this] {
    impl_->tick();
    impl_->loop.run();
  });
}

void Cluster::stop() {
  Impl& impl = *impl_;
  if (!impl.thread.joinable()) return;
  impl.store.unwatch();
  impl.post([&impl] {
    impl.stopping = true;
    impl.timer.cancel();
    impl.links.close();
    asio::co_spawn(impl.loop, impl.links.join(), [](std::exception_ptr failure) {
      if (failure) spdlog::error("cluster_stop_failed why='the links did not end as they should'");
    });
    impl.work.reset();
  });
  impl.thread.join();
  impl.store_pool.join();
}

void Cluster::send(NodeId to, const peer::Frame& frame) { impl_->links.send(to, frame); }

void Cluster::reconfigure(const failover::Reconfiguration& wanted) {
  impl_->post([this, wanted] {
    impl_->controller->reconfigure(wanted);
    impl_->carry_out();
  });
}

void Cluster::opened() {
  impl_->post([this] { impl_->confirm(); });
}

void Cluster::with_controller(std::function<void(Controller&)> call) {
  impl_->post([this, call = std::move(call)] {
    call(*impl_->controller);
    impl_->carry_out();
  });
}

void Cluster::ask_backup(NodeId node, const peer::BackupAsk& ask, std::function<void(Result<std::string>)> then) {
  impl_->post([this, node, ask, then = std::move(then)] { impl_->ask_backup(node, ask, then); });
}

Cluster::Figures Cluster::figures() const {
  Figures figures{
      impl_->links.figures(), impl_->registered.load(), impl_->coordinates.load(), impl_->promotions.load(), {}};
  const std::lock_guard lock(impl_->in_sync_mutex);
  for (const auto& [partition, size] : impl_->in_sync) ++figures.in_sync[size];
  return figures;
}

const Cluster::Told& Cluster::told() const { return impl_->told; }

void Cluster::hand_over(std::chrono::milliseconds longest, std::function<void()> done) {
  impl_->post([this, longest, done = std::move(done)] {
    impl_->leaving_node = true;
    impl_->hand_over.emplace(Impl::Leaving{HandOver(steady_now() + longest), done});
    impl_->hand_over_some();
  });
}

// ------------------------------------------------------------------------------------------------ the controller

void Cluster::Impl::tick() {
  if (stopping) return;
  report_health();
  controller->tick(steady_now(), wall_now());
  shared.clock.look(wall_now(), steady_now(), controller->detector().own_clock_agrees(LogClock::kJump));
  carry_out();
  if (steady_now() >= next_confirm) confirm();
  stand_aside(controller->stands_aside());
  if (hand_over)
    hand_over_some();
  else if (standing_aside)
    hand_over_aside();
  give_up_backup_asks(steady_now());
  timer.expires_after(kTick);
  timer.async_wait([this](const error_code& error) {
    if (!error) tick();
  });
}

/// Beats are of the work, not of this thread: every worker has turned lately, and the last sync returned (T11). A disk that
/// answers late is said.
void Cluster::Impl::report_health() {
  const SteadyTime now = steady_now();
  bool works = true;
  std::uint32_t sessions = 0, primaries = 0;
  for (Worker* worker : shared.workers) works &= now - worker->ticked_at() < kWorkerLate;
  for (std::uint16_t p = 0; p < shared.partitions; ++p) primaries += shared.serves[p].load() != 0 ? 1 : 0;
  for (Worker* worker : shared.workers) sessions += static_cast<std::uint32_t>(worker->figures().gateway.sessions);
  const GroupCommit::Figures commits = shared.committer->figures();
  disk.look({commits.commits, std::chrono::nanoseconds(commits.sync_ns_total), commits.syncing_since}, now);
  if (disk.slow(now) != std::exchange(disk_slow, disk.slow(now))) spdlog::warn("disk_slow is={}", disk_slow);
  if (disk.hangs(now) != std::exchange(disk_hangs, disk.hangs(now))) spdlog::error("disk_hangs is={}", disk_hangs);
  works &= !disk_hangs;
  const auto health = leaving_node || standing_aside ? peer::Beat::DRAINING
                      : shared.storage_full.load()   ? peer::Beat::FULL
                      : disk_slow                    ? peer::Beat::SLOW
                                                     : peer::Beat::OK;
  told.own_health = health;
  controller->own_health(health, sessions, primaries, works);
  std::set<PartitionId> quarantined;
  for (std::uint16_t p = 0; p < shared.partitions; ++p)
    if (shared.quarantined[p]) quarantined.insert(PartitionId(p));
  controller->own_quarantined(quarantined);
}

void Cluster::Impl::carry_out() {
  failover::Ready ready = controller->take_ready();
  for (auto& submission : ready.transactions) transact(std::move(submission));
  if (ready.list) list();
  for (const auto& [to, frame] : ready.frames) links.send(to, frame);
  if (ready.peers) {
    std::map<NodeId, HostPort> dial;
    for (const auto& [node, address] : *ready.peers)
      if (auto parsed = parse_host_port(address))
        dial.emplace(node, *parsed);
      else
        spdlog::error("peer_address_unusable node={} why='{}'", node.value, parsed.error().message);
    links.set_peers(dial);
  }
  take_news(ready);
  registered = controller->registered();
  coordinates = controller->coordinates();
  log_happenings();
}

void Cluster::Impl::take_news(failover::Ready& ready) {
  for (const auto& news : ready.configured) configured(news);
  for (const auto& [partition, compared, outcome] : ready.reconfigured)
    shared.worker_of(partition).send(mail::Reconfigured{partition, compared, outcome});
  for (const NodeId node : ready.gone) to_all([&] { return mail::Gone{node, true}; });
  for (const NodeId node : ready.back) to_all([&] { return mail::Gone{node, false}; });
  if (ready.held_back) to_all([&] { return mail::HeldBack{*ready.held_back}; });
  for (const auto& handoff : ready.handoffs)
    shared.worker_of(handoff.partition).send(mail::HandOff{handoff.partition, handoff.epoch, handoff.to});
  note_nodes();
}

void Cluster::Impl::configured(const failover::Configured& news) {
  if (news.partition.value >= shared.partitions) return;
  {
    const std::lock_guard lock(in_sync_mutex);
    in_sync[news.partition] = static_cast<std::size_t>(news.row.config.in_sync_size());
  }
  const auto row = std::make_shared<const failover::PartitionRow>(news.row);
  to_all([&] { return mail::Configured{news.partition, row}; });
  confirmations.configured(news.partition, NodeId(news.row.config.primary().node()), Epoch(news.row.config.epoch()));
  take_confirmations();
}

/// Clients are told where else they may go.
void Cluster::Impl::note_nodes() {
  std::map<NodeId, std::string> addresses;
  std::set<NodeId> draining;
  for (const auto& [id, entry] : controller->view().nodes()) addresses.emplace(id, entry.row.client_address());
  for (const auto& [id, entry] : controller->view().members())
    if (entry.row.draining()) draining.insert(id);
  if (addresses == client_addresses && draining == leaving) return;
  client_addresses = addresses;
  leaving = draining;
  std::vector<gateway::NodeEndpoint> nodes;
  for (const auto& [id, address] : addresses) nodes.push_back({id, address, draining.contains(id) ? 0U : 1U});
  to_all([&] { return mail::Nodes{nodes}; });
}

void Cluster::Impl::log_happenings() {
  const failover::Happenings& happenings = controller->happenings();
  const auto& all = happenings.all();
  const std::uint64_t fresh = std::min<std::uint64_t>(happenings.count() - happenings_logged, all.size());
  for (auto at = all.end() - static_cast<std::ptrdiff_t>(fresh); at != all.end(); ++at) {
    if (at->kind == failover::Happening::Kind::promoted) promotions += at->partitions;
    spdlog::info("{} node={} by={} partitions={} took_ms={} why='{}'", name_of(at->kind), at->node.value, at->by.value,
                 at->partitions, at->took.count(), at->text);
  }
  happenings_logged = happenings.count();
}

}  // namespace holdfast

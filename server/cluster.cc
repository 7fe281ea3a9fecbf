#include "server/cluster.h"

#include <atomic>
#include <charconv>
#include <future>
#include <mutex>
#include <thread>

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/check.h"
#include "failover/io/peer_hello.h"
#include "server/backups.h"
#include "server/confirmations.h"
#include "server/disk_watch.h"
#include "server/hand_over.h"
#include "server/peer_frames.h"
#include "server/worker.h"

namespace holdfast {

namespace asio = boost::asio;
using failover::Controller;
using failover::Outcome;

namespace {

constexpr std::chrono::milliseconds kTick{20};
constexpr std::chrono::milliseconds kConfirm{250};
constexpr std::chrono::milliseconds kWorkerLate{200};
constexpr std::chrono::seconds kBackupAnswerMax{8};
constexpr int kStoreThreads = 3;

Outcome outcome_of(const Result<bool>& done) {
  if (done) return *done ? Outcome::applied : Outcome::refused;
  return done.error().code == Errc::outcome_unknown ? Outcome::unknown : Outcome::refused;
}

}  // namespace

struct Cluster::Impl {
  Impl(ClusterOptions o, failover::ConfigStore& s, failover::ConfigStore& own, Shared& sh)
      : options(std::move(o)),
        store(s),
        own_store(own),
        shared(sh),
        links(loop.get_executor(), options.links, handlers()),
        confirmations(sh.partitions) {
    told.copies = static_cast<std::uint32_t>(options.controller.balancer.copies);
  }

  failover::PeerHandlers handlers();
  void on_up(const peer::Hello& hello);
  void on_down(NodeId node, failover::LinkDown how);
  void on_frame(const failover::Member& from, std::unique_ptr<peer::Frame> frame);
  void on_own_frame(NodeId from, peer::Frame& frame);
  void tick();
  void carry_out();
  void take_news(failover::Ready& ready);
  void transact(failover::Submission submission);
  void list();
  void take_token_keys(const failover::ConfigRows& rows);
  void take_admin_addresses(const failover::ConfigRows& rows);
  void configured(const failover::Configured& news);
  void note_nodes();
  void report_health();
  void confirm();
  void take_confirmations();
  void log_happenings();
  void keep_floor();
  void hand_over_some();
  void hand_over_aside();
  void stand_aside(bool aside);
  void offer(HandOver& giving, const std::function<bool(NodeId)>& may_take);
  void ask_backup(NodeId node, peer::BackupAsk ask, std::function<void(Result<std::string>)> then);
  void on_backup_ask(NodeId from, const peer::BackupAsk& ask);
  void on_backup_answer(NodeId from, peer::BackupAnswer& answer);
  void give_up_backup_asks(SteadyTime now);
  void to_all(const std::function<Mail()>& mail);
  void post(std::function<void()> call) { asio::post(loop, std::move(call)); }

  ClusterOptions options;
  failover::ConfigStore& store;
  failover::ConfigStore& own_store;
  Shared& shared;

  asio::io_context loop{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(loop);
  asio::steady_timer timer{loop};
  asio::thread_pool store_pool{kStoreThreads};
  failover::PeerLinks links;
  std::unique_ptr<Controller> controller;
  std::thread thread;
  bool stopping = false;

  Confirmations confirmations;
  SteadyTime next_confirm{};
  std::map<NodeId, std::string> client_addresses;
  std::set<NodeId> leaving;
  struct Leaving {
    HandOver hand_over;
    std::function<void()> done;
  };
  std::optional<Leaving> hand_over;
  std::optional<HandOver> standing_aside;  ///< while we do
  struct BackupAsked {
    NodeId node;
    SteadyTime until;
    std::function<void(Result<std::string>)> then;
  };
  std::map<std::uint64_t, BackupAsked> backup_asks;  ///< not answered yet
  std::uint64_t next_backup_ask = 1;
  bool leaving_node = false;
  DiskWatch disk;
  bool disk_slow = false;
  std::uint64_t token_keys_revision = 0;
  std::uint64_t happenings_logged = 0;
  std::atomic<bool> registered{false}, coordinates{false};
  std::atomic<std::uint64_t> promotions{0};
  Told told;
  failover::StoreFloor floor_kept;
  bool keeping_floor = false;
  std::string admin_address;
  bool telling_admin_address = false;
  mutable std::mutex in_sync_mutex;
  std::map<PartitionId, std::size_t> in_sync;  ///< under in_sync_mutex
};

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
    asio::co_spawn(impl.loop, impl.links.join(), asio::detached);
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

void Cluster::Impl::offer(HandOver& giving, const std::function<bool(NodeId)>& may_take) {
  std::vector<Epoch> serves;
  for (std::uint16_t p = 0; p < shared.partitions; ++p) serves.emplace_back(shared.serves[p].load());
  const auto can_take = [&](NodeId node) {
    return confirmations.reaches(node) && !leaving.contains(node) && may_take(node);
  };
  for (const auto& [partition, epoch, heir] :
       giving.next(serves, controller->view().partitions(), can_take, steady_now()))
    shared.worker_of(partition).send(mail::HandOff{partition, epoch, heir});
}

void Cluster::Impl::hand_over_some() {
  const SteadyTime now = steady_now();
  HandOver& giving = hand_over->hand_over;
  offer(giving, [](NodeId) { return true; });
  if (!giving.is_over(now)) return;
  if (giving.left() > 0) spdlog::warn("hand_over_overdue partitions={}", giving.left());
  const auto done = std::move(hand_over->done);
  hand_over.reset();
  done();
}

/// A living node can't be reached from here: what we lead goes to those who are heard by all, and our clients too.
void Cluster::Impl::stand_aside(bool aside) {
  if (aside == standing_aside.has_value()) return;
  spdlog::warn("stands_aside is={}", aside);
  standing_aside.reset();
  if (aside) standing_aside.emplace(SteadyTime::max());
  to_all([&] { return mail::StandAside{aside}; });
}

/// To nobody who stands aside, too: they would hand it back.
void Cluster::Impl::hand_over_aside() {
  offer(*standing_aside, [this](NodeId node) {
    const auto health = controller->detector().health_of(node).value_or(peer::Beat::OK);
    return controller->detector().life(node) == failover::Life::alive &&
           (health == peer::Beat::OK || health == peer::Beat::LATE);
  });
}

// ------------------------------------------------------------------------------------------------ links

failover::PeerHandlers Cluster::Impl::handlers() {
  return {.on_up = [this](const peer::Hello& hello) { on_up(hello); },
          .on_down = [this](NodeId node, failover::LinkDown how) { on_down(node, how); },
          .on_frame = [this](const failover::Member& from,
                             std::unique_ptr<peer::Frame> frame) { on_frame(from, std::move(frame)); },
          .on_refused = {}};
}

void Cluster::Impl::to_all(const std::function<Mail()>& mail) {
  for (Worker* worker : shared.workers) worker->send(mail());
}

void Cluster::Impl::on_up(const peer::Hello& hello) {
  const failover::Member member = failover::member_of(hello);
  confirmations.link_up(member, hello.boot_id());
  to_all([&] { return mail::Link{member, true}; });
  controller->link_up(member.node, BootId::from_bytes(hello.boot_id()).value_or(BootId{}), steady_now());
  carry_out();
  confirm();
}

void Cluster::Impl::on_down(NodeId node, failover::LinkDown how) {
  if (confirmations.link_down(node)) to_all([&] { return mail::Link{*confirmations.met(node), false}; });
  controller->link_down(node, how, steady_now());
  carry_out();
}

/// What concerns a partition goes to its worker, what concerns a connection to the worker that has it.
void Cluster::Impl::on_frame(const failover::Member& from, std::unique_ptr<peer::Frame> frame) {
  const auto to = peers::destination(*frame, shared.partitions);
  if (!to) return;
  if (std::holds_alternative<peers::ClusterItself>(*to)) return on_own_frame(from.node, *frame);
  if (!confirmations.met(from.node)) return;  // nothing could be answered
  if (const auto* partition = std::get_if<PartitionId>(&*to))
    return shared.worker_of(*partition).send(mail::FromPeer{from, std::move(frame)});
  if (const auto* one = std::get_if<peers::OneWorker>(&*to)) {
    if (one->worker < shared.workers.size()) shared.workers[one->worker]->send(mail::FromPeer{from, std::move(frame)});
    return;
  }
  const std::shared_ptr<const peer::Frame> all(std::move(frame));
  to_all([&] { return mail::DeliverFromPeer{all}; });
}

void Cluster::Impl::on_own_frame(NodeId from, peer::Frame& frame) {
  if (frame.has_confirm()) {
    confirmations.received(from, frame.confirm(), steady_now());
    return take_confirmations();
  }
  if (frame.has_backup_ask()) return on_backup_ask(from, frame.backup_ask());
  if (frame.has_backup_answer()) return on_backup_answer(from, *frame.mutable_backup_answer());
  if (frame.has_beat()) told.beats[from] = frame.beat();
  controller->received(from, frame, steady_now());
  carry_out();
}

/// Everybody is told which partitions are served here, and since when that was certain.
void Cluster::Impl::confirm() {
  const SteadyTime now = steady_now();
  next_confirm = now + kConfirm;
  std::vector<Confirmations::Served> served;
  for (std::uint16_t p = 0; p < shared.partitions; ++p) {
    const Epoch epoch(shared.serves[p].load(std::memory_order_relaxed));
    if (epoch != Epoch{}) served.push_back({PartitionId(p), epoch, shared.confirmed_at(PartitionId(p))});
  }
  for (const auto& [to, frame] : confirmations.say(served, now)) links.send(to, frame);
  take_confirmations();
}

void Cluster::Impl::take_confirmations() {
  const Confirmations::Ready ready = confirmations.take_ready();
  for (const auto& [partition, at] : ready.certain) shared.confirm(partition, at);
  for (const auto& [partition, ask_again] : ready.reattach)
    to_all([&] { return mail::Reattach{partition, ask_again}; });
}

// ------------------------------------------------------------------------------------------------ backups

void Cluster::Impl::ask_backup(NodeId node, peer::BackupAsk ask, std::function<void(Result<std::string>)> then) {
  const std::uint64_t id = next_backup_ask++;
  ask.set_id(id);
  peer::Frame frame;
  *frame.mutable_backup_ask() = std::move(ask);
  if (!links.send(node, frame))
    return then(Error{Errc::retry_later, "there is no link to node " + std::to_string(node.value)});
  backup_asks.emplace(id, BackupAsked{node, steady_now() + kBackupAnswerMax, std::move(then)});
}

void Cluster::Impl::on_backup_ask(NodeId from, const peer::BackupAsk& ask) {
  shared.backups->carry_out(ask, [this, from, id = ask.id()](Result<std::string> done) {
    peer::Frame frame;
    peer::BackupAnswer& answer = *frame.mutable_backup_answer();
    answer.set_id(id);
    if (done) answer.set_body(std::move(*done));
    if (!done) answer.set_error(static_cast<std::uint32_t>(done.error().code) + 1);
    if (!done) answer.set_message(done.error().message);
    links.send(from, frame);
  });
}

void Cluster::Impl::on_backup_answer(NodeId from, peer::BackupAnswer& answer) {
  const auto asked = backup_asks.find(answer.id());
  if (asked == backup_asks.end() || asked->second.node != from) return;
  const auto then = std::move(asked->second.then);
  backup_asks.erase(asked);
  if (answer.error() == 0) return then(std::move(*answer.mutable_body()));
  const bool known = answer.error() <= static_cast<std::uint32_t>(Errc::outcome_unknown) + 1;
  then(Error{known ? static_cast<Errc>(answer.error() - 1) : Errc::io, answer.message()});
}

void Cluster::Impl::give_up_backup_asks(SteadyTime now) {
  for (auto at = backup_asks.begin(); at != backup_asks.end();) {
    if (now < at->second.until) {
      ++at;
      continue;
    }
    const auto then = std::move(at->second.then);
    const NodeId node = at->second.node;
    at = backup_asks.erase(at);
    then(Error{Errc::retry_later, "node " + std::to_string(node.value) + " does not answer"});
  }
}

// ------------------------------------------------------------------------------------------------ the controller

void Cluster::Impl::tick() {
  if (stopping) return;
  report_health();
  controller->tick(steady_now(), wall_now());
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

/// Beats are of the work, not of this thread: every worker has turned lately (T11). A disk that answers late is said.
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
  const auto health = leaving_node || standing_aside ? peer::Beat::DRAINING
                      : shared.storage_full.load()   ? peer::Beat::FULL
                      : disk_slow                    ? peer::Beat::SLOW
                                                     : peer::Beat::OK;
  told.own_health = health;
  controller->own_health(health, sessions, primaries, works);
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

void Cluster::Impl::transact(failover::Submission submission) {
  asio::post(store_pool, [this, submission = std::move(submission)] {
    const auto done = store.transact(submission.transaction);
    if (!done) spdlog::warn("configuration_not_written why='{}'", done.error().message);
    post([this, ticket = submission.ticket, outcome = outcome_of(done)] {
      controller->transaction_done(ticket, outcome, steady_now());
      carry_out();
    });
  });
}

void Cluster::Impl::list() {
  asio::post(store_pool, [this] {
    auto rows = store.list("");
    if (!rows) spdlog::warn("configuration_not_read why='{}'", rows.error().message);
    post([this, rows = std::move(rows)] {
      if (rows) take_token_keys(*rows);
      if (rows) take_admin_addresses(*rows);
      rows ? controller->listed(*rows, steady_now()) : controller->list_failed(steady_now());
      keep_floor();
      carry_out();
    });
  });
}

/// A key that another node rotated in: what it signs is believed here as soon as it is known.
void Cluster::Impl::take_token_keys(const failover::ConfigRows& rows) {
  const auto row = rows.rows.find("keys/token");
  if (row == rows.rows.end() || row->second.revision == token_keys_revision) return;
  token_keys_revision = row->second.revision;
  auto keys = chat::TokenKeys::parse(row->second.value);
  if (keys)
    shared.keys->set(std::move(*keys));
  else
    spdlog::error("token_keys_unreadable why='{}'", keys.error().message);
}

/// `admin/<node>`: where operators reach it. Ours is written when it is not what it should be.
void Cluster::Impl::take_admin_addresses(const failover::ConfigRows& rows) {
  const std::string prefix = "admin/", own = prefix + std::to_string(shared.self.value);
  told.admin_addresses.clear();
  std::uint64_t revision = 0;
  for (auto at = rows.rows.lower_bound(prefix); at != rows.rows.end() && at->first.starts_with(prefix); ++at) {
    std::uint32_t node = 0;
    std::from_chars(at->first.data() + prefix.size(), at->first.data() + at->first.size(), node);
    told.admin_addresses[NodeId(node)] = at->second.value;
    if (at->first == own) revision = at->second.revision;
  }
  const bool as_it_should_be = told.admin_addresses[shared.self] == admin_address;
  if (as_it_should_be || std::exchange(telling_admin_address, true)) return;
  asio::post(store_pool, [this, own, revision, address = admin_address] {
    const auto done = store.transact({{own, revision}}, {{own, address}});
    if (!done) spdlog::warn("configuration_not_written key={} why='{}'", own, done.error().message);
    post([this] { telling_admin_address = false; });
  });
}

/// On disk, so that this node's next life believes nothing older. One write at a time.
void Cluster::Impl::keep_floor() {
  if (keeping_floor || !controller->view().listed() || controller->view().floor() == floor_kept) return;
  keeping_floor = true;
  asio::post(store_pool, [this, floor = controller->view().floor()] {
    const Status kept = failover::keep_store_floor(own_store, floor);
    if (!kept) spdlog::error("store_floor_not_kept why='{}'", kept.error().message);
    post([this, floor, done = static_cast<bool>(kept)] {
      keeping_floor = false;
      if (done) floor_kept = floor;
    });
  });
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

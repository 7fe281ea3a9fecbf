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
#include "server/worker.h"

namespace holdfast {

namespace asio = boost::asio;
using failover::Controller;
using failover::Outcome;

namespace {

constexpr std::chrono::milliseconds kTick{20};
constexpr std::chrono::milliseconds kConfirm{250};
constexpr std::chrono::milliseconds kWorkerLate{200};
constexpr int kStoreThreads = 3;

failover::Member member_of(const peer::Hello& hello) {
  return {NodeId(hello.node()), StoreId::from_bytes(hello.store_id()).value_or(StoreId{})};
}

std::int64_t in_ms(SteadyTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Outcome outcome_of(const Result<bool>& done) {
  if (done) return *done ? Outcome::applied : Outcome::refused;
  return done.error().code == Errc::outcome_unknown ? Outcome::unknown : Outcome::refused;
}

}  // namespace

struct Cluster::Impl {
  Impl(ClusterOptions o, failover::ConfigStore& s, Shared& sh)
      : options(std::move(o)), store(s), shared(sh), links(loop.get_executor(), options.links, handlers()) {}

  failover::PeerHandlers handlers();
  void on_up(const peer::Hello& hello);
  void on_down(NodeId node, failover::LinkDown how);
  void on_frame(NodeId from, std::unique_ptr<peer::Frame> frame);
  void on_confirm(NodeId from, const peer::Confirm& confirm);
  void believe(PartitionId partition);
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
  void log_happenings();
  void hand_over_some();
  std::optional<NodeId> heir_of(PartitionId partition) const;
  void to_all(const std::function<Mail()>& mail);
  void post(std::function<void()> call) { asio::post(loop, std::move(call)); }

  ClusterOptions options;
  failover::ConfigStore& store;
  Shared& shared;

  asio::io_context loop{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(loop);
  asio::steady_timer timer{loop};
  asio::thread_pool store_pool{kStoreThreads};
  failover::PeerLinks links;
  std::unique_ptr<Controller> controller;
  std::thread thread;
  bool stopping = false;

  struct Peer {
    failover::Member member;
    std::uint64_t ups = 0;
    bool up = false;
    std::string boot;
    std::optional<std::int64_t> quickest_ms;  ///< of its confirmations, by its clock and ours, in this life of it
  };
  std::map<NodeId, Peer> peers;
  struct Confirmed {
    NodeId node;
    std::uint64_t epoch = 0;
    std::uint64_t link = 0;  ///< from there to here: if it was lost, our connections were forgotten there
    std::uint64_t back = 0;  ///< from here to there: if it was lost, so were attachments under way
    friend bool operator==(const Confirmed&, const Confirmed&) = default;
  };
  struct Heard {
    NodeId node;
    std::uint64_t epoch = 0, link = 0;
    SteadyTime at{};
  };
  std::map<PartitionId, Heard> heard;          ///< the last confirmation, believed or not
  std::map<PartitionId, Confirmed> confirmed;  ///< by whom, as told last
  SteadyTime next_confirm{};
  std::map<NodeId, std::string> client_addresses;
  std::set<NodeId> leaving;
  struct HandOver {
    SteadyTime until;
    std::function<void()> done;
    std::map<PartitionId, SteadyTime> asked;
  };
  std::optional<HandOver> hand_over;
  std::map<PartitionId, NodeId> heirs;  ///< whom each was offered to last
  bool leaving_node = false;
  std::uint64_t token_keys_revision = 0;
  std::uint64_t happenings_logged = 0;
  std::atomic<bool> registered{false}, coordinates{false};
  std::atomic<std::uint64_t> promotions{0};
  Told told;
  std::string admin_address;
  bool telling_admin_address = false;
  mutable std::mutex in_sync_mutex;
  std::map<PartitionId, std::size_t> in_sync;  ///< under in_sync_mutex
};

Cluster::Cluster(ClusterOptions options, failover::ConfigStore& store, Shared& shared)
    : impl_(std::make_unique<Impl>(std::move(options), store, shared)) {}

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
    impl_->hand_over = Impl::HandOver{steady_now() + longest, done, {}};
    impl_->hand_over_some();
  });
}

/// A member of the partition's in-sync set that can be reached and leads least.
std::optional<NodeId> Cluster::Impl::heir_of(PartitionId partition) const {
  const auto& rows = controller->view().partitions();
  const auto row = rows.find(partition);
  if (row == rows.end()) return std::nullopt;
  std::map<NodeId, std::size_t> leads;
  for (const auto& [id, each] : rows) ++leads[NodeId(each.config.primary().node())];
  if (hand_over)
    for (const auto& [id, at] : hand_over->asked) ++leads[heirs.at(id)];
  std::optional<NodeId> best;
  for (const auto& member : row->second.config.in_sync()) {
    const NodeId node(member.node());
    const auto peer = peers.find(node);
    if (peer == peers.end() || !peer->second.up || leaving.contains(node)) continue;
    if (!best || leads[node] < leads[*best]) best = node;
  }
  return best;
}

/// A few at a time; who did not take one within a second is asked again.
void Cluster::Impl::hand_over_some() {
  constexpr std::size_t kAtOnce = 8;
  constexpr std::chrono::seconds kAgain{1};
  const SteadyTime now = steady_now();
  std::size_t serving = 0;
  for (std::uint16_t p = 0; p < shared.partitions; ++p) {
    const PartitionId partition(p);
    const std::uint64_t epoch = shared.serves[p].load();
    const auto asked = hand_over->asked.find(partition);
    if (epoch == 0) {
      if (asked != hand_over->asked.end()) hand_over->asked.erase(asked);
      continue;
    }
    ++serving;
    if (asked != hand_over->asked.end() && now - asked->second < kAgain) continue;
    if (asked == hand_over->asked.end() && hand_over->asked.size() >= kAtOnce) continue;
    const auto heir = heir_of(partition);
    if (!heir) continue;
    heirs[partition] = *heir;
    hand_over->asked[partition] = now;
    shared.worker_of(partition).send(mail::HandOff{partition, Epoch(epoch), *heir});
  }
  if (serving > 0 && now < hand_over->until) return;
  if (serving > 0) spdlog::warn("hand_over_overdue partitions={}", serving);
  const auto done = std::move(hand_over->done);
  hand_over.reset();
  done();
}

// ------------------------------------------------------------------------------------------------ links

failover::PeerHandlers Cluster::Impl::handlers() {
  return {.on_up = [this](const peer::Hello& hello) { on_up(hello); },
          .on_down = [this](NodeId node, failover::LinkDown how) { on_down(node, how); },
          .on_frame = [this](NodeId from, std::unique_ptr<peer::Frame> frame) { on_frame(from, std::move(frame)); },
          .on_refused = {}};
}

void Cluster::Impl::to_all(const std::function<Mail()>& mail) {
  for (Worker* worker : shared.workers) worker->send(mail());
}

void Cluster::Impl::on_up(const peer::Hello& hello) {
  const failover::Member member = member_of(hello);
  Peer& peer = peers[member.node];
  peer.member = member;
  if (std::exchange(peer.boot, hello.boot_id()) != hello.boot_id()) peer.quickest_ms.reset();
  peer.up = true;
  ++peer.ups;
  to_all([&] { return mail::Link{member, true}; });
  controller->link_up(member.node, BootId::from_bytes(hello.boot_id()).value_or(BootId{}), member.store, steady_now());
  carry_out();
  confirm();
}

void Cluster::Impl::on_down(NodeId node, failover::LinkDown how) {
  const auto at = peers.find(node);
  if (at != peers.end() && std::exchange(at->second.up, false))
    to_all([&] { return mail::Link{at->second.member, false}; });
  controller->link_down(node, how, steady_now());
  carry_out();
}

/// What concerns a partition goes to its worker, what concerns a connection to the worker that has it.
void Cluster::Impl::on_frame(NodeId from, std::unique_ptr<peer::Frame> frame) {
  const auto known = peers.find(from);
  const auto to_partition = [&](std::uint32_t partition) {
    if (known == peers.end() || partition >= shared.partitions) return;
    shared.worker_of(PartitionId(static_cast<std::uint16_t>(partition)))
        .send(mail::FromPeer{known->second.member, std::move(frame)});
  };
  const auto to_user = [&](const std::string& user) {
    if (const auto id = UserId::from_bytes(user)) to_partition(partition_of(*id, shared.partitions).value);
  };
  switch (frame->what_case()) {
    case peer::Frame::kReplication: return to_partition(frame->replication().partition());
    case peer::Frame::kAsk: return to_partition(frame->ask().partition());
    case peer::Frame::kTell: return to_partition(frame->tell().partition());
    case peer::Frame::kWatch: return to_partition(frame->watch().partition());
    case peer::Frame::kAttach: return to_user(frame->attach().user());
    case peer::Frame::kDetach: return to_user(frame->detach().user());
    case peer::Frame::kCredit: return to_user(frame->credit().user());
    case peer::Frame::kAnswer: {
      const std::uint32_t worker = frame->answer().worker();
      if (known != peers.end() && worker < shared.workers.size())
        shared.workers[worker]->send(mail::FromPeer{known->second.member, std::move(frame)});
      return;
    }
    case peer::Frame::kDeliver:
      // One frame can be for several workers: each takes what is its own.
      if (known != peers.end()) {
        const std::shared_ptr<const peer::Frame> all(std::move(frame));
        to_all([&] { return mail::DeliverFromPeer{all}; });
      }
      return;
    case peer::Frame::kConfirm: return on_confirm(from, frame->confirm());
    case peer::Frame::kBeat: told.beats[from] = frame->beat(); [[fallthrough]];
    default: controller->received(from, *frame, steady_now()); carry_out();
  }
}

void Cluster::Impl::on_confirm(NodeId from, const peer::Confirm& confirm) {
  const auto peer = peers.find(from);
  if (peer == peers.end()) return;
  const SteadyTime now = steady_now();
  // A process that was frozen finds confirmations of that time in its sockets. The quickest one tells how far the two
  // clocks are apart; what another took longer is added to its age.
  const std::int64_t took = in_ms(now) - confirm.sent_ms();
  std::optional<std::int64_t>& quickest = peer->second.quickest_ms;
  quickest = std::min(took, quickest.value_or(took));
  const SteadyTime sent = now - std::chrono::milliseconds(took - *quickest);
  for (const auto& served : confirm.served()) {
    if (served.partition() >= shared.partitions) continue;
    const PartitionId partition(static_cast<std::uint16_t>(served.partition()));
    heard[partition] = {from, served.epoch(), confirm.link(), sent - std::chrono::milliseconds(served.age_ms())};
    believe(partition);
  }
}

/// What was heard counts once we know ourselves that the partition is led there, and can reach it: connections attach
/// themselves anew to it then, and an attachment that goes elsewhere, or nowhere, would be missed by nobody.
void Cluster::Impl::believe(PartitionId partition) {
  const auto said = heard.find(partition);
  const auto row = controller->view().partitions().find(partition);
  if (said == heard.end() || row == controller->view().partitions().end()) return;
  const auto& [node, epoch, link, at] = said->second;
  if (row->second.config.epoch() != epoch || row->second.config.primary().node() != node.value) return;
  const Peer& peer = peers[node];
  if (!peer.up) return;
  shared.confirm(partition, at);
  const Confirmed news{node, epoch, link, peer.ups};
  Confirmed& known = confirmed[partition];
  if (known == news) return;
  known = news;
  // Answers that were sent before its link to us came up are lost.
  to_all([&] { return mail::Reattach{partition, true}; });
}

/// Everybody is told which partitions are served here, and since when that was certain.
void Cluster::Impl::confirm() {
  const SteadyTime now = steady_now();
  next_confirm = now + kConfirm;
  peer::Confirm out;
  out.set_sent_ms(in_ms(now));
  for (std::uint16_t p = 0; p < shared.partitions; ++p) {
    const PartitionId partition(p);
    const std::uint64_t epoch = shared.serves[p].load(std::memory_order_relaxed);
    if (epoch == 0) continue;
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - shared.confirmed_at(partition));
    auto& served = *out.add_served();
    served.set_partition(p);
    served.set_epoch(epoch);
    served.set_age_ms(static_cast<std::uint32_t>(std::clamp<std::int64_t>(age.count(), 0, 60'000)));
    const Confirmed news{{}, epoch, 0, 0};
    Confirmed& known = confirmed[partition];
    if (known.epoch > epoch || known == news) continue;
    known = news;
    to_all([&] { return mail::Reattach{partition, false}; });
  }
  for (const auto& [node, peer] : peers) {
    if (!peer.up || out.served().empty()) continue;
    peer::Frame frame;
    out.set_link(peer.ups);
    *frame.mutable_confirm() = out;
    links.send(node, frame);
  }
}

// ------------------------------------------------------------------------------------------------ the controller

void Cluster::Impl::tick() {
  if (stopping) return;
  report_health();
  controller->tick(steady_now(), wall_now());
  carry_out();
  if (steady_now() >= next_confirm) confirm();
  if (hand_over) hand_over_some();
  timer.expires_after(kTick);
  timer.async_wait([this](const error_code& error) {
    if (!error) tick();
  });
}

/// Beats are of the work, not of this thread: every worker has turned lately, and the log's disk answers (T11).
void Cluster::Impl::report_health() {
  const SteadyTime now = steady_now();
  bool works = true;
  std::uint32_t sessions = 0, primaries = 0;
  for (Worker* worker : shared.workers) works &= now - worker->ticked_at() < kWorkerLate;
  for (std::uint16_t p = 0; p < shared.partitions; ++p) primaries += shared.serves[p].load() != 0 ? 1 : 0;
  for (Worker* worker : shared.workers) sessions += static_cast<std::uint32_t>(worker->figures().gateway.sessions);
  const auto health = leaving_node                 ? peer::Beat::DRAINING
                      : shared.storage_full.load() ? peer::Beat::FULL
                                                   : peer::Beat::OK;
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
  believe(news.partition);
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

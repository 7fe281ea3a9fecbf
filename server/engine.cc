#include "server/engine.h"

#include <spdlog/spdlog.h>
#include <unistd.h>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/check.h"
#include "base/version.h"
#include "failover/io/etcd_config_store.h"
#include "proto/state.pb.h"
#include "server/greeting.h"
#include "storage/keys.h"
#include "storage/snapshot_target.h"

namespace holdfast {
namespace {

constexpr std::chrono::hours kClockJumpMax{24};
constexpr NodeId kSingleNode{1};

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? std::string(name) : "localhost";
}

/// Where others find what listens there, on this port.
std::string reached_at(const std::string& configured, const HostPort& listen, std::uint16_t bound) {
  if (!configured.empty()) return configured;
  const bool any = listen.host == "0.0.0.0" || listen.host == "::";
  return HostPort{any ? host_name() : listen.host, bound}.str();
}

}  // namespace

struct Engine::BlockingPool {
  boost::asio::thread_pool pool{1};
  boost::asio::thread_pool filling{1};
};

Engine::Engine(const Config& config) : config_(config), fill_rate_(config.cluster.fill_bytes_per_s) {}

Result<std::unique_ptr<Engine>> Engine::open(const Config& config) {
  std::unique_ptr<Engine> engine(new Engine(config));
  if (const Status opened = engine->open_storage(); !opened) return opened.error();
  engine->start_threads();
  if (const Status opened = engine->open_partitions(); !opened) return opened.error();
  return engine;
}

Status Engine::open_storage() {
  auto directory = DataDirectory::open(config_.data, random_);
  if (!directory) return directory.error();
  directory_ = std::move(*directory);
  disk_ = std::make_unique<DiskSpace>(config_.storage.disk_reserve_bytes, free_bytes_of(directory_->path()));
  if (const Status checked = disk_->check(); !checked) return checked.error();
  shared_.storage_full = disk_->full();

  RocksOptions log_options;
  log_options.path = directory_->log_path().string();
  log_options.profile = RocksProfile::log;
  log_options.block_cache_bytes = 8u << 20;
  auto log = open_rocksdb_with_figures(log_options);
  if (!log) return log.error();
  log_database_ = std::move(*log);
  RocksOptions state_options;
  state_options.path = directory_->state_path().string();
  state_options.profile = RocksProfile::state;
  state_options.block_cache_bytes = config_.storage.cache_bytes;
  auto state = open_rocksdb_with_figures(state_options);
  if (!state) return state.error();
  state_database_ = std::move(*state);

  log_ = std::make_unique<LogStore>(*log_database_);
  own_store_ = std::make_unique<failover::EmbeddedConfigStore>(*log_);
  config_store_ = own_store_.get();
  auto floor = DurableFloor::open(directory_->floor_path());
  if (!floor) return floor.error();
  floor_ = std::move(*floor);
  const auto discarded = discard_interrupted(*log_database_, *state_database_, config_.partitions);
  if (!discarded) return discarded.error();
  for (const PartitionId partition : *discarded)
    spdlog::warn("interrupted_copy_discarded partition={}", partition.value);
  if (const Status checked = floor_->check(*log_); !checked) return checked.error();

  return Ok{};
}

Status Engine::open_partitions() {
  const bool alone = config_.cluster.store.empty();
  if (const Status fits = check_settings(); !fits) return fits;
  auto recovered =
      recover_partitions(*log_, *state_database_, config_.partitions, alone ? Replay::everything : Replay::nothing,
                         wall_now(), kClockJumpMax, config_.storage.allow_clock_jump);
  if (!recovered) return recovered.error();
  for (const RecoveredPartition& one : *recovered) replayed_ += one.replayed;
  return alone ? open_alone(*recovered) : join(*recovered);
}

/// A node that is alone has its settings in its own store; whoever belongs to a cluster does not start without it.
Status Engine::check_settings() {
  const auto belongs = cluster_of(*own_store_);
  if (!belongs) return belongs.error();
  if (!config_.cluster.store.empty()) return Ok{};
  if (!belongs->empty())
    return Error{Errc::invalid_argument, "this data belongs to cluster " + *belongs +
                                             ": start with --join and the address of its configuration store"};
  auto settings = load_settings(*own_store_, config_.partitions, random_);
  if (!settings) return settings.error();
  shared_.cluster_uuid = settings->cluster_uuid;
  return Ok{};
}

Status Engine::load_keys() {
  auto keys = load_token_keys(*config_store_, wall_now(), random_);
  if (!keys) return keys.error();
  keys_->set(std::move(*keys));
  auto mail_key = load_mail_key(*config_store_, random_);
  if (!mail_key) return mail_key.error();
  mail_key_ = std::make_unique<chat::MailKey>(std::move(*mail_key));
  shared_.mail_key = mail_key_.get();
  const auto generation = failover::load_generation(*config_store_);
  if (!generation) return generation.error();
  shared_.generation = *generation;
  return Ok{};
}

Status Engine::open_alone(const std::vector<RecoveredPartition>& recovered) {
  if (const Status loaded = load_keys(); !loaded) return loaded;
  const failover::Member self{kSingleNode, directory_->store_id()};
  auto rows = take_epochs(*config_store_, recovered, self);
  if (!rows) return rows.error();
  if (const Status added = add_copies(recovered, self); !added) return added;
  for (std::size_t p = 0; p < rows->size(); ++p)
    shared_.worker_of(recovered[p].id)
        .send(mail::Configured{recovered[p].id, std::make_shared<failover::PartitionRow>((*rows)[p])});
  spdlog::info("recovered partitions={} replayed_entries={} epoch={}", config_.partitions, replayed_,
               rows->front().config.epoch());
  return Ok{};
}

Status Engine::add_copies(const std::vector<RecoveredPartition>& recovered, failover::Member self) {
  PartitionOptions options;
  options.partitions = config_.partitions;
  options.first_position = shared_.generation.first_position();
  options.cache_bytes = config_.storage.object_cache_bytes / config_.partitions;
  failover::Replica::Options replica;
  replica.slow = config_.cluster.member_slow;
  for (const RecoveredPartition& one : recovered) {
    auto subscribers = subscribers_at(*state_database_, one, *services_);
    if (!subscribers) return subscribers.error();
    options.id = one.id;
    options.pace = &shared_.worker_of(one.id).pace();
    shared_.worker_of(one.id).add_copy(
        std::make_unique<Copy>(options, config_.limits, self, Copy::Found{one.log, std::move(*subscribers)}, replica));
  }
  return Ok{};
}

// ------------------------------------------------------------------------------------------------ one of several

Status Engine::join(const std::vector<RecoveredPartition>& recovered) {
  const ClusterConfig& cluster = config_.cluster;
  auto store = failover::EtcdConfigStore::open(
      cluster.store,
      {.ca_file = cluster.store_ca, .certificate_file = cluster.store_certificate, .key_file = cluster.store_key});
  if (!store) return store.error();
  cluster_store_ = std::move(*store);
  config_store_ = cluster_store_.get();

  JoinRequest request{cluster.node_name.empty() ? host_name() : cluster.node_name,
                      config_.partitions,
                      false,
                      wall_now(),
                      cluster.accept_older_store,
                      {}};
  Epoch highest{};
  for (const RecoveredPartition& one : recovered) {
    request.has_data |= one.log.last_seq > Seq{};
    highest = std::max(highest, one.log.promised);
  }
  // What can't work is said before anything is written where others see it.
  const auto links = link_options();
  if (!links) return links.error();
  request.greet = [&](const std::string& uuid, const std::map<NodeId, std::string>& running) -> Status {
    // Nobody has this id: real ones are drawn from 1 on. Several newcomers at once each have one of their own.
    const NodeId nobody_yet(0x8000'0000u | static_cast<std::uint32_t>(random_.next()));
    const auto options =
        cluster_options(*links, {uuid, config_.partitions, nobody_yet, false}, request.node_name, highest);
    std::map<NodeId, HostPort> members;
    for (const auto& [node, address] : running)
      if (auto parsed = parse_host_port(address)) members.emplace(node, *parsed);
    return greet_members(options.links, members,
                         [&](std::uint16_t port) { return reached_at(cluster.peer_address, cluster.listen, port); });
  };
  auto membership = join_cluster(*cluster_store_, *own_store_, request, random_);
  if (!membership) return membership.error();
  if (const Status loaded = load_keys(); !loaded) return loaded;
  ClusterOptions options = cluster_options(*links, *membership, request.node_name, highest.next());
  if (!cluster.accept_older_store) {
    auto floor = failover::load_store_floor(*own_store_);
    if (!floor) return floor.error();
    options.controller.floor = std::move(*floor);
  }
  shared_.self = membership->node;
  shared_.cluster_uuid = membership->cluster_uuid;
  cluster_ = std::make_unique<Cluster>(std::move(options), *cluster_store_, *own_store_, shared_);
  shared_.cluster = cluster_.get();
  for (const auto& worker : workers_) worker->join_cluster();
  spdlog::info("joined cluster={} node={} name={} founder={}", membership->cluster_uuid, membership->node.value,
               request.node_name, membership->founder);
  return add_copies(recovered, {membership->node, directory_->store_id()});
}

/// What the links need of our settings alone; the certificates are read.
Result<failover::PeerLinksOptions> Engine::link_options() const {
  const ClusterConfig& cluster = config_.cluster;
  failover::PeerLinksOptions links;
  links.listen = cluster.listen;
  links.own.set_store_id(directory_->store_id().str());
  links.own.set_version(std::string(kVersion));
  links.own.set_partitions(config_.partitions);
  if (cluster.certificate.empty()) return links;
  const MutualTlsFiles files{cluster.certificate, cluster.key, cluster.ca};
  auto server = TlsContext::mutual_server(files);
  if (!server) return server.error();
  auto client = TlsContext::mutual_client(files);
  if (!client) return client.error();
  links.tls_server = *server;
  links.tls_client = *client;
  return links;
}

ClusterOptions Engine::cluster_options(failover::PeerLinksOptions links, const Membership& membership,
                                       const std::string& name, Epoch founder_epoch) {
  const ClusterConfig& cluster = config_.cluster;
  const failover::Self self{membership.node, directory_->store_id(), random_.id<BootId>()};
  ClusterOptions options;
  auto& node = options.controller.node;
  node.self = self;
  node.name = name;
  node.zone = cluster.zone;
  node.version = std::string(kVersion);
  node.partitions = config_.partitions;
  node.founder = membership.founder;
  node.founder_epoch = founder_epoch;
  options.controller.balancer.copies = cluster.copies;
  options.controller.balancer.min_in_sync = cluster.min_in_sync;
  options.controller.balancer.replace_after = cluster.replace_after;
  options.controller.flaps.window = cluster.flap_window;
  options.controller.flaps.first_penalty = cluster.flap_hold;
  options.controller.seed = random_.next();

  links.own.set_cluster(membership.cluster_uuid);
  links.own.set_node(membership.node.value);
  links.own.set_boot_id(self.boot.str());
  options.links = std::move(links);
  return options;
}

Status Engine::start_cluster(std::uint16_t client_port, std::uint16_t admin_port) {
  if (!cluster_) return Ok{};
  auto port = cluster_->listen();
  if (!port) return port.error();
  peer_address_ = reached_at(config_.cluster.peer_address, config_.cluster.listen, *port);
  cluster_->set_addresses(peer_address_, reached_at(config_.cluster.client_address, config_.listen, client_port));
  cluster_->set_admin_address(reached_at("", config_.admin, admin_port));
  cluster_->start();
  return Ok{};
}

void Engine::start_threads() {
  services_ = std::make_unique<services::Services>(config_.limits);
  hasher_ = std::make_unique<chat::PasswordHasher>(
      chat::PasswordCost{.passes = config_.password.passes, .memory_bytes = config_.password.memory_bytes});
  blocking_ = std::make_unique<BlockingPool>();
  passwords_ = std::make_unique<chat::PasswordPool>(
      chat::PasswordPool::Options{.threads = config_.password.threads, .queued_max = config_.password.queue_max});

  StateStoreOptions state_options;
  state_options.readers = config_.storage.readers;
  state_options.lag_bytes_max = config_.storage.lag_bytes_max;
  state_options.flush_bytes = config_.storage.flush_bytes;
  state_ = std::make_unique<StateStore>(
      *state_database_, state_options,
      [this](const auto& applied) {
        std::vector<std::vector<Mail>> mails(workers_.size());
        for (const auto& [partition, seq] : applied)
          mails[partition.value % workers_.size()].push_back(mail::Applied{partition, seq});
        for (std::size_t i = 0; i < mails.size(); ++i)
          if (!mails[i].empty()) workers_[i]->send_all(std::move(mails[i]));
      },
      [this](const auto& flushed) { trim_log(flushed); });
  committer_ = std::make_unique<GroupCommit>(
      *log_database_,
      [this](const auto& durable) {
        std::vector<std::vector<Mail>> mails(workers_.size());
        for (const auto& [partition, ticket, last] : durable) {
          floor_->note(partition, last);
          mails[partition.value % workers_.size()].push_back(mail::Durable{partition, ticket});
        }
        for (std::size_t i = 0; i < mails.size(); ++i)
          if (!mails[i].empty()) workers_[i]->send_all(std::move(mails[i]));
      },
      [this](PartitionId partition, Seq first) {
        // A log that ends below its floor is not believed at a start: the floor goes first.
        HF_CHECK(floor_->lower(partition, Seq(first.value - 1)), "the floor can be written");
      });

  keys_ = std::make_unique<KeyRing>(chat::TokenKeys::first(wall_now(), random_));  // until load_keys()
  shared_.partitions = config_.partitions;
  shared_.limits = &config_.limits;
  shared_.log = log_.get();
  shared_.state = state_.get();
  shared_.committer = committer_.get();
  shared_.hasher = hasher_.get();
  shared_.passwords = passwords_.get();
  shared_.keys = keys_.get();
  shared_.blocking = [this](std::function<void()> job) { boost::asio::post(blocking_->pool, std::move(job)); };
  shared_.filling = [this](std::function<void()> job) { boost::asio::post(blocking_->filling, std::move(job)); };
  shared_.log_database = log_database_.get();
  shared_.state_database = state_database_.get();
  shared_.fill_rate = &fill_rate_;
  shared_.lower_floor = [this](PartitionId partition, Seq seq) { return floor_->lower(partition, seq); };
  shared_.rotate_token_key = [this]() -> Status {
    chat::TokenKeys rotated = keys_->get()->rotated(wall_now(), config_.limits.session_unused_max, random_);
    const Status stored = store_token_keys(*config_store_, rotated);
    if (!stored) return stored;
    spdlog::info("operator_acted operation=rotate_token_key key={}", rotated.newest().id);
    keys_->set(std::move(rotated));
    return stored;
  };
  shared_.confirmed = std::make_unique<std::atomic<std::int64_t>[]>(config_.partitions);
  shared_.serves = std::make_unique<std::atomic<std::uint64_t>[]>(config_.partitions);
  shared_.quarantined = std::make_unique<std::atomic<bool>[]>(config_.partitions);
  backups_ = std::make_unique<Backups>(shared_);
  shared_.backups = backups_.get();
  const double due_per_s = static_cast<double>(config_.limits.due_per_s) / config_.workers;
  for (std::uint16_t i = 0; i < config_.workers; ++i)
    workers_.push_back(std::make_unique<Worker>(i, shared_, due_per_s));
  for (const auto& worker : workers_) shared_.workers.push_back(worker.get());
}

void Engine::start_workers() {
  // What was replayed is in memory only: without this, a second crash soon would replay it again, and more.
  if (replayed_ > 0)
    shared_.blocking([this] {
      if (const Status flushed = state_database_->flush(); !flushed)
        spdlog::error("flush_failed why='{}'", flushed.error().message);
    });
  for (const auto& worker : workers_) threads_.emplace_back([&worker] { worker->run(); });
}

void Engine::stop_workers() {
  for (const auto& worker : workers_) worker->stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

Engine::~Engine() {
  if (cluster_) cluster_->stop();
  stop_workers();
  committer_.reset();
  state_.reset();
  passwords_.reset();
  if (!blocking_) return;
  blocking_->pool.join();
  blocking_->filling.join();
  backups_->end_all();
}

/// The log is needed from the slowest subscriber on, as of the state that a crash could fall back to; and the entry that
/// they have reached stays, for a snapshot carries at least the newest one that is applied.
void Engine::trim_log(const std::vector<std::pair<PartitionId, Seq>>& flushed) {
  for (const auto& [partition, seq] : flushed) {
    Worker& worker = shared_.worker_of(partition);
    worker.call([this, &worker, id = partition, flushed_seq = seq] {
      const std::uint64_t done = worker.log_may_go_to(id, flushed_seq).value;
      if (done <= config_.storage.log_keep_entries) return;
      const Seq first(done - config_.storage.log_keep_entries);
      // On the thread that fills copies: a log is not trimmed while another takes its place.
      shared_.filling([this, id, first] {
        if (const Status trimmed = log_->trim(id, first); !trimmed)
          spdlog::error("trim_failed partition={} why='{}'", id.value, trimmed.error().message);
      });
    });
  }
}

Engine::Figures Engine::figures() const {
  return {log_database_->figures(), state_database_->figures(), committer_->figures(), state_->figures(),
          passwords_->figures()};
}

}  // namespace holdfast

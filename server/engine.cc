#include "server/engine.h"

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/check.h"
#include "proto/state.pb.h"
#include "storage/keys.h"

namespace holdfast {
namespace {

constexpr std::chrono::hours kClockJumpMax{24};
constexpr NodeId kSingleNode{1};
constexpr std::size_t kFlushBytes = 32u << 20;  // of entries: what a start replays at most, about a second's worth

/// Where a subscriber stood; a subscriber without a cursor begins at the head.
Result<Seq> cursor_of(const Database& state, PartitionId partition, std::string_view subscriber) {
  auto row = state.get(keys::stored(partition, keys::cursor(subscriber)));
  if (!row) return row.error();
  if (!*row) return Seq{};
  state::Cursor cursor;
  if (!cursor.ParseFromString(**row))
    return Error{Errc::corrupt, "the cursor of " + std::string(subscriber) + " does not parse"};
  return Seq(cursor.seq());
}

}  // namespace

struct Engine::BlockingPool {
  boost::asio::thread_pool pool{1};
};

Engine::Engine(const Config& config) : config_(config) {}

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
  config_store_ = std::make_unique<failover::EmbeddedConfigStore>(*log_);
  auto floor = DurableFloor::open(directory_->floor_path());
  if (!floor) return floor.error();
  floor_ = std::move(*floor);
  if (const Status checked = floor_->check(*log_); !checked) return checked.error();

  auto keys = load_token_keys(*config_store_, wall_now(), random_);
  if (!keys) return keys.error();
  keys_ = std::make_unique<KeyRing>(std::move(*keys));
  return Ok{};
}

Status Engine::open_partitions() {
  auto settings = load_settings(*config_store_, config_.partitions, random_);
  if (!settings) return settings.error();
  auto recovered = recover_partitions(*log_, *state_database_, settings->partitions, wall_now(), kClockJumpMax,
                                      config_.storage.allow_clock_jump);
  if (!recovered) return recovered.error();
  const failover::Member self{kSingleNode, directory_->store_id()};
  auto epochs = take_epochs(*config_store_, *log_, *recovered, self);
  if (!epochs) return epochs.error();

  PartitionOptions options;
  options.partitions = settings->partitions;
  options.cache_bytes = config_.storage.object_cache_bytes / settings->partitions;
  for (std::size_t i = 0; i < recovered->size(); ++i) {
    const RecoveredPartition& one = (*recovered)[i];
    replayed_ += one.replayed;
    auto cursor = cursor_of(*state_database_, one.id, delivery_->name());
    if (!cursor) return cursor.error();
    options.id = one.id;
    auto partition = std::make_unique<Partition>(options, config_.limits, self, one.log,
                                                 std::vector<SubscriberAt>{{delivery_.get(), *cursor}});
    partition->lead((*epochs)[i], failover::InSyncSet({self}, 1));
    shared_.worker_of(one.id).add_partition(std::move(partition));
  }
  spdlog::info("recovered partitions={} replayed_entries={} epoch={}", settings->partitions, replayed_,
               epochs->front().value);
  return Ok{};
}

void Engine::start_threads() {
  delivery_ = std::make_unique<services::Delivery>(config_.limits);
  hasher_ = std::make_unique<chat::PasswordHasher>(
      chat::PasswordCost{.passes = config_.password.passes, .memory_bytes = config_.password.memory_bytes});
  blocking_ = std::make_unique<BlockingPool>();
  passwords_ = std::make_unique<chat::PasswordPool>(
      chat::PasswordPool::Options{.threads = config_.password.threads, .queued_max = config_.password.queue_max});

  StateStoreOptions state_options;
  state_options.readers = config_.storage.readers;
  state_options.lag_bytes_max = config_.storage.lag_bytes_max;
  state_options.flush_bytes = kFlushBytes;
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
  committer_ = std::make_unique<GroupCommit>(*log_database_, [this](const auto& durable) {
    std::vector<std::vector<Mail>> mails(workers_.size());
    for (const auto& [partition, seq] : durable) {
      floor_->note(partition, seq);
      mails[partition.value % workers_.size()].push_back(mail::Durable{partition, seq});
    }
    for (std::size_t i = 0; i < mails.size(); ++i)
      if (!mails[i].empty()) workers_[i]->send_all(std::move(mails[i]));
  });

  shared_.partitions = config_.partitions;
  shared_.limits = &config_.limits;
  shared_.log = log_.get();
  shared_.state = state_.get();
  shared_.committer = committer_.get();
  shared_.hasher = hasher_.get();
  shared_.passwords = passwords_.get();
  shared_.keys = keys_.get();
  shared_.blocking = [this](std::function<void()> job) { boost::asio::post(blocking_->pool, std::move(job)); };
  shared_.rotate_token_key = [this]() -> Status {
    chat::TokenKeys rotated = keys_->get()->rotated(wall_now(), config_.limits.session_unused_max, random_);
    const Status stored = store_token_keys(*config_store_, rotated);
    if (!stored) return stored;
    spdlog::info("operator_acted operation=rotate_token_key key={}", rotated.newest().id);
    keys_->set(std::move(rotated));
    return stored;
  };
  shared_.confirmed = std::make_unique<std::atomic<std::int64_t>[]>(config_.partitions);
  for (std::uint16_t i = 0; i < config_.workers; ++i) workers_.push_back(std::make_unique<Worker>(i, shared_));
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
  stop_workers();
  committer_.reset();
  state_.reset();
  passwords_.reset();
  if (blocking_) blocking_->pool.join();
}

/// The log is needed from the slowest subscriber on, and as far back as the state could fall in a crash.
void Engine::trim_log(const std::vector<std::pair<PartitionId, Seq>>& flushed) {
  for (const auto& [partition, seq] : flushed) {
    Worker& worker = shared_.worker_of(partition);
    worker.call([this, &worker, id = partition, flushed_seq = seq] {
      const std::uint64_t done = std::min(worker.partition(id).slowest_cursor(), flushed_seq).value;
      if (done <= config_.storage.log_keep_entries) return;
      const Seq first(done - config_.storage.log_keep_entries + 1);
      shared_.blocking([this, id, first] {
        if (const Status trimmed = log_->trim(id, first); !trimmed)
          spdlog::error("trim_failed partition={} why='{}'", id.value, trimmed.error().message);
      });
    });
  }
}

Engine::Figures Engine::figures() const {
  return {log_database_->figures(), state_database_->figures(), committer_->figures(), state_->figures(),
          passwords_->queued()};
}

}  // namespace holdfast

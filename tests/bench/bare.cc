#include "tests/bench/bare.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <tuple>

#include "base/time.h"
#include "storage/data_directory.h"
#include "storage/keys.h"
#include "storage/rocksdb_database.h"
#include "storage/state_batch.h"
#include "storage/state_store.h"
#include "tools/holdfast-load/histogram.h"

namespace holdfast::bench {
namespace {

std::unique_ptr<Database> open(const std::filesystem::path& path, RocksProfile profile) {
  RocksOptions options;
  options.path = path.string();
  options.profile = profile;
  auto database = open_rocksdb(options);
  if (!database) give_up(database.error().message);
  return std::move(*database);
}

void read_partition(LogStore& log, PartitionId partition, std::vector<Recorded::Entry>& into) {
  const auto bounds = log.bounds(partition);
  if (!bounds || bounds->second < bounds->first) return;
  for (Seq from = bounds->first; from <= bounds->second;) {
    auto part = log.read(partition, from, 4u << 20);
    if (!part) give_up(part.error().message);
    for (auto& stored : *part) {
      auto encoded = encode_entry(partition, stored.entry, Hash32{});  // the chain's value does not matter here
      into.push_back({std::move(encoded), std::make_shared<const log::Entry>(std::move(stored.entry))});
    }
    from = into.back().encoded.seq.next();
  }
}

/// The state, one turn behind the other.
class Applier {
 public:
  explicit Applier(Database& state) : state_(state), thread_([this] { run(); }) {}
  /// Until everything is written.
  ~Applier() {
    {
      const std::scoped_lock lock(mutex_);
      done_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  void add(const Recorded::Entry& entry) {
    bool wake = false;
    {
      const std::scoped_lock lock(mutex_);
      queue_.push_back(&entry);
      bytes_ += entry.encoded.value.size();
      wake = queue_.size() == 1 || bytes_ >= options_.gather_bytes;
    }
    if (wake) wake_.notify_one();
  }

 private:
  void run() {
    std::vector<const Recorded::Entry*> turn;
    StateBatch batch;
    while (take(turn)) {
      for (const auto* entry : turn) batch.add(entry->encoded.partition, *entry->body);
      if (!state_.write(batch.finish(), Durability::written)) give_up("can't write the state");
      batch.clear();
      turn.clear();
    }
  }
  bool take(std::vector<const Recorded::Entry*>& turn) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return done_ || !queue_.empty(); });
    wake_.wait_for(lock, options_.gather_time, [this] { return done_ || bytes_ >= options_.gather_bytes; });
    turn.swap(queue_);
    bytes_ = 0;
    return !turn.empty();
  }

  Database& state_;
  const StateStoreOptions options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<const Recorded::Entry*> queue_;
  std::size_t bytes_ = 0;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace

Recorded read_recorded(const std::filesystem::path& data, std::size_t bytes_max) {
  const auto database = open(data / "log", RocksProfile::log);
  LogStore log(*database);
  std::vector<Recorded::Entry> all;
  for (std::uint16_t partition = 0; partition < 1'024; ++partition) read_partition(log, PartitionId(partition), all);
  // Log time is the nearest there is to the order in which they were committed.
  const auto order = [](const Recorded::Entry& entry) {
    return std::tuple(entry.body->time_ms(), entry.encoded.partition, entry.encoded.seq);
  };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });

  Recorded recorded;
  std::size_t from = all.size();
  while (from > 0 && recorded.bytes < bytes_max) {
    const auto& entry = all[--from];
    recorded.bytes += entry.encoded.key.size() + entry.encoded.value.size();
    recorded.rows += static_cast<std::uint64_t>(entry.body->writes_size());
    for (const auto& event : entry.body->events()) recorded.messages += event.has_change_made() ? 1 : 0;
  }
  recorded.entries.assign(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(from)),
                          std::make_move_iterator(all.end()));
  if (recorded.messages == 0) give_up("the log of the run has no messages");
  return recorded;
}

Bare write_bare(const Recorded& recorded, std::size_t entries_per_commit, const std::filesystem::path& folder) {
  const ScratchFolder scratch(folder);
  const auto log = open(scratch.path() / "log", RocksProfile::log);
  const auto state = open(scratch.path() / "state", RocksProfile::state);
  load::Histogram commit;
  const Seconds cpu = own_cpu();
  const SteadyTime start = steady_now();
  {
    Applier applier(*state);
    for (std::size_t i = 0; i < recorded.entries.size(); i += entries_per_commit) {
      const std::size_t end = std::min(i + entries_per_commit, recorded.entries.size());
      Batch batch;
      for (std::size_t at = i; at < end; ++at)
        batch.put(recorded.entries[at].encoded.key, recorded.entries[at].encoded.value);
      const SteadyTime before = steady_now();
      if (!log->write(batch, Durability::synced)) give_up("can't write the log");
      commit.add(steady_now() - before);
      for (std::size_t at = i; at < end; ++at) applier.add(recorded.entries[at]);
    }
  }
  const auto messages = static_cast<double>(recorded.messages);
  return {messages / Seconds(steady_now() - start).count(), (own_cpu() - cpu).count() * 1e6 / messages,
          std::chrono::duration<double, std::milli>(commit.at(0.5)).count()};
}

}  // namespace holdfast::bench

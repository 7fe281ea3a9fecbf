#include "tests/bench/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/time.h"
#include "storage/big_endian.h"
#include "storage/rocksdb_database.h"
#include "tools/holdfast-load/histogram.h"

namespace holdfast::bench {
namespace {

template <class Sync>
Syncs repeat(Seconds time, Sync sync) {
  load::Histogram latency;
  const SteadyTime start = steady_now();
  SteadyTime now = start;
  while (now - start < time) {
    sync(latency.count());
    const SteadyTime after = steady_now();
    latency.add(after - now);
    now = after;
  }
  const auto ms = [&](double share) { return std::chrono::duration<double, std::milli>(latency.at(share)).count(); };
  return {static_cast<double>(latency.count()) / Seconds(now - start).count(), ms(0.5), ms(0.99)};
}

}  // namespace

Syncs disk_syncs(const std::filesystem::path& folder, std::size_t bytes, Seconds time) {
  const std::string path = (folder / "syncs").string();
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const std::string block(bytes, 'x');
  const Syncs syncs = repeat(time, [&](std::uint64_t) {
    if (::write(file, block.data(), block.size()) < 0 || ::fdatasync(file) != 0) give_up("can't sync " + path);
  });
  ::close(file);
  return syncs;
}

Syncs rocksdb_commits(const std::filesystem::path& folder, std::size_t entries, std::size_t entry_bytes, Seconds time) {
  RocksOptions options;
  options.path = (folder / "commits").string();
  options.profile = RocksProfile::log;
  auto database = open_rocksdb(options);
  if (!database) give_up(database.error().message);
  const std::string value(entry_bytes, 'x');
  const Syncs syncs = repeat(time, [&](std::uint64_t count) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < entries; ++i) {
      std::string& key = keys.emplace_back();
      append_u16(key, static_cast<std::uint16_t>(i));
      key += 'e';
      append_u64(key, count);
    }
    Batch batch;
    for (const auto& key : keys) batch.put(key, value);
    if (!(*database)->write(batch, Durability::synced)) give_up("can't write to RocksDB");
  });
  database->reset();
  std::filesystem::remove_all(options.path);
  return syncs;
}

}  // namespace holdfast::bench

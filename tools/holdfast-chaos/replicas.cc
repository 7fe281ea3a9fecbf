#include "tools/holdfast-chaos/replicas.h"

#include <algorithm>

#include "storage/log_store.h"
#include "storage/rocksdb_database.h"

namespace holdfast::chaos {
namespace {

constexpr std::size_t kPageBytes = 4 << 20;

struct OpenLog {
  std::unique_ptr<Database> database;
  std::unique_ptr<LogStore> store;
};

Result<std::map<std::string, OpenLog>> open_all(const DataDirectories& directories) {
  std::map<std::string, OpenLog> logs;
  for (const auto& [node, directory] : directories) {
    RocksOptions options;
    options.path = directory / "log";
    options.profile = RocksProfile::log;
    auto database = open_rocksdb(options);
    if (!database) return Error{database.error().code, node + ": " + database.error().message};
    OpenLog& log = logs[node];
    log.database = std::move(*database);
    log.store = std::make_unique<LogStore>(*log.database);
  }
  return logs;
}

/// Reads it all, which checks it all. The newest sequence.
Result<std::uint64_t> check_log(const LogStore& log, PartitionId partition) {
  auto bounds = log.bounds(partition);
  if (!bounds) return bounds.error();
  for (Seq next = bounds->first; next <= bounds->second;) {
    auto page = log.read(partition, next, kPageBytes);
    if (!page) return page.error();
    if (page->empty()) break;
    next = Seq(next.value + page->size());
  }
  return bounds->second.value;
}

}  // namespace

Result<std::vector<ReplicaLog>> read_replicas(const DataDirectories& directories,
                                              const std::map<std::uint16_t, std::vector<std::string>>& in_sync) {
  auto logs = open_all(directories);
  if (!logs) return logs.error();
  std::vector<ReplicaLog> found;
  for (const auto& [partition, nodes] : in_sync) {
    const std::size_t first = found.size();
    std::uint64_t common = UINT64_MAX;
    for (const std::string& node : nodes) {
      const auto log = logs->find(node);
      if (log == logs->end()) continue;
      const auto last = check_log(*log->second.store, PartitionId(partition));
      if (!last) return Error{last.error().code, node + ": " + last.error().message};
      found.push_back({node, partition, *last, 0, ""});
      common = std::min(common, *last);
    }
    for (std::size_t i = first; i < found.size(); ++i) {
      found[i].compared_seq = common;
      const auto chain = logs->at(found[i].node).store->chain_at(PartitionId(partition), Seq(common));
      if (!chain) return Error{chain.error().code, found[i].node + ": " + chain.error().message};
      found[i].chain = to_hex({reinterpret_cast<const char*>(chain->data()), chain->size()});
    }
  }
  return found;
}

}  // namespace holdfast::chaos

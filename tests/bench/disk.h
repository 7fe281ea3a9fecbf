/// What the disk can do: appends with a sync, bare and through RocksDB.
#pragma once

#include <cstddef>
#include <filesystem>

#include "tests/bench/measuring.h"

namespace holdfast::bench {

struct Syncs {
  double per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

/// append + fdatasync, one after the other, in a file of this folder.
Syncs disk_syncs(const std::filesystem::path& folder, std::size_t bytes, Seconds time);
/// The same as synced write batches of `entries` values of `entry_bytes` in RocksDB, tuned as our log is.
Syncs rocksdb_commits(const std::filesystem::path& folder, std::size_t entries, std::size_t entry_bytes, Seconds time);

}  // namespace holdfast::bench

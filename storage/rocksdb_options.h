/// How the two databases are tuned. Only rocksdb_database.cc includes this.
#pragma once

#include <memory>
#include <string_view>

#include <rocksdb/options.h>

#include "storage/rocksdb_database.h"

namespace holdfast {

/// For which keys the memtable remembers its place, and how much of them is the name of that place; 0: not for this one.
/// A range that is removed must not begin with such a key: RocksDB before 9.2 uses the same hints for its table of
/// removed ranges, and points from one skip list into the other (facebook/rocksdb#5118).
std::size_t hinted_prefix_bytes(RocksProfile profile, std::string_view key);

rocksdb::Options rocksdb_options(const RocksOptions& options, const std::shared_ptr<rocksdb::Cache>& block_cache);

}  // namespace holdfast

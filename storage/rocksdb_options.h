/// How the two databases are tuned. Only rocksdb_database.cc includes this.
#pragma once

#include <memory>

#include <rocksdb/options.h>

#include "storage/rocksdb_database.h"

namespace holdfast {

rocksdb::Options rocksdb_options(const RocksOptions& options, const std::shared_ptr<rocksdb::Cache>& block_cache);

}  // namespace holdfast

/// A Database in RocksDB, in one of two profiles.
///
///   log     write-ahead log on; a synced write is one append and one fdatasync. Opening is strict: a torn record at the
///           very end (a write that was cut off, and so never acknowledged) is dropped, any other damage is
///           Errc::corrupt.
///   state   no write-ahead log: a crash leaves what the last flush() left, or a later prefix of whole batches.
///
/// What is damaged is found by checksum at every read. A write or sync that fails, also in the background, ends the
/// process: the kernel may have dropped the pages, and a second try would call durable what is not.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "storage/database.h"

namespace rocksdb {
class FileSystem;
}

namespace holdfast {

enum class RocksProfile : std::uint8_t { log, state };

struct RocksOptions {
  std::string path;
  RocksProfile profile = RocksProfile::state;
  std::size_t block_cache_bytes = 128u << 20;
  std::size_t write_buffer_bytes = 64u << 20;  ///< of one memtable; there are at most four
  bool hint_appends = true;  ///< the memtable remembers its places (hinted_prefix_bytes in storage/rocksdb_options.h)
  /// Told why; must not return. Unless given: one line on standard error, then _exit(70).
  std::function<void(const std::string&)> on_sync_failure;
  std::shared_ptr<rocksdb::FileSystem> file_system;  ///< for tests; unless given, the system's
};

struct DatabaseFigures {
  std::uint64_t wal_bytes = 0;         ///< written since it was opened
  std::uint64_t flush_bytes = 0;       ///< the same, memtables to files
  std::uint64_t compaction_bytes = 0;  ///< the same, files to files
  std::uint64_t wal_syncs = 0;
  std::uint64_t memtable_bytes = 0;  ///< resident now
  std::uint64_t block_cache_bytes = 0;
  std::uint64_t files_bytes = 0;  ///< of live table files
};

/// Safe to use from any thread, as Database is.
class RocksDatabase : public Database {
 public:
  virtual DatabaseFigures figures() const = 0;
};

/// Creates it if there is none. Errc::in_use: another process (or this one) has it open; Errc::corrupt: damaged, and the
/// message says which file; Errc::io.
Result<std::unique_ptr<RocksDatabase>> open_rocksdb_with_figures(const RocksOptions& options);
/// The same, for who only needs a Database.
Result<std::unique_ptr<Database>> open_rocksdb(const RocksOptions& options);

}  // namespace holdfast

/// A file system for RocksDB that loses in a crash what a disk may lose: what was written and not synced, and files whose
/// directory was not. After LevelDB's fault_injection_test.
///
/// Thread-safe. It also dies at its n-th change: that one and all behind it fail, as if the power were gone.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <rocksdb/file_system.h>

#include "base/random.h"

namespace holdfast {

class ForgetfulFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  ForgetfulFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "holdfast.ForgetfulFileSystem"; }

  /// The `n`-th append, sync, creation or rename from now on is not done any more.
  void die_at(std::uint64_t n);
  void die() { die_at(1); }
  bool dead() const;
  /// Loses what may be lost, of each file a random part of what was not synced, and lives again. No file is open.
  void crash(Random& random);

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

 private:
  friend class ForgetfulFile;
  friend class ForgetfulDirectory;
  struct File {
    std::uint64_t size = 0;
    std::uint64_t synced = 0;
    bool in_directory = false;  ///< its name survives
  };

  rocksdb::IOStatus change();  // fails when dead
  void appended(const std::string& name, std::uint64_t bytes);
  void synced(const std::string& name);
  void directory_synced(const std::string& directory);

  mutable std::mutex mutex_;
  std::map<std::string, File> files_;  // that were written since the last crash
  std::uint64_t changes_left_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace holdfast

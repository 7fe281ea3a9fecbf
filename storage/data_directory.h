/// A node's data directory, made at the first start and held by one process at a time.
///
///   LOCK        flock()ed as long as the process lives; the pid of its holder
///   format      "holdfast data 1": which layout this is; a newer one is refused
///   store_id    32 hex digits, drawn when the directory was made: another directory is another store
///   log/        database: entries of all partitions, synced
///   state/      database: what the log says
///   log.floor   storage/durable_floor.h
///
/// Directories have mode 0700, files 0600. Owned by the node, for longer than everything that is in it.
#pragma once

#include <filesystem>
#include <memory>

#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "storage/file_util.h"

namespace holdfast {

class DataDirectory {
 public:
  /// Errc::in_use: the message names the process that has it; Errc::unsupported: made by another version;
  /// Errc::corrupt: not empty and not ours, or its id can't be read; Errc::io.
  static Result<std::unique_ptr<DataDirectory>> open(const std::filesystem::path& path, Random& random);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path log_path() const { return path_ / "log"; }
  std::filesystem::path state_path() const { return path_ / "state"; }
  std::filesystem::path floor_path() const { return path_ / "log.floor"; }
  const StoreId& store_id() const { return store_id_; }
  bool is_new() const { return is_new_; }  ///< made by this open()

 private:
  explicit DataDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  Status take_lock();
  Status check_format();
  Status read_store_id();
  Status make(Random& random);

  const std::filesystem::path path_;
  FileDescriptor lock_;
  StoreId store_id_;
  bool is_new_ = false;
};

}  // namespace holdfast

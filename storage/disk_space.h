/// Whether there is room to go on writing: free bytes of the data directory's file system against a reserve.
///
/// Full below the reserve; not full again only at a tenth more, so that it doesn't flicker. Reads go on while it is full.
/// Thread: check() from one, the rest from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/result.h"

namespace holdfast {

class DiskSpace {
 public:
  using FreeBytes = std::function<Result<std::uint64_t>()>;

  DiskSpace(std::uint64_t reserve_bytes, FreeBytes free_bytes)
      : reserve_bytes_(reserve_bytes), free_bytes_fn_(std::move(free_bytes)) {}

  /// Asks the system; call it now and then (a second is often enough). If that fails nothing changes.
  Status check();
  bool full() const { return full_.load(std::memory_order_relaxed); }
  std::uint64_t free_bytes() const { return free_.load(std::memory_order_relaxed); }  ///< at the last check()

 private:
  const std::uint64_t reserve_bytes_;
  const FreeBytes free_bytes_fn_;
  std::atomic<bool> full_{false};
  std::atomic<std::uint64_t> free_{0};
};

/// What an unprivileged process may still write to the file system of `path` (statvfs).
DiskSpace::FreeBytes free_bytes_of(std::filesystem::path path);

}  // namespace holdfast

#include "storage/disk_space.h"

#include <sys/statvfs.h>

#include "storage/file_util.h"

namespace holdfast {

Status DiskSpace::check() {
  const auto free = free_bytes_fn_();
  if (!free) return free.error();
  free_.store(*free, std::memory_order_relaxed);
  if (*free < reserve_bytes_) {
    full_.store(true, std::memory_order_relaxed);
  } else if (*free >= reserve_bytes_ + reserve_bytes_ / 10) {
    full_.store(false, std::memory_order_relaxed);
  }
  return Ok{};
}

DiskSpace::FreeBytes free_bytes_of(std::filesystem::path path) {
  return [path = std::move(path)]() -> Result<std::uint64_t> {
    struct statvfs figures = {};
    if (::statvfs(path.c_str(), &figures) != 0) return system_error("can't ask for the free space of", path);
    return static_cast<std::uint64_t>(figures.f_bavail) * figures.f_frsize;
  };
}

}  // namespace holdfast

#include "storage/file_util.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace holdfast {
namespace {

Status write_all(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t done = ::write(fd, content.data(), content.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return system_error("can't write", path);
    content.remove_prefix(static_cast<std::size_t>(done));
  }
  return Ok{};
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Error system_error(std::string_view what, const std::filesystem::path& path) {
  const int code = errno;
  return Error{code == ENOSPC ? Errc::storage_full : Errc::io,
               std::string(what) + " " + path.string() + ": " + std::strerror(code)};
}

Result<std::optional<std::string>> read_small_file(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::optional<std::string>();
  if (!file) return system_error("can't open", path);
  std::string content;
  char buffer[16 << 10];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("can't read", path);
    if (got == 0) return std::optional<std::string>(std::move(content));
    content.append(buffer, static_cast<std::size_t>(got));
  }
}

Status replace_file(const std::filesystem::path& path, std::string_view content) {
  const std::filesystem::path fresh = path.string() + ".new";
  {
    const FileDescriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) return system_error("can't create", fresh);
    if (auto written = write_all(file.get(), content, fresh); !written) return written;
    if (::fsync(file.get()) != 0) return system_error("can't sync", fresh);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return system_error("can't rename to", path);
  return sync_directory(path.parent_path());
}

Status sync_directory(const std::filesystem::path& path) {
  const FileDescriptor directory(::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return system_error("can't open", path);
  if (::fsync(directory.get()) != 0) return system_error("can't sync", path);
  return Ok{};
}

}  // namespace holdfast

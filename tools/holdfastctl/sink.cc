#include "tools/holdfastctl/sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace holdfast::ctl {

Result<Sink> Sink::open(const std::string& path) {
  if (path.empty()) return Sink("standard output", FileDescriptor());
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return system_error("can't write", path);
  struct stat is{};
  if (::fstat(file.get(), &is) != 0) return system_error("can't look at", path);
  // The mode above is a new file's. What is no file (/dev/null, a pipe) keeps its own.
  if (S_ISREG(is.st_mode) && ::fchmod(file.get(), 0600) != 0) return system_error("can't close to others", path);
  return Sink(path, std::move(file));
}

Status Sink::write(std::string_view bytes) {
  const int to = file_ ? file_.get() : STDOUT_FILENO;
  while (!bytes.empty()) {
    const ssize_t moved = ::write(to, bytes.data(), bytes.size());
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return system_error("can't write", path_);
    bytes.remove_prefix(static_cast<std::size_t>(moved));
  }
  return Ok{};
}

}  // namespace holdfast::ctl

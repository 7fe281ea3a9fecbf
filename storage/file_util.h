/// Small durable files and the error texts of the system.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast {

/// A file descriptor, closed with its owner.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Errc::io (storage_full for a full disk): "<what> <path>: <what errno says>". Uses errno.
Error system_error(std::string_view what, const std::filesystem::path& path);

/// Nothing if there is no such file.
Result<std::optional<std::string>> read_small_file(const std::filesystem::path& path);
/// Under its name there is the old content or the new one, whatever happens; on return, durably the new one. Mode 0600.
Status replace_file(const std::filesystem::path& path, std::string_view content);
Status sync_directory(const std::filesystem::path& path);

}  // namespace holdfast

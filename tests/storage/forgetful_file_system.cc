#include "tests/storage/forgetful_file_system.h"

#include <filesystem>

namespace holdfast {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class ForgetfulFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  ForgetfulFile(ForgetfulFileSystem& system, std::string name, std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), system_(system), name_(std::move(name)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = system_.change();
    if (status.ok()) status = FSWritableFileOwnerWrapper::Append(data, options, debug);
    if (status.ok()) system_.appended(name_, data.size());
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override { return sync(options, debug); }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override { return sync(options, debug); }

 private:
  IOStatus sync(const IOOptions& options, IODebugContext* debug) {
    IOStatus status = system_.change();
    if (status.ok()) status = FSWritableFileOwnerWrapper::Flush(options, debug);  // no disk: crash() is what loses
    if (status.ok()) system_.synced(name_);
    return status;
  }

  ForgetfulFileSystem& system_;
  const std::string name_;
};

class ForgetfulDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  ForgetfulDirectory(ForgetfulFileSystem& system, std::string name, std::unique_ptr<rocksdb::FSDirectory> directory)
      : FSDirectoryWrapper(std::move(directory)), system_(system), name_(std::move(name)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    IOStatus status = system_.change();
    if (status.ok()) system_.directory_synced(name_);
    return status;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions&) override {
    return Fsync(options, debug);
  }

 private:
  ForgetfulFileSystem& system_;
  const std::string name_;
};

void ForgetfulFileSystem::die_at(std::uint64_t n) {
  const std::scoped_lock lock(mutex_);
  changes_left_ = n - 1;
}

bool ForgetfulFileSystem::dead() const {
  const std::scoped_lock lock(mutex_);
  return changes_left_ == 0;
}

IOStatus ForgetfulFileSystem::change() {
  const std::scoped_lock lock(mutex_);
  if (changes_left_ == 0) return IOStatus::IOError("the power is gone");
  --changes_left_;
  return IOStatus::OK();
}

void ForgetfulFileSystem::appended(const std::string& name, std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  files_[name].size += bytes;
}

void ForgetfulFileSystem::synced(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  File& file = files_[name];
  file.synced = file.size;
}

void ForgetfulFileSystem::directory_synced(const std::string& directory) {
  const std::scoped_lock lock(mutex_);
  for (auto& [name, file] : files_)
    if (std::filesystem::path(name).parent_path() == std::filesystem::path(directory)) file.in_directory = true;
}

void ForgetfulFileSystem::crash(Random& random) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, file] : files_) {
    if (!std::filesystem::exists(name)) continue;
    if (file.in_directory) {
      std::filesystem::resize_file(name, file.synced + random.below(file.size - file.synced + 1));
    } else {
      std::filesystem::remove(name);
    }
  }
  files_.clear();
  changes_left_ = std::numeric_limits<std::uint64_t>::max();
}

IOStatus ForgetfulFileSystem::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                              std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) {
  IOStatus status = change();
  if (status.ok()) status = FileSystemWrapper::NewWritableFile(name, options, result, debug);
  if (!status.ok()) return status;
  {
    const std::scoped_lock lock(mutex_);
    files_[name] = File{};
  }
  *result = std::make_unique<ForgetfulFile>(*this, name, std::move(*result));
  return status;
}

IOStatus ForgetfulFileSystem::ReopenWritableFile(const std::string& name, const rocksdb::FileOptions&,
                                                 std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) {
  return IOStatus::NotSupported("nothing reopens files for writing: " + name);
}

IOStatus ForgetfulFileSystem::NewDirectory(const std::string& name, const IOOptions& options,
                                           std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) {
  const IOStatus status = FileSystemWrapper::NewDirectory(name, options, result, debug);
  if (status.ok()) *result = std::make_unique<ForgetfulDirectory>(*this, name, std::move(*result));
  return status;
}

/// A rename over an old file leaves one or the other: here the new one, of which only what was synced is sure.
IOStatus ForgetfulFileSystem::RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                                         IODebugContext* debug) {
  IOStatus status = change();
  const bool replaces = std::filesystem::exists(to);
  if (status.ok()) status = FileSystemWrapper::RenameFile(from, to, options, debug);
  if (!status.ok()) return status;
  const std::scoped_lock lock(mutex_);
  if (auto moved = files_.extract(from)) {
    moved.key() = to;
    moved.mapped().in_directory = replaces;
    files_.erase(to);
    files_.insert(std::move(moved));
  }
  return status;
}

IOStatus ForgetfulFileSystem::DeleteFile(const std::string& name, const IOOptions& options, IODebugContext* debug) {
  IOStatus status = change();
  if (status.ok()) status = FileSystemWrapper::DeleteFile(name, options, debug);
  const std::scoped_lock lock(mutex_);
  if (status.ok()) files_.erase(name);
  return status;
}

}  // namespace holdfast

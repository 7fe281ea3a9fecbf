/// A backup as it lies in a folder (proto/backup.proto says which files there are), written and checked.
///
/// Blocking, one thread. Errors name the file and what is wrong with it. Files have mode 0600, the folder 0700: who can
/// read a backup can be anybody, and reads everything.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "net/sha256.h"
#include "proto/backup.pb.h"
#include "proto/frame.h"
#include "proto/peer.pb.h"
#include "storage/file_util.h"

namespace holdfast::ctl {

inline constexpr std::uint32_t kBackupFormat = 1;
inline constexpr const char* kSettingsFile = "settings";

struct BackupManifest {
  std::uint32_t format = kBackupFormat;
  std::string cluster;  ///< uuid
  std::string version;  ///< of the node that told
  std::uint64_t generation = 1, restores = 0;
  std::int64_t time_ms = 0;
  struct File {
    std::string name;
    std::uint64_t bytes = 0;
    std::string sha256;
  };
  File settings;
  struct Part {
    std::uint32_t partition = 0;
    std::uint64_t epoch = 0, seq = 0;
    std::string chain;  ///< of entry `seq`, hex
    File file;
  };
  std::vector<Part> parts;  ///< all partitions, in order
  std::uint64_t bytes() const;
};

std::string to_json(const BackupManifest& manifest);
/// Errc::corrupt, or unsupported: made by a later version.
Result<BackupManifest> parse_manifest(std::string_view json);

std::string part_file_name(std::uint32_t partition);

/// A new file, hashed as it is written.
class BackupWriter {
 public:
  static Result<BackupWriter> create(const std::filesystem::path& path);
  Status write(std::string_view bytes);
  /// Synced. What is to stand in the manifest.
  Result<BackupManifest::File> finish();

 private:
  BackupWriter(std::filesystem::path path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}
  std::filesystem::path path_;
  FileDescriptor file_;
  Sha256 hash_;
  std::uint64_t bytes_ = 0;
};

/// The manifest itself, with its checksum beside it; the last that is written.
Status write_manifest(const std::filesystem::path& folder, const BackupManifest& manifest);
Result<BackupManifest> read_manifest(const std::filesystem::path& folder);

/// The pieces of one partition, in order.
class PartReader {
 public:
  static Result<PartReader> open(const std::filesystem::path& path);
  /// Nothing at the end of the file. Errc::corrupt: these are no pieces.
  Result<std::optional<peer::SnapshotPart>> next();
  std::uint64_t bytes() const { return bytes_; }  ///< read so far
  std::string sha256() { return hash_.hex(); }    ///< of all of it, at its end

 private:
  PartReader(std::filesystem::path path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}
  std::filesystem::path path_;
  FileDescriptor file_;
  std::string buffer_;
  std::string_view rest_;
  FrameDecoder decoder_{64u << 20};
  Sha256 hash_;
  std::uint64_t bytes_ = 0;
  bool at_end_ = false;
};

/// Everything is there, as long as it was and with the checksums that it had, and each partition's rows and entries hang
/// together. Errc::corrupt names the file that does not.
Result<BackupManifest> verify_backup(const std::filesystem::path& folder);
Result<backup::Settings> read_settings(const std::filesystem::path& folder, const BackupManifest& manifest);

}  // namespace holdfast::ctl

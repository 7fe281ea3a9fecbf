#include "tools/holdfastctl/backup_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/hash.h"
#include "storage/snapshot_parts.h"

namespace holdfast::ctl {
namespace {

namespace fs = std::filesystem;

Error damaged(const fs::path& file, const std::string& what) {
  return {Errc::corrupt, "the backup is damaged: " + file.string() + " " + what};
}

/// The whole of a small file. Errc::corrupt: it is not there.
Result<std::string> contents(const fs::path& file) {
  auto read = read_small_file(file);
  if (!read) return read.error();
  if (!*read) return damaged(file, "is missing");
  return std::move(**read);
}

Status check_file(const fs::path& file, const BackupManifest::File& told, std::uint64_t bytes,
                  const std::string& sha256) {
  if (bytes != told.bytes)
    return damaged(file, "has " + std::to_string(bytes) + " bytes, and had " + std::to_string(told.bytes));
  if (sha256 != told.sha256) return damaged(file, "does not have its checksum (SHA-256) any more");
  return Ok{};
}

/// What a partition's file says of itself, piece by piece.
class PartCheck {
 public:
  Status take(const peer::SnapshotPart& part) {
    if (complete_ || part.number() != next_) return Error{Errc::corrupt, "has pieces out of order"};
    if (next_++ == 0) {
      auto head = peers::snapshot_head(part);
      if (!head) return Error{Errc::corrupt, "begins with something else than a partition"};
      head_ = std::move(*head);
      chain_ = head_.chain_before;
      entry_ = head_.first_entry;
    }
    const auto piece = peers::snapshot_piece(part);
    if (!piece) return Error{Errc::corrupt, "has a piece without a checksum"};
    checksum_ = snapshot_checksum(checksum_, *piece);
    if (checksum_ != piece->checksum) return Error{Errc::corrupt, "has a piece that is not as it was sent"};
    for (const std::string& entry : piece->entries) {
      chain_ = encode_entry(PartitionId(0), entry_, entry, chain_).chain;
      entry_ = entry_.next();
    }
    complete_ = piece->last;
    return Ok{};
  }

  Status finish(const BackupManifest::Part& told) const {
    if (!complete_) return Error{Errc::corrupt, "ends too early"};
    const bool fits = head_.applied == Seq(told.seq) && entry_ == head_.applied.next() && chain_ == head_.chain &&
                      to_hex(as_bytes(chain_)) == told.chain;
    if (!fits) return Error{Errc::corrupt, "is of another entry than the manifest says"};
    return Ok{};
  }

 private:
  SnapshotHead head_;
  Hash32 checksum_{}, chain_{};
  Seq entry_;
  std::uint32_t next_ = 0;
  bool complete_ = false;
};

Status verify_part(const fs::path& folder, const BackupManifest::Part& told) {
  const fs::path file = folder / told.file.name;
  auto reader = PartReader::open(file);
  if (!reader) return reader.error();
  PartCheck check;
  while (true) {
    const auto part = reader->next();
    if (!part) return part.error();
    if (!*part) break;
    if (const Status taken = check.take(**part); !taken) return damaged(file, taken.error().message);
  }
  if (const Status same = check_file(file, told.file, reader->bytes(), reader->sha256()); !same) return same;
  const Status complete = check.finish(told);
  return complete ? complete : Status(damaged(file, complete.error().message));
}

}  // namespace

std::uint64_t BackupManifest::bytes() const {
  std::uint64_t sum = settings.bytes;
  for (const Part& part : parts) sum += part.file.bytes;
  return sum;
}

std::string part_file_name(std::uint32_t partition) { return "partition-" + std::to_string(partition); }

// ------------------------------------------------------------------------------------------------ writing

Result<BackupWriter> BackupWriter::create(const fs::path& path) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return system_error("can't make", path);
  return BackupWriter(path, std::move(file));
}

Status BackupWriter::write(std::string_view bytes) {
  hash_.update(bytes);
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t moved = ::write(file_.get(), bytes.data(), bytes.size());
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return system_error("can't write", path_);
    bytes.remove_prefix(static_cast<std::size_t>(moved));
  }
  return Ok{};
}

Result<BackupManifest::File> BackupWriter::finish() {
  if (::fsync(file_.get()) != 0) return system_error("can't sync", path_);
  return BackupManifest::File{path_.filename().string(), bytes_, hash_.hex()};
}

Status write_manifest(const fs::path& folder, const BackupManifest& manifest) {
  const std::string text = to_json(manifest);
  if (const Status written = replace_file(folder / "manifest.json", text); !written) return written;
  return replace_file(folder / "manifest.sha256", sha256_hex(text) + "  manifest.json\n");
}

// ------------------------------------------------------------------------------------------------ reading

Result<BackupManifest> read_manifest(const fs::path& folder) {
  if (!fs::is_directory(folder)) return Error{Errc::not_found, folder.string() + " is no folder with a backup"};
  const fs::path file = folder / "manifest.json", checksum_file = folder / "manifest.sha256";
  const auto text = contents(file);
  if (!text) return text.error();
  const auto checksum = contents(checksum_file);
  if (!checksum) return checksum.error();
  if (*checksum != sha256_hex(*text) + "  manifest.json\n")
    return damaged(file, "does not have the checksum that stands in manifest.sha256");
  auto manifest = parse_manifest(*text);
  if (!manifest) return Error{manifest.error().code, file.string() + ": " + manifest.error().message};
  return manifest;
}

Result<PartReader> PartReader::open(const fs::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return damaged(path, "is missing");
  if (!file) return system_error("can't read", path);
  return PartReader(path, std::move(file));
}

Result<std::optional<peer::SnapshotPart>> PartReader::next() {
  constexpr std::size_t kReadBytes = 1u << 20;
  while (true) {
    const auto payload = decoder_.next(rest_);
    if (!payload) return damaged(path_, "holds no pieces of a partition: " + payload.error().message);
    if (*payload) {
      peer::SnapshotPart part;
      if (!part.ParseFromArray((*payload)->data(), static_cast<int>((*payload)->size())))
        return damaged(path_, "has a piece that can't be read");
      return std::optional<peer::SnapshotPart>(std::move(part));
    }
    if (at_end_ && !decoder_.between_frames()) return damaged(path_, "ends in the middle of a piece");
    if (at_end_) return std::optional<peer::SnapshotPart>();
    buffer_.resize(kReadBytes);
    const ssize_t came = ::read(file_.get(), buffer_.data(), buffer_.size());
    if (came < 0) return system_error("can't read", path_);
    buffer_.resize(static_cast<std::size_t>(came));
    rest_ = buffer_;
    hash_.update(buffer_);
    bytes_ += buffer_.size();
    at_end_ = came == 0;
  }
}

Result<backup::Settings> read_settings(const fs::path& folder, const BackupManifest& manifest) {
  const fs::path file = folder / kSettingsFile;
  const auto bytes = contents(file);
  if (!bytes) return bytes.error();
  if (const Status same = check_file(file, manifest.settings, bytes->size(), sha256_hex(*bytes)); !same)
    return same.error();
  backup::Settings settings;
  if (!settings.ParseFromString(*bytes)) return damaged(file, "can't be read");
  if (settings.partitions() != manifest.parts.size() || settings.cluster() != manifest.cluster)
    return damaged(file, "is of another cluster than the manifest");
  return settings;
}

Result<BackupManifest> verify_backup(const fs::path& folder) {
  auto manifest = read_manifest(folder);
  if (!manifest) return manifest;
  const auto settings = read_settings(folder, *manifest);
  if (!settings) return settings.error();
  for (const BackupManifest::Part& part : manifest->parts)
    if (const Status good = verify_part(folder, part); !good) return good.error();
  return manifest;
}

}  // namespace holdfast::ctl

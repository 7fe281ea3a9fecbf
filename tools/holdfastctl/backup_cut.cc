#include "tools/holdfastctl/backup_cut.h"

#include <thread>

#include "base/hash.h"

namespace holdfast::ctl {
namespace {

constexpr std::chrono::milliseconds kThrottled{5};
constexpr std::chrono::seconds kStandsStillMax{30};  ///< without a piece

}  // namespace

BackupCut::~BackupCut() { end(); }

Result<std::string> BackupCut::ask(const std::string& what, std::uint32_t node, const std::string& more) {
  return admin_.post_for_body("/admin/backup-" + what + "?backup=" + std::to_string(backup_) +
                              "&node=" + std::to_string(node) + more);
}

Result<backup::Settings> BackupCut::settings() {
  const auto bytes = admin_.post_for_body("/admin/backup-settings");
  if (!bytes) return bytes.error();
  backup::Settings settings;
  if (!settings.ParseFromString(*bytes) || settings.partitions() == 0)
    return Error{Errc::corrupt, "the node's settings can't be read: is it of another version?"};
  return settings;
}

Status BackupCut::take(std::uint32_t partitions) {
  Status cut = hold(partitions);
  if (!cut) {
    end();
    return cut;
  }
  // Every partition of every node has been read: now they go on, each saying that it stood still until here.
  for (const std::uint32_t node : nodes_)
    if (const auto released = ask("release", node); !released && cut) cut = released.error();
  if (!cut) end();
  return cut;
}

Status BackupCut::hold(std::uint32_t partitions) {
  for (const std::uint32_t node : nodes_) {
    const auto bytes = ask("hold", node);
    if (!bytes) return bytes.error();
    backup::Parts parts;
    if (!parts.ParseFromString(*bytes)) return Error{Errc::corrupt, "a node's parts can't be read"};
    for (const auto& part : parts.parts())
      if (!held_.emplace(part.partition(), Held{node, part}).second)
        return Error{Errc::retry_later, "partition " + std::to_string(part.partition()) + " is changing its primary"};
  }
  for (std::uint32_t p = 0; p < partitions; ++p)
    if (!held_.contains(p)) return Error{Errc::retry_later, "nobody serves partition " + std::to_string(p) + " now"};
  return Ok{};
}

Result<std::string> BackupCut::next_piece(const Held& held) {
  const auto until = std::chrono::steady_clock::now() + kStandsStillMax;
  while (true) {
    auto bytes = ask("piece", held.node, "&partition=" + std::to_string(held.part.partition()));
    if (bytes || bytes.error().code != Errc::retry_later || std::chrono::steady_clock::now() > until) return bytes;
    std::this_thread::sleep_for(kThrottled);
  }
}

Result<BackupManifest::Part> BackupCut::fetch(std::uint32_t partition, const std::filesystem::path& folder) {
  const Held& held = held_.at(partition);
  auto file = BackupWriter::create(folder / part_file_name(partition));
  if (!file) return file.error();
  for (bool last = false; !last;) {
    const auto bytes = next_piece(held);
    if (!bytes) return bytes.error();
    peer::SnapshotPart piece;
    if (!piece.ParseFromString(*bytes)) return Error{Errc::corrupt, "a node sent what is no piece of a partition"};
    last = piece.last();
    std::string framed;
    append_frame(framed, *bytes);
    if (const Status written = file->write(framed); !written) return written.error();
  }
  auto finished = file->finish();
  if (!finished) return finished.error();
  return BackupManifest::Part{partition, held.part.epoch(), held.part.seq(), to_hex(held.part.chain()),
                              std::move(*finished)};
}

void BackupCut::end() {
  // A node that does not hear of it gives it up by itself.
  for (const std::uint32_t node : nodes_) (void)ask("end", node);
  held_.clear();
}

}  // namespace holdfast::ctl

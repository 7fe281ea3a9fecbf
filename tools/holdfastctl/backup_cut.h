/// One cut over all partitions of a cluster, taken over one node's operators' port, and fetched piece by piece.
///
/// Every node's partitions stand still and are read before any of them goes on, and each node says at the end that they
/// did: nothing that is in one partition's part is missing from another's. Blocking, one thread. What is not fetched to
/// its end is given up by the destructor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "proto/backup.pb.h"
#include "tools/holdfastctl/admin.h"
#include "tools/holdfastctl/backup_files.h"

namespace holdfast::ctl {

class BackupCut {
 public:
  /// `nodes` of the cluster that run; {0}: a node that is alone. `backup` is drawn by the caller.
  BackupCut(Admin& admin, std::vector<std::uint32_t> nodes, std::uint64_t backup)
      : admin_(admin), nodes_(std::move(nodes)), backup_(backup) {}
  ~BackupCut();
  BackupCut(const BackupCut&) = delete;
  BackupCut& operator=(const BackupCut&) = delete;

  Result<backup::Settings> settings();
  /// Errc::retry_later: it did not come to a cut this time (a partition has no primary now, a node is slow); try again.
  Status take(std::uint32_t partitions);
  /// One partition of the cut, into a new file of `folder`.
  Result<BackupManifest::Part> fetch(std::uint32_t partition, const std::filesystem::path& folder);

 private:
  struct Held {
    std::uint32_t node;
    backup::Parts::Part part;
  };
  Status hold(std::uint32_t partitions);
  Result<std::string> ask(const std::string& what, std::uint32_t node, const std::string& more = {});
  Result<std::string> next_piece(const Held& held);
  void end();

  Admin& admin_;
  const std::vector<std::uint32_t> nodes_;
  const std::uint64_t backup_;
  std::map<std::uint32_t, Held> held_;  ///< by partition
};

}  // namespace holdfast::ctl

/// Makes a data directory out of a backup: a new store, a new cluster, a new generation.
///
/// Offline, blocking. The directory is there, whole, when it returns; after an error, or a crash, there is none under its
/// name. Nothing of the old cluster can be mixed with it: its id is another one, so nodes with old data are turned away.
#pragma once

#include <filesystem>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "failover/generation.h"

namespace holdfast::ctl {

struct Restored {
  std::uint32_t partitions = 0;
  std::string cluster;
  failover::Generation generation;
};

/// Errc::corrupt: the backup is damaged, and the message names the file; already_exists: `data` is not empty.
Result<Restored> restore_backup(const std::filesystem::path& backup, const std::filesystem::path& data, WallTime now,
                                Random& random);

}  // namespace holdfast::ctl

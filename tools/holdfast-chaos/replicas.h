/// The logs of all nodes, read from their disks after the end (H10).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "tools/holdfast-chaos/history.h"

namespace holdfast::chaos {

/// By node's name: its data directory, which no process has open.
using DataDirectories = std::map<std::string, std::filesystem::path>;

/// The copies of each partition that were in sync at the end. Every entry is read and its place in the chain of hashes
/// checked. Fails with corrupt (naming node, partition and entry) or io.
Result<std::vector<ReplicaLog>> read_replicas(const DataDirectories& directories,
                                              const std::map<std::uint16_t, std::vector<std::string>>& in_sync);

}  // namespace holdfast::chaos

/// The operators' key: 64 hex digits in a file of the data directory that only its owner reads; made at the first start.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "failover/config_store.h"

namespace holdfast {

/// Errc::io, or Errc::corrupt if the file holds something else.
Result<std::string> load_operator_key(const std::filesystem::path& path);

/// All nodes of a cluster believe one key: the configuration store's `keys/operator`, which the first node that finds none
/// writes there from its own file. The file is made to hold it. Blocks.
Result<std::string> share_operator_key(failover::ConfigStore& cluster, const std::filesystem::path& path);

}  // namespace holdfast

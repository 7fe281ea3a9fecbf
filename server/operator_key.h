/// The operators' key: 64 hex digits in a file of the data directory that only its owner reads; made at the first start.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace holdfast {

/// Errc::io, or Errc::corrupt if the file holds something else.
Result<std::string> load_operator_key(const std::filesystem::path& path);

}  // namespace holdfast

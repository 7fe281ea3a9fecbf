/// Whether the audit journals say what the logs say: each event that is worth lines has them, each once, where they
/// belong, and the lines hold together.
#pragma once

#include <string>
#include <vector>

#include "storage/database.h"
#include "tests/support/log_history.h"

namespace holdfast {

/// Everything was followed to its end, and nothing was trimmed.
void check_audit(const Archive& archive, const Database& state, std::vector<std::string>& found);

}  // namespace holdfast

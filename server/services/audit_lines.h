/// What is worth a line of the audit journal, and what the line says.
///
/// Never a body, password, token or address of mail. A name that nobody has is not given: it may be a password in
/// the wrong field.
#pragma once

#include <utility>
#include <vector>

#include "server/bus/subscriber.h"

namespace holdfast::services {

/// The lines that an event leads to, and in which partitions they belong; none for most events.
std::vector<std::pair<PartitionId, state::AuditLine>> audit_lines(const bus::EventAt& at);

}  // namespace holdfast::services

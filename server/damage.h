/// What is on the disk can't be read, and the node was running: nothing is deleted and nothing goes on.
///
/// Any thread.
#pragma once

#include <string>

#include "base/result.h"

namespace holdfast {

/// The place, as whoever read it named it, and what an operator is to do. A node of a cluster is filled again by the
/// others; what one that is alone has lost, only a backup has.
std::string describe_damage(const Error& error, bool in_cluster);

/// Says that on standard error, and ends the process with exit code 70, as a failed sync does.
[[noreturn]] void end_for_damage(const Error& error, bool in_cluster);

}  // namespace holdfast

/// Named places where a test has a real process killed: between two steps that a crash must not tear apart.
///
/// Without the variable HOLDFAST_SEAMS in the environment passing one costs a look at a constant, and does nothing. With
/// it, it names a folder: where this process finds the seam's name in the file <folder>/<its pid>, it takes that file away
/// and ends by SIGKILL, as if somebody had pulled the plug there. A test writes that file under another name and renames it.
///
/// Any thread.
#pragma once

#include <string_view>

namespace holdfast {

/// Somebody may want it: worth a look at what is passed.
bool seams_are_watched();
void pass_seam(std::string_view name);

}  // namespace holdfast

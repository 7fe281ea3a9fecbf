/// Says what is wrong with a history. The rules are those of chaos runs too: nothing acknowledged is lost (H1), nothing
/// is twice (H2), one order without gaps for all (H3), content never changes (H4), cursors only rise (H5), nothing is
/// shown that is not in the log (H6), what was refused for good never happened (H7), every change reaches every device of
/// every member whose interval covers it, once and in order (H8).
///
/// Pure. Each finding begins with its rule.
#pragma once

#include "tests/support/history.h"

namespace holdfast {

std::vector<std::string> check_history(const History& history);

}  // namespace holdfast

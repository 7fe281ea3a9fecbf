/// Ways back into an account without its password: a mailed reset, an operator's code. They are given out and used by the
/// services; chat makes them void where whoever knows the password shows it, or another one takes its place.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

/// Neither the mailed link nor the code works any more. Nothing if there is none.
void void_ways_back(const UserId& user, View& view, Draft& draft);

}  // namespace holdfast::chat

/// The mix of a day, from a TOML file.
///
///     sessions = 1000               # online users, 2 or more
///     body_bytes = 100              # of a message, 32 to 65536
///
///     [rates]                       # a second, over all sessions together; left out: none
///     messages = 200                # in direct conversations
///     group_messages = 20           # in groups, each goes to all members
///     reads = 100                   # read marks
///     typing = 50                   # typing notes
///     history = 5                   # pages of 50 messages
///     drop_outs = 10                # connections lost, as on mobile networks
///     log_ins = 0.5                 # with a password, and out again
///
///     [groups]                      # left out: none
///     count = 20
///     members = 50                  # of each, 3 to 100
///
///     [drop_outs]
///     away_min_s = 1                # how long one is gone, evenly drawn
///     away_max_s = 30
#pragma once

#include <string_view>

#include "base/result.h"
#include "tools/holdfast-load/plan.h"

namespace holdfast::load {

/// Puts what the file says into the plan. `name` is for messages. Fails with invalid_argument, naming the key and what
/// is allowed: an unknown key is a mistake, too.
Status read_profile(std::string_view text, const std::string& name, Plan& plan);

}  // namespace holdfast::load

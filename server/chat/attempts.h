/// Failed passwords, counted for each name whether or not anybody has it: so the answers don't say who exists, and
/// guessing gets slow, then stops for a while. Live sessions never notice.
#pragma once

#include <optional>

#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::chat {

/// RATE_LIMITED or LOGIN_LOCKED with how long, if no password may be tried for this name now.
std::optional<v1::Error> password_barred(const Context& context, std::string_view username, View& view);
/// Who failed, and from where.
struct Failed {
  std::string_view username;
  std::string_view user;  ///< empty: nobody has the name
  std::string_view peer;
};
/// Writes one more failure; at the limit locks the name. Says so in events: failures at most once a minute for each
/// name, the others are counted in the next.
void count_failure(const Context& context, const Failed& failed, View& view, Draft& draft);
/// Failures that no event has told yet.
std::uint32_t untold_failures(std::string_view username, View& view);
/// Tells them, before the row goes.
void tell_untold_failures(std::string_view username, const state::Attempts& attempts, View& view, Draft& draft);
void clear_failures(std::string_view username, View& view, Draft& draft);

/// True once the row says nothing any more and can go.
bool is_forgotten(const Context& context, const state::Attempts& attempts);

}  // namespace holdfast::chat

/// Inboxes are kept for so many rows and so long; what devices haven't fetched by then is a gap to them, and they page
/// the history instead.
///
/// Only whole changes say when they were made. Rows stand in the order of arrival, so what comes before an old one is old
/// too; references with nothing old and whole behind them go by number alone.
#pragma once

#include <optional>

#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::chat {

/// The inbox rows of one stretch of a sweep, in order. Value; lives as long as the rule runs.
class InboxSweep {
 public:
  InboxSweep(const Context& context, View& view, Draft& draft) : context_(context), view_(view), draft_(draft) {}
  void look_at(const Row& row);
  /// Writes for the last user. Last.
  void finish();

 private:
  void begin(const UserId& user);
  bool is_over(std::uint64_t position, const std::string& item) const;

  const Context& context_;
  View& view_;
  Draft& draft_;
  std::optional<UserId> user_;
  std::optional<state::Mailbox> mailbox_;
  std::uint64_t over_ = 0;  ///< the newest position of this user's that goes; 0: none
};

}  // namespace holdfast::chat

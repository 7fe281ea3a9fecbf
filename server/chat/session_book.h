/// A user's account with its sessions and mailbox, while one rule changes them: what belongs together is written
/// together, and each row once.
///
/// Value; lives as long as the rule runs. Invariant kept: the account's list of sessions, the live session rows and the
/// mailbox's cursors name the same sessions.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::chat {

class SessionBook {
 public:
  SessionBook(const Context& context, const UserId& user, View& view, Draft& draft);
  /// For an account that is made now: with an empty mailbox.
  SessionBook(const Context& context, const UserId& user, state::Account fresh, View& view, Draft& draft);

  bool exists() const { return account_.has_value(); }
  const UserId& user() const { return user_; }
  const state::Account& account() const { return *account_; }
  /// Written by save().
  state::Account& change_account();
  const state::Mailbox& mailbox() const { return mailbox_; }

  /// The row, live or ended; null if there is none.
  const state::Session* find(const SessionId& session);
  /// The row of a live session, to be written by save(); null if there is no such session or it has ended.
  state::Session* change_live(const SessionId& session);

  /// Makes the session, at the head of the inbox. If it is there already, the request is a repetition whose answer was
  /// never heard: it takes the new token. False if it has ended since: it doesn't come back to life. Beyond the most
  /// sessions of a user, the one unused for longest ends.
  bool add(const command::NewSession& session);
  /// Ends it, tells its connections, says so in an event. Nothing if it isn't live.
  void end(const SessionId& session, v1::ErrorCode code, const std::string& reason);
  void end_all_but(const std::optional<SessionId>& kept, v1::ErrorCode code, const std::string& reason);

  /// Writes what changed. Last.
  void save();

  /// The answer to a log-in; the token is its asker's to add.
  v1::SessionReply reply(const SessionId& session) const;

 private:
  struct Loaded {
    std::optional<state::Session> row;
    bool changed = false;
  };
  Loaded& load(const SessionId& session);
  void drop_cursor(const SessionId& session);
  void end_oldest_unused(const SessionId& newest);

  const Context& context_;
  const UserId user_;
  View& view_;
  Draft& draft_;
  std::optional<state::Account> account_;
  state::Mailbox mailbox_;
  std::map<SessionId, Loaded> sessions_;
  bool account_changed_ = false;
  bool mailbox_changed_ = false;
};

/// ACCOUNT_SUSPENDED or ACCOUNT_BANNED, if so now.
std::optional<v1::Error> barred_by_operator(const Context& context, const state::Account& account);

/// Refuses with an error that somebody else made.
void refuse_with(const v1::Error& error, Draft& draft);

}  // namespace holdfast::chat

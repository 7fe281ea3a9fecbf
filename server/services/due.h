/// What is due: the grammar of durable timers, and what is done when their time has come.
///
///   what := kind:1 ids        intent: user intent    missed: user    reply: hash:16    answered: user hash:16
///                             secret: user intent (as in secrets/<user>)    wave: wave    address: hash:16
///                             audit_trim: (nothing)    lost_node: incidents.cc    incident_end: incident
///
/// Each kind has one rule. It removes the timer's row, moves it, or begins an intent, whose end removes it.
#pragma once

#include <string>

#include "server/chat/rules.h"

namespace holdfast::services {

enum class DueKind : char {
  intent = 'i',  ///< user, intent
  // e-mail fallback
  missed = 'm',    ///< user
  reply = 'r',     ///< the row's hash: answers are taken no longer
  answered = 'a',  ///< user, the row's hash: a repetition is not to be expected any more
  secret = 's',    ///< user, intent: as in secrets/<user>
  address = 'v',   ///< an address's hash: it was mailed to be verified, which is forgotten
  wave = 'w',      ///< a wave of resets: the next accounts
  // audit, incidents
  audit_trim = 'A',  ///< nothing: the partition's journal
  lost_node = 'L',   ///< node and incident (incidents.cc)
  incident_end = 'E',
};

/// The part of the key behind the time.
std::string due_what(DueKind kind, std::initializer_list<std::string_view> ids);

/// Of such a part: whether it is an intent, whose row stands until somebody outside has carried it out.
bool is_intent(std::string_view what);
bool is_no_intent(std::string_view what);

/// The rule for RunDue: without the row nothing happens, for it was withdrawn.
void run_due(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft);

/// A due key taken apart, for the rule of its kind.
struct Due {
  std::string_view key;  ///< of the row, to be removed
  std::string_view ids;  ///< behind the kind
};
using DueRule = void (*)(const chat::Context&, const Due&, chat::View&, chat::Draft&);

}  // namespace holdfast::services

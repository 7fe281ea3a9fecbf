/// Incidents: something is wrong with the service as a whole, and the users are told.
///
/// An operator declares one in partition 0, which keeps the last ones; a subscriber takes it to every partition, exactly
/// once, and each tells its connected users, and those who come later. The users of a node that died are watched: whose
/// devices have not come back within Limits::incident_resume_bound is affected. Those whom missed messages
/// would be mailed to get one mail at most about an incident, messages reach them by mail sooner (incident_delay()), and an incident is opened if none is. One that was
/// opened so ends by itself, unless an operator has said something about it.
///
/// Which node a session is on stands in its row, written lazily (server/last_nodes.h).
#pragma once

#include <optional>

#include "server/bus/subscriber.h"
#include "server/chat/rules.h"
#include "server/services/due.h"

namespace holdfast::services {

class Incidents final : public bus::Subscriber {
 public:
  std::string_view name() const override { return "incidents"; }
  void on_event(const bus::EventAt& at, chat::View& view, bus::Outcome& outcome) const override;
};

/// Rules.
void change_incident(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
void show_incidents(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
void apply_incident(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
void mark_lost(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
void note_attached(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
void lost_due(const chat::Context&, const Due&, chat::View&, chat::Draft&);
void incident_end_due(const chat::Context&, const Due&, chat::View&, chat::Draft&);

/// How long a message may lie before it is mailed to this user, if an incident makes that shorter than usual; nothing
/// otherwise.
std::optional<std::chrono::seconds> incident_delay(const chat::Context& context, const UserId& user, chat::View& view);

/// For wanted.h: the user has not come back.
bool is_incident_mail_wanted(const chat::Context&, const UserId&, const IntentId&, const state::Intent&, chat::View&);

}  // namespace holdfast::services

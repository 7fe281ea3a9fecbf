#include "server/services/incidents.h"

#include <map>

#include "base/check.h"
#include "base/hash.h"
#include "server/chat/changes.h"
#include "server/chat/validation.h"
#include "server/services/incident_banner.h"
#include "server/services/intents.h"
#include "server/services/mail_settings.h"
#include "server/services/missed.h"
#include "storage/big_endian.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

using command::ChangeIncident;
using log::IncidentChanged;

constexpr int kIncidentsKept = 20;
constexpr int kNotesMax = 50;
constexpr std::size_t kTextBytesMax = 1000;
constexpr std::size_t kSessionsAPage = 256;
constexpr std::chrono::hours kMailOfUse{24};
constexpr const char* kNoIncidents = "incidents are switched off (incident.enabled in holdfast.toml)";
constexpr const char* kAutomaticText =
    "One of our servers has failed, and some of you could not come back yet. We are looking into it.";

// ------------------------------------------------------------------------------------------------ partition 0

state::Incident* open_one(state::Incidents& incidents) {
  if (incidents.all().empty() || incidents.all().rbegin()->until_ms() != 0) return nullptr;
  return &*incidents.mutable_all()->rbegin();
}

void say(const chat::Context& context, const std::string& text, state::Incident& incident) {
  if (text.empty()) return;
  // The first and the newest are of most use.
  if (incident.notes_size() >= kNotesMax) incident.mutable_notes()->DeleteSubrange(1, 1);
  auto& note = *incident.add_notes();
  note.set_time_ms(to_ms(context.now));
  note.set_text(text);
}

void emit(const state::Incident& incident, IncidentChanged::What what, const ChangeIncident& by, chat::Draft& draft) {
  IncidentChanged& changed = *draft.emit().mutable_incident_changed();
  changed.set_id(incident.id());
  changed.set_what(what);
  if (!incident.notes().empty()) changed.set_text(incident.notes().rbegin()->text());
  changed.set_since_ms(incident.since_ms());
  changed.set_automatic(by.automatic());
  changed.set_peer(by.peer());
  changed.set_by(by.by());
}

std::string end_key(WallTime when, std::string_view id) {
  return keys::due(static_cast<std::uint64_t>(to_ms(when)), due_what(DueKind::incident_end, {id}));
}

void start(const chat::Context& context, const ChangeIncident& change, state::Incidents& incidents,
           chat::Draft& draft) {
  if (open_one(incidents) != nullptr) {
    if (change.automatic()) return;
    return draft.refuse(v1::PRECONDITION_FAILED, "an incident is open already: update it, or stop it first");
  }
  if (incidents.all_size() >= kIncidentsKept) incidents.mutable_all()->DeleteSubrange(0, 1);
  state::Incident& incident = *incidents.add_all();
  incident.set_id(change.id());
  incident.set_since_ms(to_ms(context.now));
  incident.set_automatic(change.automatic());
  say(context, change.text(), incident);
  if (change.automatic())
    draft.put(end_key(context.now + context.limits.incident_ends_after, change.id()), std::string());
  emit(incident, IncidentChanged::STARTED, change, draft);
  draft.put(keys::incidents(), incidents);
}

void go_on(const chat::Context& context, const ChangeIncident& change, state::Incidents& incidents,
           chat::Draft& draft) {
  state::Incident* incident = open_one(incidents);
  const bool stops = change.what() == ChangeIncident::STOP;
  if (incident == nullptr || (change.automatic() && (incident->id() != change.id() || !incident->automatic()))) {
    if (change.automatic()) return;
    return draft.refuse(v1::PRECONDITION_FAILED, "no incident is open: start one");
  }
  say(context, change.text(), *incident);
  if (!change.automatic()) incident->set_automatic(false);  // it is the operator's from now on
  if (stops) incident->set_until_ms(to_ms(context.now));
  emit(*incident, stops ? IncidentChanged::STOPPED : IncidentChanged::UPDATED, change, draft);
  draft.put(keys::incidents(), incidents);
}

// ------------------------------------------------------------------------------------------------ every partition

/// Whose sessions were on a node: what its timer is about.
///
///   ids = node:8 incident:16 from       from: the user to go on with; empty: the first
struct LostNode {
  std::uint32_t node = 0;
  std::string incident;
  std::string from;
};

std::string lost_key(WallTime when, const LostNode& lost) {
  std::string node;
  append_u64(node, lost.node);
  return keys::due(static_cast<std::uint64_t>(to_ms(when)),
                   due_what(DueKind::lost_node, {node, lost.incident, lost.from}));
}

LostNode lost_in(std::string_view ids) {
  constexpr std::size_t kNode = 8, kIncident = 16;
  HF_CHECK(ids.size() >= kNode + kIncident, "a lost node's timer names it, and the incident");
  return {static_cast<std::uint32_t>(read_number(ids.substr(0, kNode))), std::string(ids.substr(kNode, kIncident)),
          std::string(ids.substr(kNode + kIncident))};
}

/// The user's devices, as their rows say now.
struct Devices {
  bool on_lost = false;
  bool elsewhere = false;
};
/// Those on the lost node are on none from now on: should it come back and die again, that is not about them.
Devices take_off(const std::vector<std::string>& session_keys, std::uint32_t lost, chat::View& view,
                 chat::Draft& draft) {
  Devices devices;
  for (const std::string& key : session_keys) {
    auto session = view.get<state::Session>(key);
    if (!session || !session->ended().empty()) continue;
    devices.elsewhere |= session->last_node() != lost && session->last_node() != 0;
    if (session->last_node() != lost) continue;
    devices.on_lost = true;
    session->clear_last_node();
    draft.put(key, *session);
  }
  return devices;
}

void mail(const chat::Context& context, const UserId& user, const std::string& incident, const std::string& text,
          chat::View& view, chat::Draft& draft) {
  const MailWish wish = mail_wish(context, user, view);
  if (wish.is_off()) return;
  NewIntent intent{
      user, intent_made_by("incident", {incident, user.bytes()}), context.now, context.now + kMailOfUse, {}};
  intent.mail.set_template_("incident");
  intent.mail.set_to(wish.address);
  const auto add = [&intent](const char* name, const std::string& value) {
    auto& one = *intent.mail.add_values();
    one.set_name(name);
    one.set_value(value);
  };
  add("user", wish.username);
  add("text", text);
  add_intent(context, intent, draft);
}

/// True: the user is affected, and was not told so already.
bool mark(const chat::Context& context, const UserId& user, const LostNode& node, chat::View& view,
          chat::Draft& draft) {
  const auto current = view.get<state::CurrentIncident>(keys::incident());
  const std::string incident = current ? current->id() : node.incident;
  const auto before = view.get<state::Lost>(keys::lost(user));
  const bool told = before && before->incident() == incident;
  if (told && !before->back()) return false;
  state::Lost lost;
  lost.set_node(node.node);
  lost.set_since_ms(to_ms(context.now));
  lost.set_incident(incident);
  draft.put(keys::lost(user), lost);
  // What waits for the user's own delay is looked at again, by the shorter one.
  watch_or_not(context, user, mail_wish(context, user, view), view, draft);
  if (!told) mail(context, user, incident, current ? current->text() : kAutomaticText, view, draft);
  return true;
}

}  // namespace

// ------------------------------------------------------------------------------------------------ the subscriber

void Incidents::on_event(const bus::EventAt& at, chat::View&, bus::Outcome& outcome) const {
  const log::Event& event = at.event();
  const auto to_all = [&](const command::Command& command) {
    for (std::uint16_t p = 0; p < at.partitions; ++p) outcome.commands.emplace_back(PartitionId(p), command);
  };
  command::Command command;
  if (event.has_incident_changed()) {
    const IncidentChanged& changed = event.incident_changed();
    command::ApplyIncident& apply = *command.mutable_apply_incident();
    apply.mutable_current()->set_id(changed.id());
    apply.mutable_current()->set_text(changed.text());
    apply.mutable_current()->set_since_ms(changed.since_ms());
    apply.set_over(changed.what() == IncidentChanged::STOPPED);
    to_all(command);
  } else if (event.has_cluster_happened() && event.cluster_happened().kind() == "dead") {
    std::string which;
    append_u64(which, at.entry.seq());
    append_u64(which, at.index);
    const auto incident = blake2b_128({"holdfast incident", which});
    command.mutable_mark_lost()->set_node(event.cluster_happened().node());
    command.mutable_mark_lost()->set_incident(std::string(incident.begin(), incident.end()));
    to_all(command);
  } else if (event.has_users_lost()) {
    ChangeIncident& change = *command.mutable_change_incident();
    change.set_what(ChangeIncident::START);
    change.set_automatic(true);
    change.set_id(event.users_lost().incident());
    change.set_text(kAutomaticText);
    outcome.commands.emplace_back(PartitionId(0), command);
  }
}

// ------------------------------------------------------------------------------------------------ rules

void change_incident(const chat::Context& context, const command::Command& command, chat::View& view,
                     chat::Draft& draft) {
  if (!chat::take_source(command, view, draft)) return;
  const ChangeIncident& change = command.change_incident();
  if (!context.limits.incidents_enabled && change.what() != ChangeIncident::STOP)
    return change.automatic() ? void() : draft.refuse(v1::UNSUPPORTED, kNoIncidents);
  const bool needs_text = change.what() != ChangeIncident::STOP;
  if (change.text().size() > kTextBytesMax || (needs_text && change.text().empty()))
    return draft.refuse(v1::INVALID_ARGUMENT, "text: 1 to 1,000 bytes");
  // Written as it is, it could be read by nobody any more.
  for (const std::string& text : {change.text(), change.by(), change.peer()})
    if (!chat::is_utf8(text)) return draft.refuse(v1::INVALID_ARGUMENT, "text: not valid UTF-8");
  if (change.what() == ChangeIncident::START && change.id().size() != UserId::kBytes)
    return draft.refuse(v1::INVALID_ARGUMENT, "id: has 16 bytes");
  auto incidents = view.get<state::Incidents>(keys::incidents()).value_or(state::Incidents());
  change.what() == ChangeIncident::START ? start(context, change, incidents, draft)
                                         : go_on(context, change, incidents, draft);
}

void incident_end_due(const chat::Context& context, const Due& due, chat::View& view, chat::Draft& draft) {
  draft.remove(std::string(due.key));
  ChangeIncident stop;
  stop.set_what(ChangeIncident::STOP);
  stop.set_automatic(true);
  stop.set_id(std::string(due.ids));
  auto incidents = view.get<state::Incidents>(keys::incidents()).value_or(state::Incidents());
  go_on(context, stop, incidents, draft);
}

void show_incidents(const chat::Context&, const command::Command&, chat::View& view, chat::Draft& draft) {
  if (auto incidents = view.get<state::Incidents>(keys::incidents()))
    *draft.answer().mutable_incidents() = std::move(*incidents);
  else
    draft.answer().mutable_incidents();
}

void apply_incident(const chat::Context&, const command::Command& command, chat::View& view, chat::Draft& draft) {
  if (!chat::take_source(command, view, draft)) return;
  const command::ApplyIncident& apply = command.apply_incident();
  if (apply.over())
    draft.remove(keys::incident());
  else
    draft.put(keys::incident(), apply.current());
  draft.effect(chat::TellAll{banner_of(apply.current(), !apply.over())});
}

void mark_lost(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  if (!chat::take_source(command, view, draft)) return;
  const command::MarkLost& mark = command.mark_lost();
  draft.put(lost_key(context.now + context.limits.incident_resume_bound, {mark.node(), mark.incident(), {}}),
            std::string());
}

/// A stretch of all sessions, those of one user together; the next stretch has a timer of its own.
void lost_due(const chat::Context& context, const Due& due, chat::View& view, chat::Draft& draft) {
  draft.remove(std::string(due.key));
  LostNode lost = lost_in(due.ids);
  const std::string family = keys::prefix(keys::Family::session);
  const std::string from = lost.from.empty() ? family : keys::prefix(keys::Family::session, lost.from);
  const auto* rows = view.range({from, keys::after_prefix(family), kSessionsAPage});
  if (!rows) return;
  std::map<std::string, std::vector<std::string>, std::less<>> by_user;
  for (const Row& row : *rows) by_user[std::string(keys::decode(row.key)->first)].push_back(row.key);
  if (rows->size() == kSessionsAPage) {
    // The last one's may go on behind the stretch; and nobody has as many sessions as a stretch.
    const auto last = std::prev(by_user.end());
    lost.from = last->first;
    if (by_user.size() > 1) by_user.erase(last);
    if (by_user.contains(lost.from)) lost.from = keys::after_prefix(lost.from);
    draft.put(lost_key(context.now, lost), std::string());
  }
  std::uint32_t affected = 0;
  for (const auto& [bytes, session_keys] : by_user) {
    const Devices devices = take_off(session_keys, lost.node, view, draft);
    const auto user = UserId::from_bytes(bytes);
    if (devices.on_lost && !devices.elsewhere && mark(context, *user, lost, view, draft)) ++affected;
  }
  if (affected == 0) return;
  log::UsersLost& event = *draft.emit().mutable_users_lost();
  event.set_incident(lost.incident);
  event.set_node(lost.node);
  event.set_users(affected);
}

void note_attached(const chat::Context&, const command::Command& command, chat::View& view, chat::Draft& draft) {
  for (const auto& one : command.note_attached().all()) {
    const auto user = UserId::from_bytes(one.user());
    const auto id = SessionId::from_bytes(one.session());
    HF_CHECK(user && id, "a partition knows whose sessions are attached");
    auto session = view.get<state::Session>(keys::session(*user, *id));
    if (!session || !session->ended().empty()) continue;
    if (one.node() != 0) {
      auto lost = view.get<state::Lost>(keys::lost(*user));
      if (lost && !lost->back()) {
        lost->set_back(true);
        draft.put(keys::lost(*user), *lost);
      }
    }
    if (session->last_node() == one.node()) continue;
    session->set_last_node(one.node());
    draft.put(keys::session(*user, *id), *session);
  }
}

// ------------------------------------------------------------------------------------------------ for other services

std::optional<std::chrono::seconds> incident_delay(const chat::Context& context, const UserId& user, chat::View& view) {
  if (!context.limits.incidents_enabled) return std::nullopt;
  const auto lost = view.get<state::Lost>(keys::lost(user));
  if ((lost && !lost->back()) || view.row(keys::incident()) != nullptr) return context.limits.incident_mail_delay;
  return std::nullopt;
}

bool is_incident_mail_wanted(const chat::Context& context, const UserId& user, const IntentId&,
                             const state::Intent& intent, chat::View& view) {
  const MailWish wish = mail_wish(context, user, view);
  const auto lost = view.get<state::Lost>(keys::lost(user));
  return !wish.is_off() && wish.address == intent.mail().to() && lost && !lost->back();
}

}  // namespace holdfast::services

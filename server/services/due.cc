#include "server/services/due.h"

#include "server/services/addresses.h"
#include "server/services/audit.h"
#include "server/services/incidents.h"
#include "server/services/intents.h"
#include "server/services/missed.h"
#include "server/services/replies.h"
#include "server/services/secrets.h"
#include "server/services/waves.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

DueRule rule_of(DueKind kind) {
  switch (kind) {
    case DueKind::intent: return intent_due;
    case DueKind::missed: return missed_due;
    case DueKind::reply: return reply_due;
    case DueKind::answered: return answered_due;
    case DueKind::secret: return secret_due;
    case DueKind::address: return address_due;
    case DueKind::wave: return wave_due;
    case DueKind::audit_trim: return audit_trim_due;
    case DueKind::lost_node: return lost_due;
    case DueKind::incident_end: return incident_end_due;
  }
  return nullptr;
}

}  // namespace

std::string due_what(DueKind kind, std::initializer_list<std::string_view> ids) {
  std::string what(1, static_cast<char>(kind));
  for (const std::string_view id : ids) what.append(id);
  return what;
}

bool is_intent(std::string_view what) { return what.front() == static_cast<char>(DueKind::intent); }
bool is_no_intent(std::string_view what) { return !is_intent(what); }

void run_due(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const std::string& key = command.run_due().key();
  if (!view.row(key)) return;
  const auto decoded = keys::decode(key);
  HF_CHECK(decoded && decoded->family == keys::Family::due, "a timer has a timer's key");
  const DueRule rule = rule_of(static_cast<DueKind>(decoded->first.front()));
  // A later version's timer, after going back: it goes, or it would be run for ever.
  if (!rule) return draft.remove(key);
  rule(context, {key, decoded->first.substr(1)}, view, draft);
}

}  // namespace holdfast::services

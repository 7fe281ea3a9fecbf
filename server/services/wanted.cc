#include "server/services/wanted.h"

#include "server/services/addresses.h"
#include "server/services/missed_mail.h"
#include "server/services/resets.h"
#include "server/services/incidents.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

struct Line {
  std::string_view mail;  ///< its template
  IsWanted is_wanted;
};
constexpr Line kLines[] = {
    {"missed_content", is_missed_wanted},       {"missed_notice", is_missed_wanted},
    {"verify_address", is_verification_wanted}, {"password_reset", is_reset_wanted},
    {"login_locked", is_reset_wanted},          {"incident_reset", is_reset_wanted},
    {"incident", is_incident_mail_wanted},
};

}  // namespace

bool is_wanted(const chat::Context& context, const UserId& user, const IntentId& id, const state::Intent& intent,
               chat::View& view) {
  const bool exists = view.row(keys::account(user)) != nullptr;
  for (const Line& line : kLines)
    if (line.mail == intent.mail().template_()) return exists && line.is_wanted(context, user, id, intent, view);
  return exists;
}

}  // namespace holdfast::services

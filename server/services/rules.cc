#include "server/services/rules.h"

#include <array>

#include "server/chat/once.h"
#include "server/services/account_mail.h"
#include "server/services/addresses.h"
#include "server/services/audit.h"
#include "server/services/due.h"
#include "server/services/export.h"
#include "server/services/incidents.h"
#include "server/services/intents.h"
#include "server/services/mail_settings.h"
#include "server/services/missed.h"
#include "server/services/missed_mail.h"
#include "server/services/recovery_codes.h"
#include "server/services/replies.h"
#include "server/services/resets.h"
#include "server/services/waves.h"

namespace holdfast::services {
namespace {

using C = command::Command;
using F = v1::ClientFrame;

enum class Does : std::uint8_t { read, write };
/// One line a rule: the command or request (a oneof's case), the rule, and whether it may write.
struct Line {
  int which;
  chat::Rule rule;
  Does does;
};

constexpr Line kCommands[] = {
    {C::kRunDue, run_due, Does::write},
    {C::kIntentDone, intent_done, Does::write},
    // e-mail fallback
    {C::kArmMissed, arm_missed, Does::write},
    {C::kRefreshMail, refresh_mail, Does::write},
    {C::kForgetMail, forget_mail, Does::write},
    {C::kPrepareMissed, prepare_missed, Does::write},
    {C::kFindReply, find_reply_row, Does::read},
    {C::kClaimAnswer, claim_answer, Does::write},
    {C::kStopMail, stop_mail, Does::write},
    // ways back into an account, and its address
    {C::kAskReset, ask_reset, Does::write},
    {C::kShowSecret, show_secret, Does::read},
    {C::kUseReset, chat::once_at_user<use_reset>, Does::write},
    {C::kAskByAddress, ask_by_address, Does::write},
    {C::kAskVerification, ask_verification, Does::write},
    {C::kUseVerification, chat::once_at_user<use_verification>, Does::write},
    {C::kLinkAddress, link_address, Does::write},
    {C::kGiveRecovery, give_recovery, Does::write},
    {C::kShowRecovery, show_recovery, Does::read},
    {C::kUseRecovery, chat::once_at_user<use_recovery>, Does::write},
    {C::kMailAccount, mail_account, Does::write},
    {C::kStartWave, start_wave, Does::write},
    {C::kShowWave, show_wave, Does::read},
    // audit
    {C::kAppendAudit, append_audit, Does::write},
    {C::kShowAudit, show_audit, Does::read},
    {C::kNoteOperator, note_operator, Does::write},
    {C::kNoteCluster, note_cluster, Does::write},
    {C::kExportRows, export_rows, Does::read},
    {C::kExportWritten, export_written, Does::read},
    // incidents
    {C::kChangeIncident, change_incident, Does::write},
    {C::kShowIncidents, show_incidents, Does::read},
    {C::kApplyIncident, apply_incident, Does::write},
    {C::kMarkLost, mark_lost, Does::write},
    {C::kNoteAttached, note_attached, Does::write},
};
/// What clients ask as it is.
constexpr Line kRequests[] = {
    // e-mail fallback
    {F::kSetMailSettings, set_mail_settings, Does::write},
    {F::kGetMailSettings, get_mail_settings, Does::read},
};

constexpr std::size_t kCasesMax = 128;
template <std::size_t count>
constexpr auto index(const Line (&table)[count]) {
  std::array<const Line*, kCasesMax> lines{};
  for (const Line& line : table) lines[static_cast<std::size_t>(line.which)] = &line;
  return lines;
}
constexpr auto kByCommand = index(kCommands);
constexpr auto kByRequest = index(kRequests);

/// Null: it is chat's.
const Line* line_of(const command::Command& command) {
  return command.has_request() ? kByRequest[static_cast<std::size_t>(command.request().operation_case())]
                               : kByCommand[static_cast<std::size_t>(command.what_case())];
}

}  // namespace

chat::Rule rule_for(const command::Command& command) {
  const Line* line = line_of(command);
  return line ? line->rule : chat::rule_for(command);
}

bool is_read_only(const command::Command& command) {
  const Line* line = line_of(command);
  return line ? line->does == Does::read : chat::is_read_only(command);
}

std::string_view order_key(const command::Command& command) {
  if (command.has_source()) return command.source().subscriber();
  if (command.has_run_due()) return command.run_due().key();
  if (command.has_ask_reset() && command.ask_reset().has_username()) return command.ask_reset().username();
  if (command.has_ask_by_address()) return command.ask_by_address().address_hash();
  if (command.has_give_recovery()) return command.give_recovery().username();
  return chat::order_key(command);
}

}  // namespace holdfast::services

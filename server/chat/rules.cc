#include "server/chat/rules.h"

#include <array>

#include "server/chat/accounts.h"
#include "server/chat/login.h"
#include "server/chat/names.h"
#include "server/chat/once.h"
#include "server/chat/provision.h"
#include "server/chat/request_ids.h"
#include "server/chat/sessions.h"
#include "server/chat/sweep.h"

namespace holdfast::chat {
namespace {

using C = command::Command;
using F = v1::ClientFrame;

enum class Does : std::uint8_t { read, write };
/// One line a rule: the command or request (a oneof's case), the rule, and whether it may write.
struct Line {
  int which;
  Rule rule;
  Does does;
};

constexpr Line kCommands[] = {
    // accounts and sessions
    {C::kFindUser, find_user, Does::read},
    {C::kCheckUsers, check_users, Does::read},
    {C::kBeginLogin, begin_login, Does::read},
    {C::kFinishLogin, finish_login, Does::write},
    {C::kCreateAccount, create_account, Does::write},
    {C::kProvision, provision, Does::write},
    {C::kShowAccount, show_account, Does::read},
    {C::kChangeAccount, change_account, Does::write},
    {C::kBeginResume, begin_resume, Does::read},
    {C::kOfferToken, offer_token, Does::write},
    {C::kTouchSession, touch_session, Does::write},
    {C::kEndSession, end_session, Does::write},
    {C::kSweep, sweep, Does::write},
    // conversations, delivery
};

constexpr Line kRequests[] = {
    // accounts and sessions
    {F::kConfirmToken, confirm_token, Does::write}, {F::kLogOut, log_out, Does::write},
    {F::kRevokeDevice, revoke_device, Does::write}, {F::kListDevices, list_devices, Does::read},
    {F::kGetAccount, get_account, Does::read},
    // conversations, messages, inbox
};

void refuse_unknown(const Context&, const command::Command&, View&, Draft& draft) {
  draft.refuse(v1::UNSUPPORTED, "this server does not know the operation");
}
constexpr Line kUnknown = {0, refuse_unknown, Does::read};

constexpr std::size_t kCasesMax = 128;
using Table = std::array<const Line*, kCasesMax>;

template <std::size_t count>
constexpr Table index(const Line (&lines)[count]) {
  Table table{};
  table.fill(&kUnknown);
  for (const Line& line : lines) table[static_cast<std::size_t>(line.which)] = &line;
  return table;
}
constexpr Table kCommandTable = index(kCommands);
constexpr Table kRequestTable = index(kRequests);

const Line& line_of(const command::Command& command) {
  return command.has_request() ? *kRequestTable[static_cast<std::size_t>(command.request().operation_case())]
                               : *kCommandTable[static_cast<std::size_t>(command.what_case())];
}

/// Requests that no conversation is named in: by the user who asks.
std::string_view order_key_of_request(const command::Command& command) {
  const std::string_view conversation = conversation_id_of(command.request());
  return conversation.empty() ? std::string_view(command.user()) : conversation;
}

}  // namespace

Rule rule_for(const command::Command& command) { return line_of(command).rule; }

bool is_read_only(const command::Command& command) { return line_of(command).does == Does::read; }

std::string_view order_key(const command::Command& command) {
  // A subscriber's commands are taken in its order, whatever they are about: what is older than the last is dropped.
  if (command.has_source()) return command.source().subscriber();
  switch (command.what_case()) {
    case C::kRequest: return order_key_of_request(command);
    case C::kBeginLogin: return command.begin_login().username();
    case C::kFinishLogin: return command.finish_login().username();
    case C::kCreateAccount: return command.create_account().username();
    case C::kHistoryFor: return command.history_for().request().conversation_id();
    case C::kDeliver: return command.deliver().conversation();
    case C::kApplyPosition: return command.apply_position().conversation();
    case C::kRemoveDeletedMember: return command.remove_deleted_member().conversation();
    case C::kEraseAuthor: return command.erase_author().conversation();
    default: return command.user();
  }
}

}  // namespace holdfast::chat

#include "server/chat/rules.h"

#include <array>

#include "server/chat/accounts.h"
#include "server/chat/blocks.h"
#include "server/chat/conversations.h"
#include "server/chat/groups.h"
#include "server/chat/history.h"
#include "server/chat/inbox.h"
#include "server/chat/lists.h"
#include "server/chat/login.h"
#include "server/chat/members.h"
#include "server/chat/messages.h"
#include "server/chat/names.h"
#include "server/chat/once.h"
#include "server/chat/once_at_conversation.h"
#include "server/chat/positions.h"
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
    {C::kDeliver, deliver, Does::write},
    {C::kApplyPosition, apply_position, Does::write},
    {C::kRemoveDeletedMember, remove_deleted_member, Does::write},
    {C::kEraseAuthor, erase_author, Does::write},
    {C::kSetBlock, once_at_user<set_block>, Does::write},
    {C::kShowList, show_list, Does::read},
    {C::kHistoryFor, history_for, Does::read},
};

constexpr Line kRequests[] = {
    // accounts and sessions
    {F::kConfirmToken, confirm_token, Does::write},
    {F::kLogOut, log_out, Does::write},
    {F::kRevokeDevice, revoke_device, Does::write},
    {F::kListDevices, list_devices, Does::read},
    {F::kGetAccount, get_account, Does::read},
    // conversations
    {F::kOpenDirect, open_direct, Does::write},
    {F::kCreateGroup, once_at_new_group<create_group>, Does::write},
    {F::kRenameGroup, once_at_conversation<rename_group>, Does::write},
    {F::kAddMembers, once_at_conversation<add_members>, Does::write},
    {F::kRemoveMember, once_at_conversation<remove_member>, Does::write},
    {F::kLeave, once_at_conversation<leave>, Does::write},
    {F::kSetRole, once_at_conversation<set_role>, Does::write},
    {F::kListMembers, list_members, Does::read},
    {F::kWatchPresence, watch_presence, Does::read},
    {F::kSetTyping, set_typing, Does::read},
    // messages
    {F::kPost, post, Does::write},
    {F::kEdit, once_at_conversation<edit_post>, Does::write},
    {F::kDelete, once_at_conversation<delete_post>, Does::write},
    {F::kReact, once_at_conversation<react>, Does::write},
    {F::kMark, mark, Does::write},
    {F::kGetPositions, get_positions, Does::read},
    // inbox, list, blocks
    {F::kAckInbox, ack_inbox, Does::write},
    {F::kListConversations, list_conversations, Does::read},
    {F::kSetConversation, set_conversation, Does::write},
    {F::kBlockUser, once_at_user<set_block>, Does::write},
    {F::kListBlocks, list_blocks, Does::read},
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

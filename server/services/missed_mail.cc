#include "server/services/missed_mail.h"

#include "server/chat/once.h"
#include "server/services/mail_settings.h"
#include "server/services/missed_scan.h"
#include "server/services/replies.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

void describe(const state::ListEntry& entry, const state::Blocks& blocks, command::MissedState& state) {
  state.set_kind(entry.kind());
  state.set_title(entry.title());
  state.set_peer(entry.peer());
  *state.mutable_blocked() = blocks.users();
  for (const auto& hidden : entry.hidden()) {
    command::ListState::Hidden& interval = *state.add_hidden();
    interval.set_from(hidden.from());
    interval.set_to(hidden.to());
  }
}

/// Who has changed the address since was there to do it.
bool is_for(const MailWish& wish, const state::Intent& intent) {
  return !wish.is_off() && wish.address == intent.mail().to();
}

}  // namespace

bool is_missed_wanted(const chat::Context& context, const UserId& user, const IntentId&, const state::Intent& intent,
                      chat::View& view) {
  const MailWish wish = mail_wish(context, user, view);
  const auto first = first_missed(user, intent.mail().missed(), view);
  return is_for(wish, intent) && first.has_value();
}

void prepare_missed(const chat::Context& context, const command::Command& command, chat::View& view,
                    chat::Draft& draft) {
  const command::PrepareMissed& prepare = command.prepare_missed();
  const UserId user = chat::user_of(command);
  const auto id = IntentId::from_bytes(prepare.intent());
  if (!id || prepare.reply_hash().size() != kReplyHashBytes)
    return draft.refuse(v1::INVALID_ARGUMENT, "intent and reply_hash have 16 bytes");
  command::MissedState& state = *draft.answer().mutable_missed_state();
  const auto intent = view.get<state::Intent>(keys::intent(user, *id));
  if (!intent || !intent->mail().has_missed()) return;
  const state::Mail::Missed& about = intent->mail().missed();
  const auto conversation = ConversationId::from_bytes(about.conversation());
  const MailWish wish = mail_wish(context, user, view);
  const auto first = first_missed(user, about, view);
  const auto entry = view.get<state::ListEntry>(keys::list(user, *conversation));
  const auto blocks = view.get<state::Blocks>(keys::blocks(user)).value_or(state::Blocks());
  if (!is_for(wish, *intent) || !first || !entry) return;
  state.set_wanted(true);
  state.set_username(wish.username);
  state.set_content(wish.mode == v1::MAIL_CONTENT && !about.head());
  state.set_first_number(*first);
  describe(*entry, blocks, state);
  take_answers(context, user, *conversation, prepare.reply_hash(), view, draft);
}

}  // namespace holdfast::services

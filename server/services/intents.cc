#include "server/services/intents.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "server/chat/once.h"
#include "server/services/address_health.h"
#include "server/services/mail_settings.h"
#include "server/services/wanted.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

using Done = command::IntentDone;
using Ended = log::IntentEnded;

constexpr std::chrono::seconds kRetryFirst{5}, kRetryMax{30 * 60}, kBusyAgain{1};
constexpr std::chrono::seconds kTheirWordMax{5};

std::string due_key(const UserId& user, const IntentId& id, const state::Intent& intent) {
  return keys::due(static_cast<std::uint64_t>(intent.due_ms()), due_what(DueKind::intent, {user.bytes(), id.bytes()}));
}

std::chrono::seconds wait_before(std::uint32_t attempt) {
  return std::min<std::chrono::seconds>(kRetryFirst * (std::int64_t{1} << std::min(attempt, 20u)), kRetryMax);
}

/// It is over, one way or the other.
void end(const UserId& user, const IntentId& id, const state::Intent& intent, Ended::Outcome outcome,
         std::uint32_t code, chat::Draft& draft) {
  draft.remove(due_key(user, id, intent));
  draft.remove(keys::intent(user, id));
  Ended& ended = *draft.emit().mutable_intent_ended();
  ended.set_user(user.str());
  ended.set_intent(id.str());
  ended.set_what("mail " + intent.mail().template_());
  ended.set_outcome(outcome);
  ended.set_code(code);
}

/// It is under way no longer, and is begun again then.
void move(const UserId& user, const IntentId& id, state::Intent intent, WallTime due, chat::Draft& draft) {
  draft.remove(due_key(user, id, intent));
  intent.set_begun(false);
  intent.set_due_ms(to_ms(due));
  draft.put(keys::intent(user, id), intent);
  draft.put(due_key(user, id, intent), std::string());
}

}  // namespace

void add_intent(const chat::Context& context, const NewIntent& wish, chat::Draft& draft) {
  state::Intent intent;
  intent.set_due_ms(to_ms(wish.due));
  intent.set_created_ms(to_ms(context.now));
  intent.set_give_up_ms(to_ms(wish.give_up));
  *intent.mutable_mail() = wish.mail;
  draft.put(keys::intent(wish.user, wish.id), intent);
  draft.put(due_key(wish.user, wish.id, intent), std::string());
}

void add_value(state::Mail& mail, std::string_view name, std::string value) {
  state::Mail::Value& added = *mail.add_values();
  added.set_name(std::string(name));
  added.set_value(std::move(value));
}

IntentId intent_made_by(std::string_view what, std::initializer_list<std::string_view> about) {
  std::string all(what);
  for (const std::string_view part : about) {
    all.push_back('\0');
    all.append(part);
  }
  return IntentId(blake2b_128({"holdfast intent", all}));
}

void intent_due(const chat::Context& context, const Due& due, chat::View& view, chat::Draft& draft) {
  const auto user = UserId::from_bytes(due.ids.substr(0, UserId::kBytes));
  const auto id = IntentId::from_bytes(due.ids.substr(UserId::kBytes));
  HF_CHECK(user && id, "an intent's timer names it");
  auto intent = view.get<state::Intent>(keys::intent(*user, *id));
  if (!intent) return draft.remove(std::string(due.key));
  if (from_ms(intent->give_up_ms()) <= context.now) return end(*user, *id, *intent, Ended::GIVEN_UP, 0, draft);
  if (intent->begun()) {
    intent->set_attempts(intent->attempts() + 1);
    return move(*user, *id, *intent, context.now + kTheirWordMax, draft);
  }
  if (!is_wanted(context, *user, *id, *intent, view)) return end(*user, *id, *intent, Ended::UNWANTED, 0, draft);
  // As the user reads by now; once it was begun it says the same each time.
  if (intent->mail().language().empty() && intent->attempts() == 0)
    intent->mutable_mail()->set_language(language_of(*user, view));
  intent->set_begun(true);
  draft.put(keys::intent(*user, *id), *intent);
  draft.effect(chat::BeginIntent{*user, *id, *intent});
}

void intent_done(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const Done& done = command.intent_done();
  const UserId user = chat::user_of(command);
  const auto id = IntentId::from_bytes(done.intent());
  if (!id) return draft.refuse(v1::INVALID_ARGUMENT, "intent has 16 bytes");
  const auto intent = view.get<state::Intent>(keys::intent(user, *id));
  if (!intent) return;
  switch (done.outcome()) {
    case Done::DONE:
      note_mail_taken(user, intent->mail().to(), view, draft);
      return end(user, *id, *intent, Ended::DONE, done.code(), draft);
    case Done::NEVER:
      note_mail_refused(user, intent->mail().to(), view, draft);
      return end(user, *id, *intent, Ended::NEVER, done.code(), draft);
    case Done::UNWANTED: return end(user, *id, *intent, Ended::UNWANTED, done.code(), draft);
    case Done::BUSY: return move(user, *id, *intent, context.now + kBusyAgain, draft);
    default: break;
  }
  state::Intent later = *intent;  // its timer is still where it was: move() takes it away
  const auto wait =
      std::max<std::chrono::seconds>(wait_before(later.attempts()), std::chrono::seconds(done.retry_after_s()));
  later.set_attempts(later.attempts() + 1);
  const WallTime again = context.now + wait;
  if (again >= from_ms(intent->give_up_ms())) return end(user, *id, *intent, Ended::GIVEN_UP, done.code(), draft);
  move(user, *id, later, again, draft);
}

}  // namespace holdfast::services

#include "server/services/replies.h"

#include <algorithm>

#include "server/chat/once.h"
#include "server/chat/session_book.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

/// Longer than any mail server goes on trying (RFC 5321, 4.5.4.1: four to five days), and than ids are remembered.
constexpr std::chrono::hours kAnsweredFor{30 * 24};

/// Two rows of a user's among those of answers, under hashes that no answer has; gone with them. Of the first the time is
/// the latest end of what is void; of the second it is when all that was taken is made up for.
std::string voided_key(const UserId& user) { return keys::answered(user, std::string(kReplyHashBytes, '\0')); }
std::string pace_key(const UserId& user) { return keys::answered(user, std::string(kReplyHashBytes, '\xff')); }

constexpr std::chrono::hours kPaceWindow{1};

/// How long the next answer has to wait; nothing: it is taken, and noted.
std::chrono::milliseconds take_from_pace(const chat::Context& context, const UserId& user, chat::View& view,
                                         chat::Draft& draft) {
  const auto row = view.get<state::Answered>(pace_key(user));
  const WallTime made_up_for = std::max(context.now, row ? from_ms(row->time_ms()) : context.now);
  const WallTime next = made_up_for + std::chrono::milliseconds(kPaceWindow) / kAnswersOfAnHour;
  if (next > context.now + kPaceWindow) return next - (context.now + kPaceWindow);
  state::Answered now;
  now.set_time_ms(to_ms(next));
  draft.put(pace_key(user), now);
  return {};
}

std::string due_key(DueKind kind, std::int64_t time_ms, std::initializer_list<std::string_view> ids) {
  return keys::due(static_cast<std::uint64_t>(time_ms), due_what(kind, ids));
}

}  // namespace

void take_answers(const chat::Context& context, const UserId& user, const ConversationId& conversation,
                  std::string_view hash, chat::View& view, chat::Draft& draft) {
  if (view.row(keys::reply(hash))) return;
  state::Reply reply;
  reply.set_user(user.str());
  reply.set_conversation(conversation.str());
  reply.set_expires_ms(to_ms(context.now + context.limits.fallback.reply_good_for));
  draft.put(keys::reply(hash), reply);
  draft.put(due_key(DueKind::reply, reply.expires_ms(), {hash}), std::string());
}

void void_answers(const chat::Context& context, const UserId& user, chat::Draft& draft) {
  state::Answered voided;
  voided.set_time_ms(to_ms(context.now + context.limits.fallback.reply_good_for));  // what is given now ends then
  draft.put(voided_key(user), voided);
}

void find_reply_row(const chat::Context& context, const command::Command& command, chat::View& view,
                    chat::Draft& draft) {
  const std::string& hash = command.find_reply().hash();
  if (hash.size() != kReplyHashBytes) return draft.refuse(v1::INVALID_ARGUMENT, "hash has 16 bytes");
  const auto reply = view.get<state::Reply>(keys::reply(hash));
  const auto user = reply ? UserId::from_bytes(reply->user()) : std::nullopt;
  const auto voided = user ? view.get<state::Answered>(voided_key(*user)) : std::nullopt;
  const bool is_void = voided && reply->expires_ms() <= voided->time_ms();
  if (!user || is_void || from_ms(reply->expires_ms()) <= context.now || !view.row(keys::account(*user)))
    return draft.refuse(v1::NOT_FOUND, "no answers are taken there, or not any more");
  command::ReplyState& state = *draft.answer().mutable_reply_state();
  state.set_user(reply->user());
  state.set_conversation(reply->conversation());
}

void claim_answer(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const command::ClaimAnswer& claim = command.claim_answer();
  if (claim.answer().size() != kReplyHashBytes) return draft.refuse(v1::INVALID_ARGUMENT, "answer has 16 bytes");
  const UserId user = chat::user_of(command);
  const auto account = view.get<state::Account>(keys::account(user));
  if (!account) return draft.refuse(v1::NOT_FOUND, "the account is gone");
  if (const auto barred = chat::barred_by_operator(context, *account)) return chat::refuse_with(*barred, draft);
  const std::string key = keys::answered(user, claim.answer());
  auto answered = view.get<state::Answered>(key);
  if (!answered) {
    if (const auto wait = take_from_pace(context, user, view, draft); wait > wait.zero())
      return draft.refuse(v1::RATE_LIMITED, "too many answers by mail", wait);
    answered.emplace();
    answered->set_client_message_id(claim.client_message_id());
    answered->set_time_ms(to_ms(context.now));
    draft.put(key, *answered);
    draft.put(due_key(DueKind::answered, to_ms(context.now + kAnsweredFor), {user.bytes(), claim.answer()}),
              std::string());
  }
  draft.answer().mutable_claimed_answer()->set_client_message_id(answered->client_message_id());
}

void reply_due(const chat::Context&, const Due& due, chat::View&, chat::Draft& draft) {
  draft.remove(keys::reply(due.ids));
  draft.remove(std::string(due.key));
}

void answered_due(const chat::Context&, const Due& due, chat::View&, chat::Draft& draft) {
  const auto user = UserId::from_bytes(due.ids.substr(0, UserId::kBytes));
  HF_CHECK(user, "the timer names the user");
  draft.remove(keys::answered(*user, due.ids.substr(UserId::kBytes)));
  draft.remove(std::string(due.key));
}

}  // namespace holdfast::services

#include "server/chat/sessions.h"

#include <algorithm>

#include "base/hash.h"
#include "server/chat/once.h"
#include "server/chat/session_book.h"
#include "storage/keys.h"

namespace holdfast::chat {
namespace {

constexpr std::chrono::hours kSeenToWithin{24};
/// The client may be storing what it was offered; another offer would take that away from it.
constexpr std::chrono::hours kOfferStands{1};

SessionId session_of(const std::string& bytes) {
  const auto id = SessionId::from_bytes(bytes);
  HF_CHECK(id, "the command names its session");
  return *id;
}

void refuse_ended(Draft& draft, const std::string& reason) { draft.refuse(v1::SESSION_ENDED, reason); }

std::uint32_t newest_serial(const state::Session& row) { return std::max(row.serial(), row.next_serial()); }

bool offer_stands(const Context& context, const state::Session& row) {
  return row.next_serial() != 0 && from_ms(row.next_offered_ms()) + kOfferStands > context.now;
}

/// What the flow needs for a new token.
void say_what_to_offer(const Context& context, const state::Session& row, command::ResumeState& state) {
  state.set_next_serial(offer_stands(context, row) ? 0 : newest_serial(row) + 1);
  state.set_offer_token(from_ms(row.token_issued_ms()) + context.limits.token_age_max <= context.now &&
                        !offer_stands(context, row));
}

/// Whose token this hash is, in the session's life.
enum class Use { current, next, just_superseded, stolen, unknown };
Use use_of(const Context& context, const state::Session& row, const command::BeginResume& resume) {
  if (equal_secret(resume.token_hash(), row.token_hash())) return Use::current;
  if (row.next_serial() != 0 && equal_secret(resume.token_hash(), row.next_token_hash())) return Use::next;
  const bool was_superseded =
      !row.superseded_hash().empty() && equal_secret(resume.token_hash(), row.superseded_hash());
  // Ours by its mac: from before the one that was superseded.
  if (!was_superseded && resume.serial() >= row.superseded_serial()) return Use::unknown;
  // A resume may have been on its way, to a primary that died, while its own client went on: only later nobody honest has it.
  const bool in_grace = from_ms(row.superseded_ms()) + context.limits.superseded_grace > context.now;
  return in_grace ? Use::just_superseded : Use::stolen;
}

/// The session's row if it stands; a refusal otherwise.
const state::Session* standing_session(const Context& context, SessionBook& book, const SessionId& id, Draft& draft) {
  if (!book.exists()) return refuse_ended(draft, "the account is gone"), nullptr;
  if (const auto barred = barred_by_operator(context, book.account())) return refuse_with(*barred, draft), nullptr;
  const state::Session* row = book.find(id);
  if (!row) return refuse_ended(draft, "no such session"), nullptr;
  if (!row->ended().empty()) return refuse_ended(draft, row->ended()), nullptr;
  if (from_ms(row->last_seen_ms()) + context.limits.session_unused_max <= context.now)
    return refuse_ended(draft, "unused for too long"), nullptr;
  return row;
}

void promote_offered(state::Session& row, WallTime now) {
  row.set_superseded_hash(row.token_hash());
  row.set_superseded_serial(row.serial());
  row.set_superseded_ms(to_ms(now));
  row.set_token_hash(row.next_token_hash());
  row.set_serial(row.next_serial());
  row.set_token_issued_ms(row.next_offered_ms());
  row.clear_next_serial();
  row.clear_next_token_hash();
  row.clear_next_offered_ms();
}

}  // namespace

void begin_resume(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const command::BeginResume& resume = command.begin_resume();
  SessionBook book(context, user_of(command), view, draft);
  const state::Session* row = standing_session(context, book, session_of(resume.session()), draft);
  if (!row) return;
  const Use use = use_of(context, *row, resume);
  if (use == Use::unknown) return refuse_ended(draft, "this token was replaced");
  if (use == Use::just_superseded) return draft.refuse(v1::TOKEN_SUPERSEDED, "a newer token was confirmed: use that");

  command::ResumeState& state = *draft.answer().mutable_resume_state();
  state.set_theft(use == Use::stolen);
  if (use == Use::stolen) return;
  state.set_username(book.account().username());
  state.set_inbox_head(book.mailbox().head());
  state.set_inbox_first(book.mailbox().first());
  state.set_confirms_next(use == Use::next);
  state.set_touch(from_ms(row->last_seen_ms()) + kSeenToWithin <= context.now);
  if (use == Use::current) say_what_to_offer(context, *row, state);
}

void offer_token(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const command::OfferToken& offer = command.offer_token();
  SessionBook book(context, user_of(command), view, draft);
  const SessionId id = session_of(offer.session());
  if (!standing_session(context, book, id, draft)) return;
  state::Session& row = *book.change_live(id);
  if (offer_stands(context, row) || offer.serial() <= newest_serial(row))
    return draft.refuse(v1::PRECONDITION_FAILED, "another token is on offer");
  row.set_next_serial(offer.serial());
  row.set_next_token_hash(offer.token_hash());
  row.set_next_offered_ms(to_ms(context.now));
  row.set_last_seen_ms(to_ms(context.now));
  book.save();
}

void confirm_token(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const std::uint32_t serial = command.request().confirm_token().serial();
  SessionBook book(context, user_of(command), view, draft);
  const SessionId id = session_of(command.session());
  const state::Session* standing = standing_session(context, book, id, draft);
  if (!standing || (serial == standing->serial() && serial != 0)) return;
  if (serial == 0 || serial != standing->next_serial())
    return draft.refuse(v1::PRECONDITION_FAILED, "serial: not of the token on offer");
  state::Session& row = *book.change_live(id);
  promote_offered(row, context.now);
  row.set_last_seen_ms(to_ms(context.now));
  book.save();
}

void touch_session(const Context& context, const command::Command& command, View& view, Draft& draft) {
  SessionBook book(context, user_of(command), view, draft);
  const SessionId id = session_of(command.touch_session().session());
  if (!standing_session(context, book, id, draft)) return;
  state::Session& row = *book.change_live(id);
  row.set_last_seen_ms(to_ms(context.now));
  say_what_to_offer(context, row, *draft.answer().mutable_resume_state());
  book.save();
}

void end_session(const Context& context, const command::Command& command, View& view, Draft& draft) {
  SessionBook book(context, user_of(command), view, draft);
  if (!book.exists()) return;
  book.end(session_of(command.end_session().session()), v1::SESSION_ENDED, command.end_session().reason());
  for (log::Event& event : draft.events)
    if (event.has_session_ended()) event.mutable_session_ended()->set_stolen(command.end_session().stolen());
  book.save();
}

void log_out(const Context& context, const command::Command& command, View& view, Draft& draft) {
  SessionBook book(context, user_of(command), view, draft);
  if (!book.exists()) return;
  book.end(session_of(command.session()), v1::SESSION_ENDED, "logged out");
  book.save();
}

void revoke_device(const Context& context, const command::Command& command, View& view, Draft& draft) {
  SessionBook book(context, user_of(command), view, draft);
  const auto id = SessionId::from_bytes(command.request().revoke_device().session_id());
  if (!id) return draft.refuse(v1::INVALID_ARGUMENT, "session_id: an id has 16 bytes");
  if (!book.exists() || !book.find(*id)) return draft.refuse(v1::NOT_FOUND, "no such device");
  book.end(*id, v1::SESSION_ENDED, "revoked");
  book.save();
}

void list_devices(const Context& context, const command::Command& command, View& view, Draft& draft) {
  SessionBook book(context, user_of(command), view, draft);
  if (!book.exists()) return refuse_ended(draft, "the account is gone");
  v1::DevicesReply& reply = *draft.frame().mutable_devices();
  for (const std::string& bytes : book.account().sessions()) {
    const state::Session* row = book.find(session_of(bytes));
    if (!row) continue;
    v1::Device& device = *reply.add_devices();
    device.set_session_id(bytes);
    device.set_name(row->device_name());
    device.set_created_ms(row->created_ms());
    device.set_last_seen_ms(row->last_seen_ms());
    device.set_current(bytes == command.session());
  }
}

}  // namespace holdfast::chat

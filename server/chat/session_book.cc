#include "server/chat/session_book.h"

#include <algorithm>

#include "storage/keys.h"

namespace holdfast::chat {
namespace {

SessionId session_id(const std::string& bytes) {
  const auto id = SessionId::from_bytes(bytes);
  HF_CHECK(id, "a stored session id has 16 bytes");
  return *id;
}

/// The token of this row is the one given out now, and no other is any more.
void take_token(state::Session& row, const command::NewSession& session, WallTime now) {
  row.set_serial(session.serial());
  row.set_token_hash(session.token_hash());
  row.set_token_issued_ms(to_ms(now));
  row.clear_next_serial();
  row.clear_next_token_hash();
  row.clear_next_offered_ms();
  row.clear_superseded_hash();
  row.clear_superseded_serial();
  row.clear_superseded_ms();
}

}  // namespace

SessionBook::SessionBook(const Context& context, const UserId& user, View& view, Draft& draft)
    : context_(context), user_(user), view_(view), draft_(draft) {
  account_ = view.get<state::Account>(keys::account(user));
  const auto mailbox = view.get<state::Mailbox>(keys::mailbox(user));
  HF_CHECK(view.missing() || account_.has_value() == mailbox.has_value(), "an account has a mailbox");
  if (mailbox) mailbox_ = *mailbox;
}

SessionBook::SessionBook(const Context& context, const UserId& user, state::Account fresh, View& view, Draft& draft)
    : context_(context), user_(user), view_(view), draft_(draft), account_(std::move(fresh)) {
  mailbox_.set_first(1);
  account_changed_ = mailbox_changed_ = true;
}

state::Account& SessionBook::change_account() {
  account_changed_ = true;
  return *account_;
}

SessionBook::Loaded& SessionBook::load(const SessionId& session) {
  const auto [it, fresh] = sessions_.try_emplace(session);
  if (fresh) it->second.row = view_.get<state::Session>(keys::session(user_, session));
  return it->second;
}

const state::Session* SessionBook::find(const SessionId& session) {
  Loaded& loaded = load(session);
  return loaded.row ? &*loaded.row : nullptr;
}

state::Session* SessionBook::change_live(const SessionId& session) {
  Loaded& loaded = load(session);
  if (!loaded.row || !loaded.row->ended().empty()) return nullptr;
  loaded.changed = true;
  return &*loaded.row;
}

bool SessionBook::add(const command::NewSession& session) {
  const SessionId id = session_id(session.session());
  Loaded& loaded = load(id);
  loaded.changed = true;
  if (loaded.row) {
    if (!loaded.row->ended().empty()) return false;
    take_token(*loaded.row, session, context_.now);
    return true;
  }
  state::Session& row = loaded.row.emplace();
  row.set_device_name(session.device_name());
  row.set_created_ms(to_ms(context_.now));
  row.set_last_seen_ms(to_ms(context_.now));
  take_token(row, session, context_.now);
  change_account().add_sessions(id.str());
  auto& cursor = *mailbox_.add_cursors();
  cursor.set_session(id.str());
  cursor.set_position(mailbox_.head());
  mailbox_changed_ = true;
  if (static_cast<std::size_t>(account_->sessions_size()) > context_.limits.sessions_of_a_user_max)
    end_oldest_unused(id);
  return true;
}

void SessionBook::end_oldest_unused(const SessionId& newest) {
  std::optional<SessionId> oldest;
  std::int64_t seen = 0;
  for (const std::string& bytes : account_->sessions()) {
    const SessionId id = session_id(bytes);
    const state::Session* row = find(id);
    if (!row || id == newest || (oldest && row->last_seen_ms() >= seen)) continue;
    oldest = id;
    seen = row->last_seen_ms();
  }
  if (oldest) end(*oldest, v1::SESSION_ENDED, "too many devices: the one unused for longest was logged out");
}

void SessionBook::end(const SessionId& session, v1::ErrorCode code, const std::string& reason) {
  state::Session* row = change_live(session);
  if (!row) return;
  row->set_ended(reason);
  row->set_ended_ms(to_ms(context_.now));
  auto& live = *change_account().mutable_sessions();
  live.erase(std::remove(live.begin(), live.end(), session.bytes()), live.end());
  drop_cursor(session);
  log::SessionEnded& event = *draft_.emit().mutable_session_ended();
  event.set_user(user_.str());
  event.set_session(session.str());
  event.set_reason(reason);
  draft_.effect(SessionGone{user_, session, code, reason});
}

void SessionBook::end_all_but(const std::optional<SessionId>& kept, v1::ErrorCode code, const std::string& reason) {
  const auto sessions = account_->sessions();  // a copy: end() takes them out
  for (const std::string& bytes : sessions)
    if (!kept || kept->bytes() != bytes) end(session_id(bytes), code, reason);
}

void SessionBook::drop_cursor(const SessionId& session) {
  auto& cursors = *mailbox_.mutable_cursors();
  for (const auto& cursor : cursors)  // what this device had was seen, though no device has it any more
    if (cursor.session() == session.bytes())
      mailbox_.set_acknowledged(std::max(mailbox_.acknowledged(), cursor.position()));
  const auto is_its = [&](const auto& cursor) { return cursor.session() == session.bytes(); };
  cursors.erase(std::remove_if(cursors.begin(), cursors.end(), is_its), cursors.end());
  mailbox_changed_ = true;
}

void SessionBook::save() {
  if (account_changed_) draft_.put(keys::account(user_), *account_);
  if (mailbox_changed_) draft_.put(keys::mailbox(user_), mailbox_);
  for (const auto& [id, loaded] : sessions_)
    if (loaded.changed && loaded.row) draft_.put(keys::session(user_, id), *loaded.row);
}

v1::SessionReply SessionBook::reply(const SessionId& session) const {
  v1::SessionReply reply;
  reply.set_user_id(user_.str());
  reply.set_session_id(session.str());
  reply.set_username(account_->username());
  reply.set_inbox_head(mailbox_.head());
  reply.set_cursor(mailbox_.head());
  for (const auto& cursor : mailbox_.cursors())
    if (cursor.session() == session.bytes()) reply.set_cursor(cursor.position());
  return reply;
}

std::optional<v1::Error> barred_by_operator(const Context& context, const state::Account& account) {
  v1::Error error;
  if (account.status() == v1::BANNED) {
    error.set_code(v1::ACCOUNT_BANNED);
    error.set_message("an operator has banned this account");
    return error;
  }
  const WallTime until = from_ms(account.suspended_until_ms());
  const bool for_good = account.suspended_until_ms() == 0;
  if (account.status() != v1::SUSPENDED || (!for_good && until <= context.now)) return std::nullopt;
  error.set_code(v1::ACCOUNT_SUSPENDED);
  error.set_message("an operator has suspended this account");
  if (!for_good) error.set_retry_after_ms(static_cast<std::uint64_t>((until - context.now).count()));
  return error;
}

void refuse_with(const v1::Error& error, Draft& draft) {
  draft.refuse(error.code(), error.message(), std::chrono::milliseconds(error.retry_after_ms()));
}

}  // namespace holdfast::chat

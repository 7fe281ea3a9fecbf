// Chat: what the client tells. Nothing here waits; what has to be looked up goes to show_loop().
#include "base/hash.h"
#include "tools/holdfast-chat/chat.h"
#include "tools/holdfast-chat/text.h"

namespace holdfast::chat {

void Chat::on_connected(const client::SessionInfo& session) {
  was_online_ = true;
  book_->learn(session.user, session.username);
  screen_.event("connected",
                {{"user", session.username}, {"user_id", to_hex(session.user.bytes())}, {"resumed", false}}, "");
  state_changed_.notify();
}

void Chat::on_resumed(const client::SessionInfo& session) {
  book_->learn(session.user, session.username);
  if (!was_online_)
    screen_.event("connected",
                  {{"user", session.username}, {"user_id", to_hex(session.user.bytes())}, {"resumed", true}}, "");
  else
    screen_.event("back", {{"away_ms", session.away.count()}, {"node", client_->endpoint().authority()}},
                  away_ ? screen_.good("back after " + std::to_string(session.away.count()) + " ms") : "");
  was_online_ = true;
  away_ = false;
  state_changed_.notify();
}

void Chat::on_moved(const client::Moved& moved) {
  // People need not know: nothing was interrupted.
  screen_.event("moved", {{"node", moved.to.authority()}, {"took_ms", moved.took.count()}}, "");
}

void Chat::on_reconnecting(const client::Reconnecting& r) {
  // Said once for each loss, and by every few tries while it lasts.
  const bool say = !away_ || r.tries % 5 == 0;
  away_ = true;
  screen_.event("reconnecting", {{"reason", r.reason}, {"delay_ms", r.delay.count()}},
                say ? screen_.dim((was_online_ ? "reconnecting… (" : "trying to connect… (") +
                                  printable_line(r.reason, 120) + ")")
                    : "");
}

void Chat::on_session_ended(const client::Failure& failure) {
  screen_.event("ended", {{"code", v1::ErrorCode_Name(failure.code)}, {"reason", failure.message}},
                leaving_ ? ""
                         : screen_.bad((was_online_ ? "The session has ended: " : "Cannot log in: ") +
                                       printable_line(failure.str(), 200)));
  end(leaving_ ? exit_code_ : was_online_ ? kExitSessionEnded : kExitNotConnected);
}

void Chat::on_change(const v1::InboxItem& item) {
  items_.push_back(item);
  arrived_.notify();
}

void Chat::on_head(const v1::InboxItem& item) { on_change(item); }

void Chat::on_status_banner(const v1::StatusBanner& banner) {
  const std::string text = printable_line(banner.text(), 1000);
  screen_.event("status", {{"text", banner.text()}, {"open", banner.open() ? "true" : "false"}},
                banner.open() ? screen_.bad("! " + text) : screen_.dim("The disturbance is over. " + text));
}

void Chat::on_email_failing(const v1::EmailFailing& failing) {
  screen_.event("email_failing", {{"email", failing.email()}},
                screen_.bad("! Mails to " + printable_line(failing.email(), 100) +
                            " are refused: set another address with /email."));
}

void Chat::on_history_gap(const v1::HistoryGap&) {
  screen_.event("history_gap", {}, screen_.dim("More has happened than the inbox keeps: /list and /history show it."));
}

void Chat::on_history_reset(const v1::HistoryReset&) {
  screen_.event("history_reset", {},
                screen_.dim("The server was restored from a backup: what was said after it is gone. /list and /history "
                            "show what there is."));
}

void Chat::on_typing(const v1::TypingPush& push) {
  const auto id = ConversationId::from_bytes(push.conversation_id());
  if (!id) return;
  const std::string who = book_->known_name(push.user_id());
  screen_.event("typing",
                {{"conversation", to_hex(id->bytes())},
                 {"name", book_->known_label(*id)},
                 {"user", who},
                 {"typing", push.typing()}},
                "");
  if (*id != open_) return;
  if (push.typing())
    typing_[who] = steady_now() + std::chrono::seconds(6);
  else
    typing_.erase(who);
  update_prompt();
}

void Chat::on_presence(const v1::PresencePush& push) {
  const std::string who = book_->known_name(push.user().user_id());
  online_[push.user().user_id()] = push.user().online();
  screen_.event("presence", {{"user", who}, {"online", push.user().online()}},
                screen_.dim(who + (push.user().online() ? " is here" : " is away")));
}

void Chat::on_positions(const v1::PositionsPush& push) {
  const auto id = ConversationId::from_bytes(push.conversation_id());
  if (!id) return;
  const auto& position = push.position();
  const std::string who = book_->known_name(position.user_id());
  const auto* conversation = book_->find(*id);
  const bool all_read = *id == open_ && conversation != nullptr && conversation->kind == v1::DIRECT &&
                        position.user_id() != client_->session().user.str() &&
                        position.read() >= conversation->last_number;
  screen_.event("positions",
                {{"conversation", to_hex(id->bytes())},
                 {"name", book_->known_label(*id)},
                 {"user", who},
                 {"delivered", position.delivered()},
                 {"read", position.read()}},
                all_read ? screen_.dim("  read by " + who) : "");
}

void Chat::on_sent(const client::SendResult& result) { report_sent("", result); }

void Chat::on_store_failed(const holdfast::Error& error) {
  screen_.event("error", {{"command", "store"}, {"code", "STORE"}, {"message", error.message}},
                screen_.bad("cannot keep the session: " + printable_line(error.message, 200)));
}

}  // namespace holdfast::chat

// Chat: printing what happened in conversations.
#include <algorithm>

#include "base/hash.h"
#include "tools/holdfast-chat/chat.h"
#include "tools/holdfast-chat/text.h"

namespace holdfast::chat {

namespace {

void put_body(boost::json::object& fields, const std::string& body) {
  if (is_utf8(body))
    fields["body"] = body;
  else
    fields["body_hex"] = to_hex(body);
}

constexpr std::uint32_t kPage = 100;

}  // namespace

std::string Chat::where_text(const ConversationId& id) const {
  if (screen_.interactive() && id == open_) return "";
  return screen_.bold(book_->known_label(id)) + " ";
}

boost::json::object Chat::base_fields(const ConversationId& id, const v1::Change& change, bool history) const {
  const std::string own = client_->session().user.str();
  return {{"conversation", to_hex(id.bytes())},
          {"name", book_->known_label(id)},
          {"number", change.number()},
          {"time_ms", change.time_ms()},
          {"author", book_->known_name(change.author())},
          {"author_id", to_hex(change.author())},
          {"own", change.author() == own},
          {"history", history}};
}

Awaitable<void> Chat::show_item(v1::InboxItem item) {
  const auto id = ConversationId::from_bytes(item.conversation_id());
  if (!id) co_return;
  co_await book_->label(*id);
  if (item.content_case() == v1::InboxItem::kHead) {
    co_await show_up_to(*id, item.head());
    co_return;
  }
  co_await show_change(*id, item.change(), false);
}

/// A large conversation: the inbox says only how far it has come.
Awaitable<void> Chat::show_up_to(ConversationId id, std::uint64_t number) {
  const auto* conversation = book_->find(id);
  std::uint64_t shown = conversation == nullptr ? 0 : conversation->shown_number;
  if (shown == 0) shown = number - 1;  // never looked at here: what came before is for /history
  while (shown < number) {
    const auto reply = co_await asking(*client_, client::ask::history(id, {shown + 1, false, kPage}));
    if (!reply.ok() || reply.frame.history().changes().empty()) co_return;
    const v1::HistoryReply page = reply.frame.history();
    for (const auto& change : page.changes()) {
      co_await show_change(id, change, false);
      shown = change.number();
    }
  }
}

Awaitable<void> Chat::show_change(ConversationId id, v1::Change change, bool history) {
  co_await book_->name_of_bytes(change.author());
  const bool is_post = change.has_posted();
  const bool own = change.author() == client_->session().user.str();
  if (auto* conversation = book_->find(id); conversation != nullptr && !history) {
    conversation->last_number = std::max(conversation->last_number, change.number());
    conversation->shown_number = std::max(conversation->shown_number, change.number());
    conversation->last_time_ms = change.time_ms();
    if (change.has_renamed()) conversation->title = change.renamed().title();
    if (is_post && !own && id != open_ && change.number() > conversation->read_number) ++conversation->unread;
  }
  // A page of history may run ahead of the inbox; a person need not see the same line twice.
  const auto* known = book_->find(id);
  const bool seen = !history && known != nullptr && change.number() <= known->history_number;
  if (is_post && !seen) co_await show_post(id, change, history);
  if (!is_post && !seen) co_await show_other(id, change, history);
  if (is_post && !own && !history) {
    ++received_;
    typing_.erase(book_->known_name(change.author()));
  }
  if (!history) note_read(id, change.number());
}

Awaitable<void> Chat::show_post(ConversationId id, v1::Change change, bool history) {
  const auto& post = change.posted();
  auto fields = base_fields(id, change, history);
  fields["content_type"] = post.content_type().empty() ? "text/plain" : post.content_type();
  put_body(fields, post.body());
  if (post.reply_to() != 0) fields["reply_to"] = post.reply_to();
  if (post.edited_number() != 0) fields["edited"] = true;
  if (post.deleted()) fields["deleted"] = true;
  std::string reactions;
  boost::json::array reacted;
  for (const auto& reaction : post.reactions()) {
    reactions += " " + printable_line(reaction.reaction(), 8);
    reacted.emplace_back(reaction.reaction());
  }
  if (!reacted.empty()) fields["reactions"] = reacted;

  const std::string who = book_->known_name(change.author());
  const auto* conversation = book_->find(id);
  const bool elsewhere = id != open_ && conversation != nullptr && conversation->unread > 0 && !history;
  std::string text =
      screen_.dim(clock_text(change.time_ms(), to_ms(wall_now())) + " " + std::to_string(change.number())) + " " +
      where_text(id);
  if (elsewhere && screen_.interactive()) text += screen_.bad("(" + std::to_string(conversation->unread) + " unread) ");
  text += screen_.name(who) + ": ";
  if (post.reply_to() != 0) text += screen_.dim("(to " + std::to_string(post.reply_to()) + ") ");
  text += post.deleted() ? screen_.dim("(deleted)") : printable(post.body());
  if (post.edited_number() != 0 && !post.deleted()) text += screen_.dim(" (edited)");
  text += screen_.dim(reactions);
  screen_.event("message", std::move(fields), text);
  const bool others = change.author() != client_->session().user.str();
  if (elsewhere && others && !conversation->muted) screen_.ring();
  co_return;
}

Awaitable<std::string> Chat::describe(v1::Change change) {
  using What = v1::Change::WhatCase;
  switch (change.what_case()) {
    case What::kEdited:
      co_return "changed " + std::to_string(change.edited().target()) + " to: " + printable(change.edited().body());
    case What::kDeleted: co_return "deleted " + std::to_string(change.deleted().target());
    case What::kReacted:
      co_return (change.reacted().removed() ? "took back " : "reacted ") +
          printable_line(change.reacted().reaction(), 16) + " to " + std::to_string(change.reacted().target());
    case What::kCreated:
      co_return change.created().kind() == v1::GROUP ? "made the group #" + printable_line(change.created().title(), 80)
                                                     : std::string("opened the conversation");
    case What::kMembersAdded: {
      std::string text = "added";
      for (const auto& member : change.members_added().members()) {
        const std::string name = co_await book_->name_of_bytes(member);
        text += " " + name;
      }
      co_return text;
    }
    case What::kMemberLeft: {
      const std::string name = co_await book_->name_of_bytes(change.member_left().user_id());
      co_return change.member_left().user_id() == change.author() ? std::string("left") : "removed " + name;
    }
    case What::kRoleChanged: {
      const std::string name = co_await book_->name_of_bytes(change.role_changed().user_id());
      std::string role = v1::Role_Name(change.role_changed().role());
      std::transform(role.begin(), role.end(), role.begin(), [](unsigned char c) { return std::tolower(c); });
      co_return "made " + name + " " + role;
    }
    case What::kRenamed: co_return "renamed the group to #" + printable_line(change.renamed().title(), 80);
    default: co_return std::string();
  }
}

Awaitable<void> Chat::show_other(ConversationId id, v1::Change change, bool history) {
  using What = v1::Change::WhatCase;
  auto fields = base_fields(id, change, history);
  const char* event = "hidden";
  switch (change.what_case()) {
    case What::kEdited:
      event = "edited";
      fields["target"] = change.edited().target();
      put_body(fields, change.edited().body());
      break;
    case What::kDeleted:
      event = "deleted";
      fields["target"] = change.deleted().target();
      break;
    case What::kReacted:
      event = "reacted";
      fields["target"] = change.reacted().target();
      fields["reaction"] = change.reacted().reaction();
      fields["removed"] = change.reacted().removed();
      break;
    case What::kCreated: event = "created"; break;
    case What::kMembersAdded: event = "members_added"; break;
    case What::kMemberLeft: event = "member_left"; break;
    case What::kRoleChanged: event = "role_changed"; break;
    case What::kRenamed: event = "renamed"; break;
    case What::kDeliveryChanged: event = "delivery_changed"; break;
    default: break;
  }
  const std::string what = co_await describe(change);
  const std::string time = clock_text(change.time_ms(), to_ms(wall_now()));
  const std::string who = book_->known_name(change.author());
  screen_.event(event, std::move(fields),
                what.empty() ? ""
                             : screen_.dim(time + " " + std::to_string(change.number()) + " ") + where_text(id) +
                                   screen_.dim("* " + who + " " + what));
}

/// The page of changes that ends before `from` (0: at the newest), oldest first. How many there were.
Awaitable<std::size_t> Chat::show_history(ConversationId id, std::uint64_t from, std::size_t count) {
  const auto reply =
      co_await asking(*client_, client::ask::history(id, {from, true, static_cast<std::uint32_t>(count)}));
  if (!reply.ok()) {
    fail("/history", *reply.failure);
    co_return 0;
  }
  std::vector<v1::Change> changes(reply.frame.history().changes().begin(), reply.frame.history().changes().end());
  std::reverse(changes.begin(), changes.end());
  auto* conversation = book_->find(id);
  if (screen_.interactive() && from == 0 && conversation != nullptr && !changes.empty())
    conversation->history_number = changes.back().number();
  for (const auto& change : changes) co_await show_change(id, change, true);
  co_return changes.size();
}

// ------------------------------------------------------------------------------------------------ positions, prompt

void Chat::note_read(const ConversationId& id, std::uint64_t number) {
  if (id != open_) return;
  auto* conversation = book_->find(id);
  if (conversation == nullptr || number <= conversation->read_number) return;
  conversation->read_number = number;
  conversation->unread = 0;
  marks_[id] = number;
}

void Chat::flush_marks() {
  for (const auto& [id, number] : std::exchange(marks_, {}))
    client_->request(client::ask::mark(id, number, number), nullptr);
}

void Chat::update_prompt() {
  if (!screen_.interactive() || ended_) return;
  std::string prompt = open_.is_zero() ? "" : book_->known_label(open_);
  if (const auto unread = book_->unread_besides(open_); unread > 0)
    prompt += (prompt.empty() ? "[" : " [") + std::to_string(unread) + "]";
  if (typing_.size() == 1) prompt += " (" + typing_.begin()->first + " is typing…)";
  if (typing_.size() > 1) prompt += " (" + std::to_string(typing_.size()) + " are typing…)";
  if (away_) prompt += " (offline)";
  screen_.set_prompt(prompt + "> ");
}

}  // namespace holdfast::chat

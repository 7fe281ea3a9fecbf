#include "tools/holdfast-chat/book.h"

#include <algorithm>

#include "base/hash.h"
#include "tools/holdfast-chat/text.h"

namespace holdfast::chat {

namespace {
std::string digits_of(const UserId& user) { return "?" + to_hex(user.bytes().substr(12)); }
constexpr std::uint32_t kListPage = 200;
}  // namespace

Awaitable<std::string> Book::name_of(UserId user) {
  if (user.is_zero()) co_return "(deleted)";
  if (const auto known = names_.find(user); known != names_.end()) co_return known->second;
  const auto reply = co_await asking(client_, client::ask::get_user(user));
  if (!reply.ok()) co_return digits_of(user);
  names_[user] = reply.frame.user().username();
  co_return reply.frame.user().username();
}

Awaitable<std::string> Book::name_of_bytes(std::string user_id) {
  const UserId user = UserId::from_bytes(user_id).value_or(UserId());
  auto name = co_await name_of(user);
  co_return name;
}

std::string Book::known_name(const std::string& user_id) const {
  const auto user = UserId::from_bytes(user_id);
  if (!user) return "(deleted)";
  const auto known = names_.find(*user);
  return known == names_.end() ? digits_of(*user) : known->second;
}

Awaitable<std::optional<UserId>> Book::find_user(std::string name, std::optional<client::Failure>& failure) {
  if (name.starts_with('@')) name.erase(0, 1);
  for (const auto& [user, known] : names_)
    if (known == name) co_return user;
  const auto reply = co_await asking(client_, client::ask::get_user(name));
  failure = reply.failure;
  if (!reply.ok()) co_return std::nullopt;
  const auto user = UserId::from_bytes(reply.frame.user().user_id());
  if (user) names_[*user] = reply.frame.user().username();
  co_return user;
}

void Book::take(const v1::ConversationSummary& summary) {
  const auto id = ConversationId::from_bytes(summary.conversation_id());
  if (!id) return;
  auto& conversation = add(*id);
  conversation.kind = summary.kind();
  conversation.title = summary.title();
  conversation.peer = UserId::from_bytes(summary.peer()).value_or(UserId());
  conversation.last_number = summary.last_number();
  conversation.read_number = summary.read_number();
  conversation.unread = summary.unread();
  conversation.last_time_ms = summary.last_time_ms();
  conversation.muted = summary.muted();
  conversation.pinned = summary.pinned();
  conversation.left = summary.left();
}

Awaitable<bool> Book::refresh() {
  std::string token;
  do {
    const auto reply = co_await asking(client_, client::ask::list_conversations(token, kListPage));
    if (!reply.ok()) co_return false;
    for (const auto& summary : reply.frame.conversations().conversations()) take(summary);
    token = reply.frame.conversations().next_page_token();
  } while (!token.empty());
  co_return true;
}

Conversation* Book::find(const ConversationId& id) {
  const auto known = conversations_.find(id);
  return known == conversations_.end() ? nullptr : &known->second;
}

Awaitable<Conversation*> Book::get(ConversationId id) {
  if (auto* known = find(id)) co_return known;
  const bool good = co_await refresh();
  if (!good) co_return nullptr;
  co_return find(id);
}

Conversation* Book::find_by_name(const std::string& name) {
  Conversation* best = nullptr;
  for (auto& [id, conversation] : conversations_) {
    const std::string label = known_label(id);
    const bool same = label == name || label.substr(1) == name;
    if (same && (best == nullptr || conversation.last_time_ms > best->last_time_ms)) best = &conversation;
  }
  return best;
}

std::string Book::known_label(const ConversationId& id) const {
  const auto known = conversations_.find(id);
  if (known == conversations_.end()) return "?" + to_hex(id.bytes().substr(12));
  if (known->second.kind == v1::GROUP) return "#" + printable_line(known->second.title, 40);
  return "@" + known_name(known->second.peer.str());
}

Awaitable<std::string> Book::label(ConversationId id) {
  const auto* conversation = co_await get(id);
  if (conversation != nullptr && conversation->kind == v1::DIRECT) co_await name_of(conversation->peer);
  co_return known_label(id);
}

std::uint64_t Book::unread_besides(const ConversationId& open) const {
  std::uint64_t unread = 0;
  for (const auto& [id, conversation] : conversations_)
    if (id != open && !conversation.muted && !conversation.left) unread += conversation.unread;
  return unread;
}

}  // namespace holdfast::chat

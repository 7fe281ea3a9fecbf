// Chat: commands about conversations and who is in them.
#include <algorithm>

#include "base/hash.h"
#include "tools/holdfast-chat/chat.h"
#include "tools/holdfast-chat/text.h"

namespace holdfast::chat {

namespace {

const char* kind_name(const Conversation& conversation) { return conversation.kind == v1::GROUP ? "group" : "direct"; }

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

constexpr std::uint32_t kMembersPage = 1'000;

}  // namespace

// ------------------------------------------------------------------------------------------------ looking up

Awaitable<std::optional<UserId>> Chat::user_for(std::string command, std::string name) {
  std::optional<client::Failure> failure;
  auto user = co_await book_->find_user(name, failure);
  if (!user && failure) fail(command, *failure);
  if (!user && !failure) fail(command, "there is no user " + name);
  co_return user;
}

Awaitable<std::optional<std::vector<UserId>>> Chat::users_for(std::string command, Words names) {
  std::vector<UserId> users;
  for (const auto& name : names) {
    const auto user = co_await user_for(command, name);
    if (!user) co_return std::nullopt;
    users.push_back(*user);
  }
  co_return users;
}

// ------------------------------------------------------------------------------------------------ list and open

Awaitable<bool> Chat::list(Words, std::string) {
  const bool good = co_await book_->refresh();
  if (!good) co_return fail("/list", "the server does not answer");
  std::vector<const Conversation*> sorted;
  for (const auto& [id, conversation] : book_->all()) sorted.push_back(&conversation);
  std::sort(sorted.begin(), sorted.end(), [](const Conversation* a, const Conversation* b) {
    return std::tuple(a->pinned, a->last_time_ms) > std::tuple(b->pinned, b->last_time_ms);
  });
  for (const auto* one : sorted) {
    const std::string label = co_await book_->label(one->id);
    std::string text = "  " + screen_.bold(label);
    if (one->unread > 0) text += " " + screen_.bad(std::to_string(one->unread) + " unread");
    text += screen_.dim(std::string(one->pinned ? " pinned" : "") + (one->muted ? " muted" : "") +
                        (one->left ? " left" : "") + "  " + clock_text(one->last_time_ms, to_ms(wall_now())));
    screen_.event("listed",
                  {{"conversation", to_hex(one->id.bytes())},
                   {"name", label},
                   {"kind", kind_name(*one)},
                   {"unread", one->unread},
                   {"last_number", one->last_number},
                   {"muted", one->muted},
                   {"pinned", one->pinned},
                   {"left", one->left}},
                  text);
  }
  screen_.event("done", {{"command", "/list"}}, sorted.empty() ? screen_.dim("  no conversations yet") : "");
  co_return true;
}

Awaitable<bool> Chat::open_now(ConversationId id) {
  auto* conversation = co_await book_->get(id);
  if (conversation == nullptr) {
    // The list follows the conversation by a moment; until then this is all that is known.
    conversation = &book_->add(id);
  }
  open_ = id;
  typing_.clear();
  const std::string label = co_await book_->label(id);
  screen_.event("opened",
                {{"conversation", to_hex(id.bytes())},
                 {"name", label},
                 {"kind", kind_name(*conversation)},
                 {"number", conversation->last_number}},
                screen_.interactive() ? screen_.dim("── ") + screen_.bold(label) + screen_.dim(" ──") : "");
  if (screen_.interactive() && options_.history > 0) co_await show_history(id, 0, options_.history);
  note_read(id, conversation->last_number);
  update_prompt();
  co_return true;
}

Awaitable<bool> Chat::open(Words words, std::string) {
  if (words.size() != 2) co_return fail(words.front(), "give a user's name, or a group's title with # before it");
  const std::string& name = words[1];
  if (name.starts_with('#')) {
    auto* known = book_->find_by_name(name);
    if (known == nullptr) {
      co_await book_->refresh();
      known = book_->find_by_name(name);
    }
    if (known == nullptr) co_return fail("/open", "there is no group " + name);
    const bool opened = co_await open_now(known->id);
    co_return opened;
  }
  const auto user = co_await user_for("/open", name);
  if (!user) co_return false;
  const auto reply = co_await asking(*client_, client::ask::open_direct(*user));
  if (!reply.ok()) co_return fail("/open", *reply.failure);
  const auto id = ConversationId::from_bytes(reply.frame.conversation().conversation_id());
  if (!id) co_return fail("/open", "the server's answer is not understood");
  auto& conversation = book_->add(*id);
  conversation.kind = v1::DIRECT;
  conversation.peer = *user;
  conversation.last_number = std::max(conversation.last_number, reply.frame.conversation().number());
  const bool opened = co_await open_now(*id);
  co_return opened;
}

Awaitable<bool> Chat::make_group(Words words, std::string) {
  if (words.size() < 2) co_return fail("/group", "give a title and the members' names");
  auto users = co_await users_for("/group", Words(words.begin() + 2, words.end()));
  if (!users) co_return false;
  const std::string title = words[1].starts_with('#') ? words[1].substr(1) : words[1];
  const auto reply = co_await asking(*client_, client::ask::create_group(title, *users));
  if (!reply.ok()) co_return fail("/group", *reply.failure);
  const auto id = ConversationId::from_bytes(reply.frame.conversation().conversation_id());
  if (!id) co_return fail("/group", "the server's answer is not understood");
  auto& conversation = book_->add(*id);
  conversation.kind = v1::GROUP;
  conversation.title = title;
  const bool opened = co_await open_now(*id);
  co_return opened;
}

// ------------------------------------------------------------------------------------------------ members

Awaitable<bool> Chat::add(Words words, std::string) {
  if (words.size() < 2) co_return fail("/add", "give names");
  if (open_conversation("/add") == nullptr) co_return false;
  auto users = co_await users_for("/add", Words(words.begin() + 1, words.end()));
  if (!users) co_return false;
  const bool good = co_await simply("/add", client::ask::add_members(open_, *users));
  co_return good;
}

Awaitable<bool> Chat::remove(Words words, std::string) {
  if (words.size() != 2) co_return fail("/remove", "give a name");
  if (open_conversation("/remove") == nullptr) co_return false;
  const auto user = co_await user_for("/remove", words[1]);
  if (!user) co_return false;
  const bool good = co_await simply("/remove", client::ask::remove_member(open_, *user));
  co_return good;
}

Awaitable<bool> Chat::role(Words words, std::string) {
  v1::Role role = v1::ROLE_UNSPECIFIED;
  if (words.size() == 3) {
    std::string upper = words[2];
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
    v1::Role_Parse(upper, &role);
  }
  if (role == v1::ROLE_UNSPECIFIED) co_return fail("/role", "give a name and one of member, admin, owner");
  if (open_conversation("/role") == nullptr) co_return false;
  const auto user = co_await user_for("/role", words[1]);
  if (!user) co_return false;
  const bool good = co_await simply("/role", client::ask::set_role(open_, *user, role));
  co_return good;
}

Awaitable<bool> Chat::leave(Words, std::string) {
  if (open_conversation("/leave") == nullptr) co_return false;
  const bool good = co_await simply("/leave", client::ask::leave(open_));
  co_return good;
}

Awaitable<bool> Chat::rename(Words words, std::string rest) {
  if (rest.empty()) co_return fail("/rename", "give the new title");
  if (open_conversation("/rename") == nullptr) co_return false;
  const std::string title = words.size() == 2 ? words[1] : rest;
  const bool good = co_await simply("/rename", client::ask::rename_group(open_, title));
  co_return good;
}

Awaitable<bool> Chat::who(Words, std::string) {
  if (open_conversation("/who") == nullptr) co_return false;
  const ConversationId id = open_;
  const auto presence = co_await asking(*client_, client::ask::watch_presence(id));
  if (presence.ok())  // larger conversations have none
    for (const auto& user : presence.frame.presence().users()) online_[user.user_id()] = user.online();
  online_[client_->session().user.str()] = true;
  std::string after;
  while (true) {
    const auto reply = co_await asking(*client_, client::ask::list_members(id, after, kMembersPage));
    if (!reply.ok()) co_return fail("/who", *reply.failure);
    const v1::MembersReply page = reply.frame.members();
    for (const auto& member : page.members()) {
      const std::string name = co_await book_->name_of_bytes(member.user_id());
      const std::string role = lower(v1::Role_Name(member.role()));
      const auto here = presence.ok() ? online_.find(member.user_id()) : online_.end();
      std::string text = "  " + screen_.name(name) + " " + screen_.dim(role);
      if (here != online_.end()) text += here->second ? " " + screen_.good("here") : " " + screen_.dim("away");
      boost::json::object fields{{"user", name}, {"user_id", to_hex(member.user_id())}, {"role", role}};
      if (here != online_.end()) fields["online"] = here->second;
      screen_.event("member", std::move(fields), text);
      after = member.user_id();
    }
    if (!page.more() || page.members().empty()) break;
  }
  screen_.event("done", {{"command", "/who"}}, "");
  co_return true;
}

// ------------------------------------------------------------------------------------------------ own settings

Awaitable<bool> Chat::change_settings(std::string command, std::optional<bool> muted, std::optional<bool> pinned) {
  auto* conversation = open_conversation(command);
  if (conversation == nullptr) co_return false;
  const bool to_mute = muted.value_or(conversation->muted);
  const bool to_pin = pinned.value_or(conversation->pinned);
  const bool good = co_await simply(command, client::ask::set_conversation(open_, to_mute, to_pin));
  if (good) {
    conversation->muted = to_mute;
    conversation->pinned = to_pin;
  }
  co_return good;
}

Awaitable<bool> Chat::mute(Words, std::string) { return change_settings("/mute", true, std::nullopt); }
Awaitable<bool> Chat::unmute(Words, std::string) { return change_settings("/unmute", false, std::nullopt); }
Awaitable<bool> Chat::pin(Words, std::string) { return change_settings("/pin", std::nullopt, true); }
Awaitable<bool> Chat::unpin(Words, std::string) { return change_settings("/unpin", std::nullopt, false); }

}  // namespace holdfast::chat

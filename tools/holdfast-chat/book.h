/// What we know of users and conversations: names, titles, what is unread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "clients/cpp/await.h"

namespace holdfast::chat {

struct Conversation {
  ConversationId id;
  v1::ConversationKind kind = v1::KIND_UNSPECIFIED;
  std::string title;  ///< groups
  UserId peer;        ///< direct
  std::uint64_t last_number = 0;
  std::uint64_t read_number = 0;
  std::uint64_t shown_number = 0;    ///< the newest change that was printed as it came; 0: none yet
  std::uint64_t history_number = 0;  ///< the newest that a page of history has shown to a person
  std::uint64_t unread = 0;
  std::int64_t last_time_ms = 0;
  bool muted = false;
  bool pinned = false;
  bool left = false;
};

/// Owned by Chat; on the one thread. What is not known yet is asked for; while there is no connection that waits, and
/// fails after the client's time-out.
class Book {
 public:
  explicit Book(client::Client& client) : client_(client) {}

  /// "ada"; for a deleted account (no id) "(deleted)", and a few hex digits for one that can't be found out.
  Awaitable<std::string> name_of(UserId user);
  Awaitable<std::string> name_of_bytes(std::string user_id);
  /// What is known already, for those who can't wait.
  std::string known_name(const std::string& user_id) const;
  void learn(const UserId& user, const std::string& name) { names_[user] = name; }
  /// Nothing, and why not in `failure`, if there is no such user.
  Awaitable<std::optional<UserId>> find_user(std::string name, std::optional<client::Failure>& failure);

  /// Reads the whole list anew; true if it could.
  Awaitable<bool> refresh();
  Conversation* find(const ConversationId& id);
  /// By "#title", "title" or a direct one by "@name" or "name"; the newest of several.
  Conversation* find_by_name(const std::string& name);
  /// The conversation, asked for if it is new; null if it can't be had.
  Awaitable<Conversation*> get(ConversationId id);
  Conversation& add(const ConversationId& id) {
    auto& conversation = conversations_[id];
    conversation.id = id;
    return conversation;
  }
  /// "#title" or "@name".
  Awaitable<std::string> label(ConversationId id);
  std::string known_label(const ConversationId& id) const;
  std::map<ConversationId, Conversation>& all() { return conversations_; }
  std::uint64_t unread_besides(const ConversationId& open) const;

 private:
  void take(const v1::ConversationSummary& summary);

  client::Client& client_;
  std::unordered_map<UserId, std::string> names_;
  std::map<ConversationId, Conversation> conversations_;
};

}  // namespace holdfast::chat

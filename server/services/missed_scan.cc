#include "server/services/missed_scan.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "server/chat/inbox.h"
#include "server/chat/lists.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

constexpr std::size_t kHeadsMax = 1'000;
constexpr std::size_t kRowsOfAPage = 500, kBytesOfARead = 256 << 10;

/// Somebody's post in the inbox.
struct Post {
  std::uint64_t position;
  WallTime time;
};
using Posts = std::map<std::uint64_t, Post>;  ///< by number

struct Head {
  std::uint64_t position;
  std::uint64_t number;
};

v1::InboxItem item_of(const Row& row) {
  v1::InboxItem item;
  HF_CHECK(item.ParseFromString(row.value), "a stored row parses");
  return item;
}

ConversationId conversation_of(const v1::InboxItem& item) {
  const auto id = ConversationId::from_bytes(item.conversation_id());
  HF_CHECK(id, "a stored id has 16 bytes");
  return *id;
}

std::uint64_t position_of(const Row& row) {
  const auto key = keys::decode(row.key);
  HF_CHECK(key && key->family == keys::Family::inbox, "a range of an inbox has its keys");
  return key->number;
}

/// Whose posts a user is not told of. A block hides direct conversations by itself; in groups it counts here.
class Unheard {
 public:
  Unheard(const UserId& user, chat::View& view)
      : user_(user), blocks_(view.get<state::Blocks>(keys::blocks(user)).value_or(state::Blocks())) {}
  bool has(const std::string& author) const {
    const auto& blocked = blocks_.users();
    return author == user_.bytes() || std::find(blocked.begin(), blocked.end(), author) != blocked.end();
  }

 private:
  const UserId user_;
  const state::Blocks blocks_;
};

/// Notes a post, or takes one away that was deleted again. Whose a reference is shows when it is fetched.
void note(const v1::InboxItem& item, std::uint64_t position, const Unheard& unheard, Posts& posts) {
  if (item.has_reference()) {
    if (item.is_post()) posts.emplace(item.reference(), Post{position, from_ms(item.time_ms())});
    return;
  }
  const v1::Change& change = item.change();
  if (change.has_deleted()) posts.erase(change.deleted().target());
  if (change.has_posted() && !unheard.has(change.author()))
    posts.emplace(change.number(), Post{position, from_ms(change.time_ms())});
}

bool is_told(const state::ListEntry& entry) { return !entry.muted() && !entry.left(); }

/// The first of them that the user has not read, nor hidden by a block, nor been mailed.
const Posts::value_type* first_of(const Posts& posts, const state::ListEntry& entry, std::uint64_t mailed_position) {
  for (auto at = posts.upper_bound(entry.read_number()); at != posts.end(); ++at)
    if (at->second.position > mailed_position && !chat::is_hidden(entry, at->first)) return &*at;
  return nullptr;
}

/// One read of the inbox; null: missing() for now.
struct Stretch {
  const std::vector<Row>* rows;
  bool cut = false;  ///< there may be more
};

Stretch inbox_rows(const UserId& user, std::uint64_t after, std::uint64_t last, std::size_t limit, chat::View& view) {
  const std::string until = last == UINT64_MAX ? keys::after_prefix(keys::prefix(keys::Family::inbox, user.bytes()))
                                               : keys::inbox(user, last + 1);
  Stretch stretch{
      view.range({.from = keys::inbox(user, after + 1), .until = until, .limit = limit, .bytes_max = kBytesOfARead})};
  if (!stretch.rows) return stretch;
  std::size_t bytes = 0;
  for (const Row& row : *stretch.rows) bytes += keys::kPartitionBytes + row.key.size() + row.value.size();
  stretch.cut = stretch.rows->size() >= limit || bytes >= kBytesOfARead;
  return stretch;
}

std::map<ConversationId, Head> heads_after(const UserId& user, std::uint64_t after, chat::View& view) {
  std::map<ConversationId, Head> heads;
  const std::string prefix = keys::prefix(keys::Family::head, user.bytes());
  const auto* rows = view.range({.from = prefix, .until = keys::after_prefix(prefix), .limit = kHeadsMax});
  if (!rows) return heads;
  for (const Row& row : *rows) {
    const v1::InboxItem item = item_of(row);
    if (item.position() > after) heads[conversation_of(item)] = {item.position(), item.head()};
  }
  return heads;
}

/// One look at a stretch of the inbox and at all heads.
class Look {
 public:
  Look(const UserId& user, std::uint64_t after, chat::View& view)
      : user_(user), after_(after), view_(view), unheard_(user, view) {}

  void at_rows(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      const v1::InboxItem item = item_of(row);
      const std::uint64_t position = position_of(row);
      scan_.seen = std::max(scan_.seen, position);
      note(item, position, unheard_, posts_[conversation_of(item)]);
    }
  }
  /// Heads behind a stretch that was cut wait for the next look.
  void at_heads(const std::map<ConversationId, Head>& heads) {
    for (const auto& [conversation, head] : heads) {
      if (scan_.cut && head.position > scan_.seen) continue;
      heads_[conversation] = head;
      if (!scan_.cut) scan_.seen = std::max(scan_.seen, head.position);
    }
  }
  void set_cut() { scan_.cut = true; }

  MissedScan finish() {
    // All lines are named before one is looked at, so that they are loaded together.
    for (const auto& [conversation, posts] : posts_) view_.row(keys::list(user_, conversation));
    for (const auto& [conversation, head] : heads_) view_.row(keys::list(user_, conversation));
    for (const auto& [conversation, posts] : posts_) add(conversation, posts);
    for (const auto& [conversation, head] : heads_) add(conversation, head);
    std::sort(scan_.conversations.begin(), scan_.conversations.end(),
              [](const MissedIn& a, const MissedIn& b) { return a.first_position < b.first_position; });
    return std::move(scan_);
  }

 private:
  void add(const ConversationId& conversation, const Posts& posts) {
    auto entry = posts.empty() ? std::nullopt : view_.get<state::ListEntry>(keys::list(user_, conversation));
    if (!entry || !is_told(*entry)) return;
    const auto* first = first_of(posts, *entry, entry->mailed_position());
    if (!first) return;
    scan_.conversations.push_back(
        {conversation, first->second.position, first->first, first->second.time, false, std::move(*entry)});
  }
  void add(const ConversationId& conversation, const Head& head) {
    auto entry = view_.get<state::ListEntry>(keys::list(user_, conversation));
    if (!entry || !is_told(*entry) || head.position <= entry->mailed_position()) return;
    const std::uint64_t since = entry->head_since_position();
    if (since <= std::max(after_, entry->mailed_position()) || chat::unread(*entry) == 0) return;
    scan_.conversations.push_back(
        {conversation, since, entry->head_since_number(), from_ms(entry->head_since_ms()), true, std::move(*entry)});
  }

  const UserId user_;
  const std::uint64_t after_;
  chat::View& view_;
  const Unheard unheard_;
  std::map<ConversationId, Posts> posts_;
  std::map<ConversationId, Head> heads_;
  MissedScan scan_;
};

}  // namespace

MissedScan scan_missed(const UserId& user, std::uint64_t after, std::size_t rows_max, chat::View& view) {
  Look look(user, after, view);
  const Stretch stretch = inbox_rows(user, after, UINT64_MAX, rows_max, view);
  const auto heads = heads_after(user, after, view);
  if (stretch.rows) look.at_rows(*stretch.rows);
  if (stretch.cut) look.set_cut();
  look.at_heads(heads);
  return look.finish();
}

std::optional<std::uint64_t> first_missed(const UserId& user, const state::Mail::Missed& mail, chat::View& view) {
  const auto conversation = ConversationId::from_bytes(mail.conversation());
  HF_CHECK(conversation, "a mail about a conversation names it");
  const auto mailbox = view.get<state::Mailbox>(keys::mailbox(user));
  const auto entry = view.get<state::ListEntry>(keys::list(user, *conversation));
  if (!mailbox || !entry || !is_told(*entry)) return std::nullopt;
  const std::uint64_t acknowledged = chat::acknowledged_by_any(*mailbox);
  if (mail.head()) {
    const bool is_over = acknowledged >= mail.last_position() || entry->read_number() >= mail.last_number();
    return is_over ? std::nullopt : std::optional(std::max(mail.first_number(), entry->read_number() + 1));
  }
  const Unheard unheard(user, view);
  Posts posts;
  std::uint64_t after = std::max(acknowledged, mail.first_position() - 1);
  for (bool more = true; more && after < mail.last_position();) {
    const Stretch stretch = inbox_rows(user, after, mail.last_position(), kRowsOfAPage, view);
    if (!stretch.rows) return std::nullopt;  // missing for now
    for (const Row& row : *stretch.rows) {
      const v1::InboxItem item = item_of(row);
      after = position_of(row);
      if (item.conversation_id() == mail.conversation()) note(item, after, unheard, posts);
    }
    more = stretch.cut && !stretch.rows->empty();
  }
  const auto* first = first_of(posts, *entry, 0);
  return first ? std::optional(first->first) : std::nullopt;
}

}  // namespace holdfast::services

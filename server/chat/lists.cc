#include "server/chat/lists.h"

#include <algorithm>

#include "server/chat/standing.h"
#include "storage/big_endian.h"
#include "storage/keys.h"

namespace holdfast::chat {

std::uint64_t unread(const state::ListEntry& entry) {
  const std::uint64_t read = entry.read_posts();
  if (entry.last_posts() <= read) return 0;
  std::uint64_t unread = entry.last_posts() - read;
  for (const auto& hidden : entry.hidden()) {
    const std::uint64_t to = hidden.to() == 0 ? entry.last_posts() : hidden.to_posts();
    const std::uint64_t from = std::max(hidden.from_posts(), read);
    if (to > from) unread -= std::min(unread, to - from);
  }
  return unread;
}

bool is_hidden(const state::ListEntry& entry, std::uint64_t number) {
  for (const auto& hidden : entry.hidden()) {
    if (hidden.from() <= number && (hidden.to() == 0 || number < hidden.to())) return true;
  }
  return false;
}

namespace {

/// Where a line stands in the list: the order of pages, and what a page token says.
struct Place {
  bool pinned = false;
  std::int64_t time_ms = 0;
  std::string id;

  /// Pinned ones first, then newest; the id decides between equals.
  bool before(const Place& other) const {
    if (pinned != other.pinned) return pinned;
    if (time_ms != other.time_ms) return time_ms > other.time_ms;
    return id < other.id;
  }
};

/// pinned:1 time_ms:8 conversation:16. Opaque to clients.
constexpr std::size_t kTokenBytes = 1 + 8 + 16;

std::string token_of(const Place& place) {
  std::string token(1, place.pinned ? '\1' : '\0');
  append_u64(token, static_cast<std::uint64_t>(place.time_ms));
  return token + place.id;
}

std::optional<Place> place_of(std::string_view token) {
  if (token.size() != kTokenBytes) return std::nullopt;
  Place place;
  place.pinned = token[0] != '\0';
  place.time_ms = static_cast<std::int64_t>(read_number(token.substr(1, 8)));
  place.id = token.substr(9);
  return place;
}

constexpr std::size_t kRowsAtOnce = 10'000;

struct Line {
  Place place;
  state::ListEntry entry;
};

/// All lines that can be shown; a part of them if the view is missing something.
std::vector<Line> read_lines(const UserId& user, View& view) {
  std::vector<Line> lines;
  const std::string prefix = keys::prefix(keys::Family::list, user.bytes());
  Range range{.from = prefix, .until = keys::after_prefix(prefix), .limit = kRowsAtOnce, .bytes_max = SIZE_MAX};
  while (const std::vector<Row>* rows = view.range(range)) {
    for (const Row& row : *rows) {
      Line line;
      HF_CHECK(line.entry.ParseFromString(row.value), "a stored row parses");
      if (line.entry.last_number() == 0) continue;
      line.place = {line.entry.pinned(), line.entry.last_time_ms(), row.key.substr(prefix.size())};
      lines.push_back(std::move(line));
    }
    if (rows->size() < kRowsAtOnce) break;
    range.from = rows->back().key + '\0';
  }
  return lines;
}

void summarize(const Line& line, v1::ConversationSummary& summary) {
  const state::ListEntry& entry = line.entry;
  summary.set_conversation_id(line.place.id);
  summary.set_kind(entry.kind());
  summary.set_title(entry.title());
  summary.set_peer(entry.peer());
  summary.set_last_number(entry.last_number());
  summary.set_last_time_ms(entry.last_time_ms());
  summary.set_read_number(entry.read_number());
  summary.set_unread(unread(entry));
  summary.set_muted(entry.muted());
  summary.set_pinned(entry.pinned());
  summary.set_role(entry.role());
  summary.set_left(entry.left());
}

}  // namespace

void list_conversations(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::ListConversations& request = command.request().list_conversations();
  if (!check_page(request.limit(), context.limits.list_page_max, draft)) return;
  const std::optional<Place> after = place_of(request.page_token());
  if (!after && !request.page_token().empty()) {
    return draft.refuse(v1::INVALID_ARGUMENT, "page_token is none of ours");
  }
  std::vector<Line> lines = read_lines(caller_of(command), view);
  if (after) std::erase_if(lines, [&](const Line& line) { return !after->before(line.place); });
  const std::size_t count = std::min<std::size_t>(lines.size(), request.limit());
  std::partial_sort(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(count), lines.end(),
                    [](const Line& a, const Line& b) { return a.place.before(b.place); });
  v1::ConversationsReply& reply = *draft.frame().mutable_conversations();
  for (std::size_t i = 0; i < count; ++i) summarize(lines[i], *reply.add_conversations());
  if (count < lines.size() && count > 0) reply.set_next_page_token(token_of(lines[count - 1].place));
}

void set_conversation(const Context&, const command::Command& command, View& view, Draft& draft) {
  const v1::SetConversation& request = command.request().set_conversation();
  const auto conversation = take_id<ConversationId>(request.conversation_id(), "conversation_id", draft);
  if (!conversation) return;
  const std::string key = keys::list(caller_of(command), *conversation);
  auto entry = view.get<state::ListEntry>(key);
  if (!entry || entry->last_number() == 0) return draft.refuse(v1::NOT_FOUND, "no such conversation in the list");
  if (entry->muted() == request.muted() && entry->pinned() == request.pinned()) return;
  entry->set_muted(request.muted());
  entry->set_pinned(request.pinned());
  draft.put(key, *entry);
}

void show_list(const Context&, const command::Command& command, View& view, Draft& draft) {
  const auto conversation = take_id<ConversationId>(command.show_list().conversation(), "conversation", draft);
  if (!conversation) return;
  command::ListState& state = *draft.answer().mutable_list_state();
  auto entry = view.get<state::ListEntry>(keys::list(caller_of(command), *conversation));
  if (!entry) return;
  state.set_known(true);
  for (const auto& hidden : entry->hidden()) {
    command::ListState::Hidden& interval = *state.add_hidden();
    interval.set_from(hidden.from());
    interval.set_to(hidden.to());
  }
}

namespace {

void push_position(const command::ApplyPosition& moved, const UserId& owner, bool own, Draft& draft) {
  TellUsers tell;
  for (const std::string& bytes : moved.tell()) {
    if (auto user = UserId::from_bytes(bytes)) tell.users.push_back(*user);
  }
  if (own) tell.users.push_back(owner);  // their other devices
  if (tell.users.empty()) return;
  v1::PositionsPush& push = *tell.frame.mutable_positions_changed();
  push.set_conversation_id(moved.conversation());
  push.mutable_position()->set_user_id(moved.user());
  push.mutable_position()->set_delivered(moved.delivered());
  push.mutable_position()->set_read(moved.read());
  draft.effect(std::move(tell));
}

}  // namespace

void apply_position(const Context&, const command::Command& command, View& view, Draft& draft) {
  const command::ApplyPosition& moved = command.apply_position();
  const auto conversation = take_id<ConversationId>(moved.conversation(), "conversation", draft);
  const auto owner = take_id<UserId>(moved.user(), "user", draft);
  if (!conversation || !owner) return;
  // Positions only move forward, so a repetition changes nothing: its source need not be kept.
  if (moved.own()) {
    const std::string key = keys::list(*owner, *conversation);
    auto entry = view.get<state::ListEntry>(key);
    if (entry && moved.read() > entry->read_number()) {
      entry->set_read_number(moved.read());
      entry->set_read_posts(std::max(entry->read_posts(), moved.read_posts()));
      draft.put(key, *entry);
    }
  }
  push_position(moved, *owner, moved.own(), draft);
}

}  // namespace holdfast::chat

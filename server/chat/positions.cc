#include "server/chat/positions.h"

#include <algorithm>

#include "server/chat/changes.h"
#include "server/chat/standing.h"
#include "storage/keys.h"

namespace holdfast::chat {

namespace {

/// Change.posts at this number.
std::uint64_t posts_at(const Standing& standing, std::uint64_t number, View& view) {
  if (number == standing.conversation.last_number()) return standing.conversation.posts();
  const auto change = find_change(standing.id, number, view);
  return change ? change->posts() : 0;
}

void emit_moved(const Context& context, const Standing& standing, const state::Seen& seen, Draft& draft) {
  log::PositionMoved& moved = *draft.emit().mutable_position_moved();
  moved.set_conversation(standing.id.str());
  moved.set_user(standing.user.str());
  moved.set_delivered(seen.delivered());
  moved.set_read(seen.read());
  moved.set_read_posts(seen.read_posts());
  if (standing.direct()) {
    const auto& other = standing.conversation.peers(1 - standing.peer);
    if (!other.deleted()) moved.add_audience(other.user());
  } else {
    moved.set_tell_members(standing.conversation.members() <= context.limits.positions_audience_max);
  }
}

}  // namespace

void mark(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::Mark& request = command.request().mark();
  std::optional<Standing> standing = find_standing(command, request.conversation_id(), Need::member, view, draft);
  if (!standing) return;
  if (std::max(request.delivered(), request.read()) > standing->conversation.last_number()) {
    return draft.refuse(v1::INVALID_ARGUMENT, "delivered and read name changes that exist");
  }
  const std::string key = keys::seen(standing->id, standing->user);
  state::Seen seen = view.get<state::Seen>(key).value_or(state::Seen());
  const std::uint64_t read = std::max(seen.read(), request.read());
  const std::uint64_t delivered = std::max({seen.delivered(), request.delivered(), read});
  if (read == seen.read() && delivered == seen.delivered()) return;
  if (read != seen.read()) seen.set_read_posts(posts_at(*standing, read, view));
  seen.set_read(read);
  seen.set_delivered(delivered);
  draft.put(key, seen);
  emit_moved(context, *standing, seen, draft);
}

void get_positions(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::GetPositions& request = command.request().get_positions();
  if (!check_page(request.limit(), context.limits.members_page_max, draft)) return;
  const auto after = take_page_start(request.after_user_id(), draft);
  if (!after) return;
  std::optional<Standing> standing = find_standing(command, request.conversation_id(), Need::member, view, draft);
  if (!standing) return;
  const std::string prefix = keys::prefix(keys::Family::seen, standing->id.bytes());
  const std::vector<Row>* rows = view.range(
      {.from = prefix + *after, .until = keys::after_prefix(prefix), .limit = request.limit() + std::size_t{1}});
  if (!rows) return;
  v1::PositionsReply& reply = *draft.frame().mutable_positions();
  for (const Row& row : *rows) {
    if (static_cast<std::uint32_t>(reply.positions_size()) == request.limit()) {
      reply.set_more(true);
      break;
    }
    state::Seen seen;
    HF_CHECK(seen.ParseFromString(row.value), "a stored row parses");
    v1::Position& position = *reply.add_positions();
    position.set_user_id(row.key.substr(prefix.size()));
    position.set_delivered(seen.delivered());
    position.set_read(seen.read());
  }
}

}  // namespace holdfast::chat

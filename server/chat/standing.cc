#include "server/chat/standing.h"

#include "storage/keys.h"

namespace holdfast::chat {

UserId caller_of(const command::Command& command) {
  std::optional<UserId> user = UserId::from_bytes(command.user());
  HF_CHECK(user.has_value(), "a front door names the caller");
  return *user;
}

bool check_page(std::uint32_t limit, std::size_t max, Draft& draft) {
  if (limit >= 1 && limit <= max) return true;
  draft.refuse(limit == 0 ? v1::INVALID_ARGUMENT : v1::TOO_LARGE, "limit is 1 to " + std::to_string(max));
  return false;
}

std::optional<std::string> take_page_start(std::string_view after_user_id, Draft& draft) {
  if (after_user_id.empty()) return std::string();
  if (!take_id<UserId>(after_user_id, "after_user_id", draft)) return std::nullopt;
  return std::string(after_user_id) + '\0';
}

bool Standing::covers(std::uint64_t number) const {
  if (direct()) return true;
  for (const auto& interval : member.intervals()) {
    if (interval.joined() <= number && (interval.left() == 0 || number < interval.left())) return true;
  }
  return false;
}

namespace {

bool is_peer(Standing& standing) {
  for (int i = 0; i < standing.conversation.peers_size(); ++i) {
    if (standing.conversation.peers(i).user() == standing.user.bytes()) {
      standing.peer = i;
      return true;
    }
  }
  return false;
}

/// What stands against it, or nothing.
const char* role_lacking(const Standing& standing, Need need) {
  if (need == Need::reader) return nullptr;
  if (!standing.direct() && !is_present(standing.member)) return "no longer a member";
  if (need == Need::admin && standing.role() != v1::ADMIN && standing.role() != v1::OWNER) return "admins only";
  if (need == Need::owner && standing.role() != v1::OWNER) return "the owner only";
  return nullptr;
}

}  // namespace

std::optional<Standing> find_standing(const command::Command& command, std::string_view conversation_id, Need need,
                                      View& view, Draft& draft) {
  std::optional<ConversationId> id = take_id<ConversationId>(conversation_id, "conversation_id", draft);
  if (!id) return std::nullopt;
  std::optional<Standing> standing(std::in_place);
  standing->id = *id;
  standing->user = caller_of(command);

  const std::string* row = view.row(keys::conversation(*id));
  if (row) HF_CHECK(standing->conversation.ParseFromString(*row), "a stored row parses");
  bool known = row != nullptr;
  if (known && standing->direct()) known = is_peer(*standing);
  if (known && !standing->direct()) {
    const std::string* member = view.row(keys::member(*id, standing->user));
    if (member) HF_CHECK(standing->member.ParseFromString(*member), "a stored row parses");
    known = member != nullptr;
  }
  if (!known) {
    draft.refuse(v1::NOT_FOUND, "no such conversation");
    return std::nullopt;
  }
  if (standing->direct() && (need == Need::group || need == Need::admin || need == Need::owner)) {
    draft.refuse(v1::PRECONDITION_FAILED, "a direct conversation has no title, roles or members to change");
    return std::nullopt;
  }
  if (const char* lacking = role_lacking(*standing, need)) {
    draft.refuse(v1::PERMISSION_DENIED, lacking);
    return std::nullopt;
  }
  return standing;
}

}  // namespace holdfast::chat

#include "server/chat/roles.h"

#include <algorithm>

#include "server/chat/changes.h"
#include "server/chat/groups.h"
#include "server/chat/standing.h"
#include "storage/keys.h"

namespace holdfast::chat {

void drop_role(state::Conversation& conversation, const UserId& user) {
  if (conversation.owner() == user.bytes()) conversation.clear_owner();
  auto& admins = *conversation.mutable_admins();
  admins.erase(std::remove(admins.begin(), admins.end(), user.bytes()), admins.end());
}

namespace {

/// Writes a member's role in both places. The row is that of a present member.
void give_role(const ConversationId& id, const UserId& user, state::MemberRow row, v1::Role role,
               state::Conversation& conversation, Draft& draft) {
  drop_role(conversation, user);
  if (role == v1::OWNER) conversation.set_owner(user.str());
  if (role == v1::ADMIN) conversation.add_admins(user.str());
  row.set_role(role);
  draft.put(keys::member(id, user), row);
}

v1::Change make_role_change(const Context& context, const ConversationId& id, state::Conversation& conversation,
                            std::string_view author, const UserId& user, v1::Role role, Draft& draft) {
  v1::Change change = next_change(context, conversation, author);
  change.mutable_role_changed()->set_user_id(user.str());
  change.mutable_role_changed()->set_role(role);
  make_change(id, conversation, change, draft);
  log::RoleGiven& given = *draft.emit().mutable_role_given();
  given.set_conversation(id.str());
  given.set_user(user.str());
  given.set_by(std::string(author));
  given.set_role(v1::Role_Name(role));
  return change;
}

/// Who of the present members joined first. Rare: an owner without admins leaves.
std::optional<UserId> oldest_member(const ConversationId& id, const UserId& leaver, View& view) {
  const std::string prefix = keys::prefix(keys::Family::member, id.bytes());
  const std::vector<Row>* rows =
      view.exact_range({.from = prefix, .until = keys::after_prefix(prefix), .limit = SIZE_MAX, .bytes_max = SIZE_MAX});
  std::optional<UserId> oldest;
  std::uint64_t oldest_joined = 0;
  if (!rows) return oldest;
  for (const Row& row : *rows) {
    state::MemberRow member;
    HF_CHECK(member.ParseFromString(row.value), "a stored row parses");
    const auto user = UserId::from_bytes(std::string_view(row.key).substr(prefix.size()));
    if (!is_present(member) || !user || *user == leaver) continue;
    const std::uint64_t joined = member.intervals(member.intervals_size() - 1).joined();
    if (oldest && oldest_joined <= joined) continue;
    oldest = user;
    oldest_joined = joined;
  }
  return oldest;
}

}  // namespace

void pass_on(const Context& context, const ConversationId& id, state::Conversation& conversation, const UserId& leaver,
             std::string_view author, View& view, Draft& draft) {
  if (conversation.members() == 0) return;
  std::optional<UserId> heir =
      conversation.admins().empty() ? oldest_member(id, leaver, view) : UserId::from_bytes(conversation.admins(0));
  if (!heir) return;  // still loading: the count says that somebody is there
  auto row = view.get<state::MemberRow>(keys::member(id, *heir));
  if (!row) return;
  give_role(id, *heir, *row, v1::OWNER, conversation, draft);
  make_role_change(context, id, conversation, author, *heir, v1::OWNER, draft);
}

void set_role(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::SetRole& request = command.request().set_role();
  const auto user = take_id<UserId>(request.user_id(), "user_id", draft);
  if (!user) return;
  if (request.role() != v1::MEMBER && request.role() != v1::ADMIN && request.role() != v1::OWNER) {
    return draft.refuse(v1::INVALID_ARGUMENT, "role is MEMBER, ADMIN or OWNER");
  }
  std::optional<Standing> standing = find_standing(command, request.conversation_id(), Need::owner, view, draft);
  if (!standing) return;
  state::Conversation& conversation = standing->conversation;
  if (*user == standing->user) {
    if (request.role() == v1::OWNER) return answer_unchanged(conversation, draft);
    return draft.refuse(v1::PRECONDITION_FAILED, "the group needs an owner: make somebody else its owner");
  }
  auto row = view.get<state::MemberRow>(keys::member(standing->id, *user));
  if (!row || !is_present(*row)) return draft.refuse(v1::NOT_FOUND, "user_id is not a member");
  if (row->role() == request.role()) return answer_unchanged(conversation, draft);

  give_role(standing->id, *user, *row, request.role(), conversation, draft);
  if (request.role() == v1::OWNER) {
    give_role(standing->id, standing->user, standing->member, v1::ADMIN, conversation, draft);
  }
  if (static_cast<std::size_t>(conversation.admins_size()) > context.limits.group_admins_max) {
    return draft.refuse(v1::TOO_LARGE,
                        "a group has at most " + std::to_string(context.limits.group_admins_max) + " admins");
  }
  answer_change(make_role_change(context, standing->id, conversation, command.user(), *user, request.role(), draft),
                draft);
  put_conversation(standing->id, conversation, draft);
}

}  // namespace holdfast::chat

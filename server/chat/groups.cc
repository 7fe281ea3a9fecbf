#include "server/chat/groups.h"

#include <algorithm>
#include <set>

#include "server/chat/changes.h"
#include "server/chat/roles.h"
#include "server/chat/standing.h"
#include "storage/keys.h"

namespace holdfast::chat {

namespace {

constexpr int kIntervalsMax = 64;

/// Writes the switch to heads or back to rows, where the number of members calls for it.
void settle_delivery(const Context& context, const ConversationId& id, std::string_view author,
                     state::Conversation& conversation, Draft& draft) {
  const std::size_t bound =
      conversation.large() ? context.limits.large_group_back_at : context.limits.large_group_above;
  const bool large = conversation.members() > bound;
  if (large == conversation.large()) return;
  conversation.set_large(large);
  v1::Change change = next_change(context, conversation, author);
  change.mutable_delivery_changed()->set_large(large);
  make_change(id, conversation, change, draft);
}

/// Writes that `user` leaves, by `author` (empty: the account is deleted), and what follows from it.
v1::Change depart(const Context& context, const ConversationId& id, state::Conversation& conversation,
                  const UserId& user, state::MemberRow row, std::string_view author, View& view, Draft& draft) {
  const v1::Role role = row.role();
  v1::Change change = next_change(context, conversation, author);
  change.mutable_member_left()->set_user_id(user.str());
  row.mutable_intervals(row.intervals_size() - 1)->set_left(change.number() + 1);
  row.set_role(v1::ROLE_UNSPECIFIED);
  row.set_deleted(author.empty());
  draft.put(keys::member(id, user), row);
  draft.remove(keys::seen(id, user));
  conversation.set_members(conversation.members() - 1);
  drop_role(conversation, user);
  make_change(id, conversation, change, draft).add_also(user.str());
  if (role == v1::OWNER) pass_on(context, id, conversation, user, author, view, draft);
  settle_delivery(context, id, author, conversation, draft);
  put_conversation(id, conversation, draft);
  return change;
}

void depart_caller(const Context& context, Standing& standing, View& view, Draft& draft) {
  const v1::Change change = depart(context, standing.id, standing.conversation, standing.user, standing.member,
                                   standing.user.bytes(), view, draft);
  answer_change(change, draft);
}

}  // namespace

std::optional<std::vector<UserId>> take_members(const Limits& limits,
                                                const google::protobuf::RepeatedPtrField<std::string>& members,
                                                Draft& draft) {
  if (static_cast<std::size_t>(members.size()) > limits.members_of_a_request_max) {
    draft.refuse(v1::TOO_LARGE, "members has at most " + std::to_string(limits.members_of_a_request_max) + " ids");
    return std::nullopt;
  }
  std::vector<UserId> users;
  std::set<UserId> seen;
  for (const std::string& bytes : members) {
    const auto user = take_id<UserId>(bytes, "members: an id", draft);
    if (!user) return std::nullopt;
    if (seen.insert(*user).second) users.push_back(*user);
  }
  return users;
}

void join(const ConversationId& id, const UserId& user, v1::Role role, state::MemberRow row, std::uint64_t number,
          state::Conversation& conversation, Draft& draft) {
  // Beyond the bound the oldest interval goes, and with it the right to what was said then.
  if (row.intervals_size() == kIntervalsMax) row.mutable_intervals()->DeleteSubrange(0, 1);
  row.add_intervals()->set_joined(number);
  row.set_role(role);
  draft.put(keys::member(id, user), row);
  conversation.set_members(conversation.members() + 1);
}

void add_members(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::AddMembers& request = command.request().add_members();
  const auto users = take_members(context.limits, request.members(), draft);
  if (!users) return;
  if (users->empty()) return draft.refuse(v1::INVALID_ARGUMENT, "members is empty");
  std::optional<Standing> standing = find_standing(command, request.conversation_id(), Need::admin, view, draft);
  if (!standing) return;

  state::Conversation& conversation = standing->conversation;
  const std::uint64_t number = conversation.last_number() + 1;
  v1::MembersAdded added;
  for (const UserId& user : *users) {
    auto row = view.get<state::MemberRow>(keys::member(standing->id, user));
    if (row && (is_present(*row) || row->deleted())) continue;
    join(standing->id, user, v1::MEMBER, row.value_or(state::MemberRow()), number, conversation, draft);
    added.add_members(user.str());
  }
  if (added.members().empty()) return answer_unchanged(conversation, draft);
  if (conversation.members() > context.limits.group_members_max) {
    return draft.refuse(v1::TOO_LARGE,
                        "a group has at most " + std::to_string(context.limits.group_members_max) + " members");
  }
  v1::Change change = next_change(context, conversation, command.user());
  *change.mutable_members_added() = added;
  *make_change(standing->id, conversation, change, draft).mutable_also() = std::move(*added.mutable_members());
  settle_delivery(context, standing->id, command.user(), conversation, draft);
  put_conversation(standing->id, conversation, draft);
  answer_change(change, draft);
}

void leave(const Context& context, const command::Command& command, View& view, Draft& draft) {
  auto standing = find_standing(command, command.request().leave().conversation_id(), Need::group, view, draft);
  if (standing) depart_caller(context, *standing, view, draft);
}

void remove_member(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::RemoveMember& request = command.request().remove_member();
  const auto user = take_id<UserId>(request.user_id(), "user_id", draft);
  if (!user) return;
  const bool oneself = *user == caller_of(command);
  std::optional<Standing> standing =
      find_standing(command, request.conversation_id(), oneself ? Need::group : Need::admin, view, draft);
  if (!standing) return;
  if (oneself) return depart_caller(context, *standing, view, draft);

  auto row = view.get<state::MemberRow>(keys::member(standing->id, *user));
  if (!row || !is_present(*row)) return draft.refuse(v1::NOT_FOUND, "user_id is not a member");
  if (row->role() != v1::MEMBER && standing->role() != v1::OWNER) {
    return draft.refuse(v1::PERMISSION_DENIED, "an admin is removed by the owner only");
  }
  answer_change(depart(context, standing->id, standing->conversation, *user, *row, command.user(), view, draft), draft);
}

namespace {

/// Names that the user's changes are to be rewritten, from the first to which they had the right.
void emit_erasure(const ConversationId& id, const UserId& user, std::uint64_t from, Draft& draft) {
  log::AuthorToErase& erase = *draft.emit().mutable_author_to_erase();
  erase.set_conversation(id.str());
  erase.set_user(user.str());
  erase.set_from(from);
}

}  // namespace

void remove_deleted_member(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const auto id = take_id<ConversationId>(command.remove_deleted_member().conversation(), "conversation", draft);
  const auto user = take_id<UserId>(command.remove_deleted_member().user(), "user", draft);
  if (!id || !user || !take_source(command, view, draft)) return;
  auto conversation = view.get<state::Conversation>(keys::conversation(*id));
  if (!conversation) return;
  if (conversation->kind() == v1::DIRECT) {
    for (auto& peer : *conversation->mutable_peers()) peer.set_deleted(peer.deleted() || peer.user() == user->bytes());
    draft.remove(keys::seen(*id, *user));
    put_conversation(*id, *conversation, draft);
    return emit_erasure(*id, *user, 1, draft);
  }
  auto row = view.get<state::MemberRow>(keys::member(*id, *user));
  if (!row || row->intervals().empty()) return;
  const std::uint64_t from = row->intervals(0).joined();
  if (is_present(*row)) {
    depart(context, *id, *conversation, *user, *row, {}, view, draft);
  } else {
    row->set_deleted(true);
    draft.put(keys::member(*id, *user), *row);
  }
  emit_erasure(*id, *user, from, draft);
}

namespace {

constexpr std::uint64_t kErasedAtOnce = 200;

/// Takes the user out of one change; whether anything was to be taken.
bool erase_from(v1::Change& change, const std::string& user) {
  bool changed = false;
  if (change.author() == user) {
    change.clear_author();
    changed = true;
  }
  if (!change.has_posted() || change.posted().reactions().empty()) return changed;
  for (auto& reaction : *change.mutable_posted()->mutable_reactions()) {
    if (reaction.user_id() != user) continue;
    reaction.clear_user_id();
    changed = true;
  }
  return changed;
}

}  // namespace

void erase_author(const Context&, const command::Command& command, View& view, Draft& draft) {
  const command::EraseAuthor& what = command.erase_author();
  const auto id = take_id<ConversationId>(what.conversation(), "conversation", draft);
  const auto user = take_id<UserId>(what.user(), "user", draft);
  if (!id || !user || !take_source(command, view, draft)) return;
  auto conversation = view.get<state::Conversation>(keys::conversation(*id));
  if (!conversation) return;
  const std::uint64_t from = std::max<std::uint64_t>(what.from(), 1);
  const std::uint64_t until = std::min(from + kErasedAtOnce, conversation->last_number() + 1);
  for (std::uint64_t number = from; number < until; ++number) {
    auto change = find_change(*id, number, view);
    if (change && erase_from(*change, what.user())) draft.put(keys::change(*id, number), *change);
  }
  if (until <= conversation->last_number()) emit_erasure(*id, *user, until, draft);
}

}  // namespace holdfast::chat

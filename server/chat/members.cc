#include "server/chat/members.h"

#include <algorithm>

#include "server/chat/standing.h"
#include "storage/keys.h"

namespace holdfast::chat {

namespace {

struct Present {
  std::string user;
  v1::Role role;
  std::uint64_t joined;
};

std::vector<Present> peers_after(const Standing& standing, std::string_view after) {
  std::vector<Present> present;
  for (const auto& peer : standing.conversation.peers()) {
    if (!peer.deleted() && (after.empty() || peer.user() >= after)) present.push_back({peer.user(), v1::MEMBER, 1});
  }
  return present;
}

/// Up to `count` present members from the user id `after` on, in its order. Rows of those who left stand between them.
std::vector<Present> members_after(const Standing& standing, std::string_view after, std::size_t count, View& view) {
  if (standing.direct()) return peers_after(standing, after);
  std::vector<Present> present;
  const std::string prefix = keys::prefix(keys::Family::member, standing.id.bytes());
  Range range{
      .from = prefix + std::string(after), .until = keys::after_prefix(prefix), .limit = count, .bytes_max = SIZE_MAX};
  while (const std::vector<Row>* rows = view.range(range)) {
    for (const Row& row : *rows) {
      state::MemberRow member;
      HF_CHECK(member.ParseFromString(row.value), "a stored row parses");
      if (!is_present(member)) continue;
      present.push_back(
          {row.key.substr(prefix.size()), member.role(), member.intervals(member.intervals_size() - 1).joined()});
      if (present.size() == count) return present;
    }
    if (rows->size() < count) break;
    range.from = rows->back().key + '\0';
  }
  return present;
}

}  // namespace

void list_members(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::ListMembers& request = command.request().list_members();
  if (!check_page(request.limit(), context.limits.members_page_max, draft)) return;
  const auto after = take_page_start(request.after_user_id(), draft);
  if (!after) return;
  std::optional<Standing> standing = find_standing(command, request.conversation_id(), Need::member, view, draft);
  if (!standing) return;
  std::vector<Present> present = members_after(*standing, *after, request.limit() + std::size_t{1}, view);
  v1::MembersReply& reply = *draft.frame().mutable_members();
  reply.set_more(present.size() > request.limit());
  reply.set_total(standing->direct() ? static_cast<std::uint32_t>(peers_after(*standing, {}).size())
                                     : standing->conversation.members());
  present.resize(std::min<std::size_t>(present.size(), request.limit()));
  for (Present& one : present) {
    v1::Member& member = *reply.add_members();
    member.set_user_id(std::move(one.user));
    member.set_role(one.role);
    member.set_joined_number(one.joined);
  }
}

void watch_presence(const Context& context, const command::Command& command, View& view, Draft& draft) {
  auto standing =
      find_standing(command, command.request().watch_presence().conversation_id(), Need::member, view, draft);
  if (!standing) return;
  const std::size_t max = context.limits.presence_members_max;
  if (standing->conversation.members() > max) {
    return draft.refuse(v1::TOO_LARGE,
                        "presence is shown in conversations of up to " + std::to_string(max) + " members");
  }
  command::WatchList& list = *draft.answer().mutable_watch_list();
  for (Present& one : members_after(*standing, {}, max + 1, view)) {
    if (one.user != command.user()) list.add_users(std::move(one.user));
  }
}

void set_typing(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const v1::SetTyping& request = command.request().set_typing();
  std::optional<Standing> standing = find_standing(command, request.conversation_id(), Need::member, view, draft);
  if (!standing || standing->conversation.members() > context.limits.positions_audience_max) return;
  TellMembers tell{standing->id, standing->user, {}};
  v1::TypingPush& typing = *tell.frame.mutable_typing();
  typing.set_conversation_id(request.conversation_id());
  typing.set_user_id(command.user());
  typing.set_typing(request.typing());
  draft.effect(std::move(tell));
}

}  // namespace holdfast::chat

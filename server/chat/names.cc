#include "server/chat/names.h"

#include "base/hash.h"
#include "proto/state.pb.h"
#include "storage/keys.h"

namespace holdfast::chat {
namespace {

std::optional<UserId> asked_for(const command::FindUser& find, View& view) {
  return find.has_user() ? UserId::from_bytes(find.user()) : user_named(find.username(), view);
}

}  // namespace

std::optional<UserId> user_named(std::string_view username, View& view) {
  const auto name = view.get<state::Name>(keys::name(username));
  return name && !name->deleted() ? UserId::from_bytes(name->user()) : std::nullopt;
}

void find_user(const Context&, const command::Command& command, View& view, Draft& draft) {
  const auto user = asked_for(command.find_user(), view);
  const auto account = user ? view.get<state::Account>(keys::account(*user)) : std::nullopt;
  if (!account) return draft.refuse(v1::NOT_FOUND, "no such user");
  v1::UserReply& reply = *draft.frame().mutable_user();
  reply.set_user_id(user->str());
  reply.set_username(account->username());
}

void check_users(const Context&, const command::Command& command, View& view, Draft& draft) {
  for (const std::string& bytes : command.check_users().users()) {
    const auto user = UserId::from_bytes(bytes);
    if (!user || !view.row(keys::account(*user))) return draft.refuse(v1::NOT_FOUND, "no such user: " + to_hex(bytes));
  }
}

}  // namespace holdfast::chat

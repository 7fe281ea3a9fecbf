#include "server/chat/blocks.h"

#include <algorithm>

#include "proto/state.pb.h"
#include "server/chat/conversation_id.h"
#include "server/chat/standing.h"
#include "storage/keys.h"

namespace holdfast::chat {

namespace {

/// Blocks lifted and set again beyond this many times: the two oldest intervals become one, and hide what is between.
constexpr int kHiddenMax = 64;

void open_interval(state::ListEntry& entry) {
  auto& hidden = *entry.mutable_hidden();
  const std::uint64_t from = entry.last_number() + 1;
  if (!hidden.empty() && hidden.rbegin()->to() == from) {  // lifted and set with nothing in between
    hidden.rbegin()->clear_to();
    hidden.rbegin()->clear_to_posts();
    return;
  }
  if (hidden.size() == kHiddenMax) {
    hidden.Mutable(1)->set_from(hidden.Get(0).from());
    hidden.Mutable(1)->set_from_posts(hidden.Get(0).from_posts());
    hidden.DeleteSubrange(0, 1);
  }
  state::HiddenInterval& interval = *hidden.Add();
  interval.set_from(from);
  interval.set_from_posts(entry.last_posts());
}

void close_interval(state::ListEntry& entry) {
  auto& hidden = *entry.mutable_hidden();
  if (hidden.empty() || hidden.rbegin()->to() != 0) return;
  state::HiddenInterval& interval = *hidden.rbegin();
  if (interval.from() == entry.last_number() + 1) return hidden.RemoveLast();  // nothing came
  interval.set_to(entry.last_number() + 1);
  interval.set_to_posts(entry.last_posts());
}

struct Wish {
  std::string user;
  bool blocked;
};
Wish wish_of(const command::Command& command) {
  if (command.has_set_block()) return {command.set_block().user(), command.set_block().blocked()};
  return {command.request().block_user().user_id(), command.request().block_user().blocked()};
}

}  // namespace

void set_block(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const UserId caller = caller_of(command);
  const Wish wish = wish_of(command);
  const auto other = take_id<UserId>(wish.user, "user_id", draft);
  if (!other) return;
  if (*other == caller) return draft.refuse(v1::INVALID_ARGUMENT, "user_id is the caller's own");
  const std::string list_key = keys::list(caller, direct_conversation(caller, *other));
  auto entry = view.get<state::ListEntry>(list_key);
  state::Blocks blocks = view.get<state::Blocks>(keys::blocks(caller)).value_or(state::Blocks());
  auto& users = *blocks.mutable_users();
  const auto there = std::find(users.begin(), users.end(), wish.user);
  if ((there != users.end()) == wish.blocked) return;

  if (!wish.blocked) {
    users.erase(there);
  } else if (static_cast<std::size_t>(users.size()) == context.limits.blocks_max) {
    return draft.refuse(v1::TOO_LARGE, "at most " + std::to_string(context.limits.blocks_max) + " users are blocked");
  } else {
    users.Add(std::string(wish.user));
  }
  draft.put(keys::blocks(caller), blocks);
  if (!entry) entry.emplace();
  if (wish.blocked) {
    open_interval(*entry);
  } else {
    close_interval(*entry);
  }
  draft.put(list_key, *entry);
}

void list_blocks(const Context&, const command::Command& command, View& view, Draft& draft) {
  v1::BlocksReply& reply = *draft.frame().mutable_blocks();
  if (auto blocks = view.get<state::Blocks>(keys::blocks(caller_of(command)))) {
    *reply.mutable_user_ids() = std::move(*blocks->mutable_users());
  }
}

}  // namespace holdfast::chat

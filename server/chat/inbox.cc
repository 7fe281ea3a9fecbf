#include "server/chat/inbox.h"

#include <algorithm>

#include "server/chat/changes.h"
#include "server/chat/inbox_item.h"
#include "server/chat/lists.h"
#include "server/chat/standing.h"
#include "storage/keys.h"

namespace holdfast::chat {

namespace {

/// One change on its way to several users: what is the same for all of them.
class Delivery {
 public:
  Delivery(const command::Deliver& what, const ConversationId& conversation, std::uint64_t first_position, View& view,
           Draft& draft)
      : what_(what), conversation_(conversation), first_position_(first_position), view_(view), draft_(draft) {
    switch (what.content_case()) {
      case command::Deliver::kChange: item_ = item_of_change(what.conversation(), what.change()); break;
      case command::Deliver::kHead: item_ = item_of_head(what.conversation(), what.number()); break;
      default: item_ = item_of_reference(what.conversation(), what.number(), what.time_ms(), what.is_post());
    }
  }

  void to(const UserId& user) {
    // Both rows are named before either is looked at, so that they are loaded together.
    const std::string mailbox_key = keys::mailbox(user);
    const std::string list_key = keys::list(user, conversation_);
    const std::string* mailbox_row = view_.row(mailbox_key);
    const std::string* list_row = view_.row(list_key);
    if (!mailbox_row) return skip(user);
    HF_CHECK(mailbox_.ParseFromString(*mailbox_row), "a stored row parses");
    entry_.Clear();
    if (list_row) HF_CHECK(entry_.ParseFromString(*list_row), "a stored row parses");

    const bool hidden = hides(user);
    update_entry(user, hidden);
    const std::uint64_t position = std::max(mailbox_.head() + 1, first_position_);
    mailbox_.set_skipped(mailbox_.skipped() + (position - mailbox_.head() - 1));
    mailbox_.set_head(position);
    if (mailbox_.watch() != state::Mailbox::OFF && !hidden) watch(user, position);
    put_item(user, position, hidden ? stub() : item_);
    draft_.put(mailbox_key, mailbox_);
    draft_.put(list_key, entry_);
  }

 private:
  /// The account is deleted. Who was added while it was being deleted has no line in a list that would have led them
  /// out of the conversation, so that happens here.
  void skip(const UserId& user) {
    for (const auto& added : what_.update().added()) {
      if (added.user() != user.bytes()) continue;
      log::MemberDeleted& deleted = *draft_.emit().mutable_member_deleted();
      deleted.set_user(user.str());
      deleted.set_conversation(conversation_.str());
    }
  }

  /// Whether the user's block covers it: all that the other says from the block on, and edits of what was said under it.
  bool hides(const UserId& user) {
    if (entry_.hidden().empty() || what_.author() == user.bytes()) return false;
    if (what_.has_update() && !what_.update().added().empty()) return false;  // that the conversation began
    return is_hidden(entry_, what_.number()) || is_hidden(entry_, target());
  }

  /// The post of its author's that an edit or deletion is about; 0: none, or it is not told.
  std::uint64_t target() {
    if (!target_) {
      target_ = 0;
      v1::Change change;
      if (what_.has_change() && !what_.is_post() && change.ParseFromString(what_.change())) {
        if (change.has_edited()) target_ = change.edited().target();
        if (change.has_deleted()) target_ = change.deleted().target();
      }
    }
    return *target_;
  }

  const std::string& stub() {
    if (stub_.empty()) {
      v1::Change change;
      change.set_number(what_.number());
      change.set_time_ms(what_.time_ms());
      change.set_author(what_.author());
      change.set_posts(what_.posts());
      change.mutable_hidden();
      stub_ = item_of_change(what_.conversation(), change.SerializeAsString());
    }
    return stub_;
  }

  void update_entry(const UserId& user, bool hidden) {
    entry_.set_kind(what_.kind());
    if (what_.has_update()) learn(user, what_.update());
    if (what_.kind() == v1::DIRECT && entry_.peer().empty() && what_.author() != user.bytes()) {
      entry_.set_peer(what_.author());
    }
    entry_.set_last_number(std::max(entry_.last_number(), what_.number()));
    entry_.set_last_posts(std::max(entry_.last_posts(), what_.posts()));
    if (!hidden) entry_.set_last_time_ms(std::max(entry_.last_time_ms(), what_.time_ms()));
    if (what_.is_post() && what_.author() == user.bytes()) set_read();
  }

  void learn(const UserId& user, const command::ListUpdate& update) {
    if (!update.title().empty()) entry_.set_title(update.title());
    for (const auto& added : update.added()) {
      if (added.user() != user.bytes()) continue;
      entry_.set_role(added.role());
      entry_.set_peer(added.peer());
      entry_.set_left(false);
      set_read();  // what was said before is not unread to who joins
    }
    if (update.left() == user.bytes()) entry_.set_left(true);
    if (update.role_of() == user.bytes()) entry_.set_role(update.role());
    if (update.demoted() == user.bytes()) entry_.set_role(v1::ADMIN);
  }

  void set_read() {
    entry_.set_read_number(std::max(entry_.read_number(), what_.number()));
    entry_.set_read_posts(std::max(entry_.read_posts(), what_.posts()));
  }

  /// Somebody else's post, which may have to be mailed if no device acknowledges it: said once, until it is dealt with.
  void watch(const UserId& user, std::uint64_t position) {
    if (!what_.is_post() || what_.author() == user.bytes() || entry_.muted()) return;
    if (what_.has_head() &&
        entry_.head_since_position() <= std::max(acknowledged_by_any(mailbox_), entry_.mailed_position())) {
      entry_.set_head_since_position(position);
      entry_.set_head_since_number(what_.number());
      entry_.set_head_since_ms(what_.time_ms());
    }
    if (mailbox_.watch() != state::Mailbox::IDLE) return;
    mailbox_.set_watch(state::Mailbox::ARMED);
    log::MissedPossible& missed = *draft_.emit().mutable_missed_possible();
    missed.set_user(user.str());
    missed.set_time_ms(what_.time_ms());
  }

  void put_item(const UserId& user, std::uint64_t position, const std::string& item) {
    if (what_.has_head()) {
      draft_.put(keys::head(user, conversation_), with_position(position, item));
    } else {
      draft_.put(keys::inbox(user, position), item);
    }
    draft_.effect(InboxAdded{user, position, item});
  }

  const command::Deliver& what_;
  const ConversationId conversation_;
  const std::uint64_t first_position_;
  View& view_;
  Draft& draft_;
  std::string item_;
  std::string stub_;                     ///< made when first needed
  std::optional<std::uint64_t> target_;  ///< looked up when first needed
  // Kept from user to user for their memory.
  state::Mailbox mailbox_;
  state::ListEntry entry_;
};

}  // namespace

std::uint64_t acknowledged_by_any(const state::Mailbox& mailbox) {
  std::uint64_t position = mailbox.acknowledged();
  for (const auto& cursor : mailbox.cursors()) position = std::max(position, cursor.position());
  return position;
}

void deliver(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const command::Deliver& what = command.deliver();
  const auto conversation = take_id<ConversationId>(what.conversation(), "conversation", draft);
  if (!conversation || !take_source(command, view, draft)) return;
  Delivery delivery(what, *conversation, context.first_position, view, draft);
  draft.writes.reserve(static_cast<std::size_t>(what.users_size()) * 3 + 1);
  draft.effects.reserve(static_cast<std::size_t>(what.users_size()));
  for (const std::string& bytes : what.users()) {
    const auto user = take_id<UserId>(bytes, "users", draft);
    if (!user) return;
    delivery.to(*user);
  }
}

namespace {

/// The newest position that every session has.
std::uint64_t acknowledged_by_all(const state::Mailbox& mailbox) {
  std::uint64_t position = mailbox.head();
  for (const auto& cursor : mailbox.cursors()) position = std::min(position, cursor.position());
  return position;
}

void trim(const Limits& limits, const UserId& user, state::Mailbox& mailbox, Draft& draft) {
  const std::uint64_t first = std::max<std::uint64_t>(mailbox.first(), 1);
  const std::uint64_t keep_from = acknowledged_by_all(mailbox) + 1;
  if (keep_from < first + limits.inbox_trim_rows) return;
  draft.remove_range(keys::inbox(user, first), keys::inbox(user, keep_from));
  mailbox.set_first(keep_from);
}

}  // namespace

void ack_inbox(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const UserId user = caller_of(command);
  const std::uint64_t position = command.request().ack_inbox().position();
  const std::string key = keys::mailbox(user);
  auto mailbox = view.get<state::Mailbox>(key);
  if (!mailbox) return draft.refuse(v1::SESSION_ENDED, "the account was deleted");
  if (position > mailbox->head()) {
    return draft.refuse(v1::INVALID_ARGUMENT,
                        "position is beyond the inbox's newest, " + std::to_string(mailbox->head()));
  }
  for (auto& cursor : *mailbox->mutable_cursors()) {
    if (cursor.session() != command.session()) continue;
    if (position <= cursor.position()) return;
    cursor.set_position(position);
    trim(context.limits, user, *mailbox, draft);
    draft.put(key, *mailbox);
    return;
  }
  draft.refuse(v1::SESSION_ENDED, "the session has ended");
}

}  // namespace holdfast::chat

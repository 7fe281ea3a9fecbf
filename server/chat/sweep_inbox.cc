#include "server/chat/sweep_inbox.h"

#include "storage/keys.h"

namespace holdfast::chat {

void InboxSweep::look_at(const Row& row) {
  const auto key = keys::decode(row.key);
  HF_CHECK(key && key->family == keys::Family::inbox, "a range of inboxes has keys of inboxes");
  const UserId user = *UserId::from_bytes(key->first);
  if (!user_ || *user_ != user) begin(user);
  if (!mailbox_) return draft_.remove(row.key);  // the account is gone: a delivery came behind its deletion
  if (is_over(key->number, row.value)) over_ = key->number;
}

void InboxSweep::begin(const UserId& user) {
  finish();
  user_ = user;
  mailbox_ = view_.get<state::Mailbox>(keys::mailbox(user));
  over_ = 0;
}

bool InboxSweep::is_over(std::uint64_t position, const std::string& item) const {
  // What a restore left out of the positions is no row.
  const std::uint64_t skipped = position < context_.first_position ? mailbox_->skipped() : 0;
  if (position + skipped + context_.limits.inbox_rows_max <= mailbox_->head()) return true;
  v1::InboxItem parsed;
  HF_CHECK(parsed.ParseFromString(item), "a stored row parses");
  return parsed.has_change() && from_ms(parsed.change().time_ms()) + context_.limits.inbox_age_max <= context_.now;
}

void InboxSweep::finish() {
  if (!mailbox_ || over_ == 0) return;
  draft_.remove_range(keys::inbox(*user_, 0), keys::inbox(*user_, over_ + 1));
  if (over_ < mailbox_->first()) return;  // rows from below it: a leftover
  mailbox_->set_first(over_ + 1);
  draft_.put(keys::mailbox(*user_), *mailbox_);
}

}  // namespace holdfast::chat

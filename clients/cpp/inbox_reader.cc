#include "clients/cpp/inbox_reader.h"

#include <algorithm>
#include <utility>

namespace holdfast::client {

namespace {
constexpr std::uint64_t kFetchLimit = 100;
}

InboxReader::InboxReader(const MachineOptions& options, HandOver hand_over)
    : waiting_max_(options.inbox_waiting_max),
      ack_every_(options.ack_every),
      ack_after_(options.ack_after),
      auto_ack_(options.auto_ack),
      hand_over_(std::move(hand_over)) {}

void InboxReader::start_at(std::uint64_t cursor) {
  disconnected();
  received_ = delivered_ = stored_ = acked_ = cursor;
  unacked_items_ = 0;
  unacked_since_.reset();
}

void InboxReader::resumed(std::uint64_t cursor, std::uint64_t head) {
  // Beyond the head: the server lost what we had seen (an operator restored an older copy). Positions are given out
  // anew from its head, so holding on to ours would drop what comes.
  const std::uint64_t from = head < delivered_ ? cursor : std::max(cursor, delivered_);
  if (from != delivered_) {
    start_at(from);
    return;
  }
  disconnected();
  acked_ = std::min(acked_, stored_);
}

void InboxReader::disconnected() {
  waiting_.clear();
  fetching_ = false;
  overflowed_ = false;
  received_ = delivered_;
  ++starts_;
}

void InboxReader::take(const v1::InboxPush& push, SteadyTime now) {
  const std::uint64_t start = starts_;
  for (const auto& item : push.items()) {
    if (starts_ != start || overflowed_) return;
    if (item.position() <= received_) continue;
    if (waiting_.size() >= waiting_max_) {
      overflowed_ = true;
      return;
    }
    received_ = item.position();
    if (waiting_.empty() && item.content_case() != v1::InboxItem::kReference)
      hand_over(item, now);
    else
      waiting_.push_back(item);
  }
}

void InboxReader::hand_over(const v1::InboxItem& item, SteadyTime now) {
  // Counted first: whatever the application asks from within, this item is delivered.
  delivered_ = item.position();
  if (auto_ack_) note_stored(delivered_, now);
  hand_over_(item);
}

void InboxReader::drain(SteadyTime now) {
  const std::uint64_t start = starts_;
  while (!waiting_.empty() && waiting_.front().content_case() != v1::InboxItem::kReference) {
    const v1::InboxItem item = std::move(waiting_.front());
    waiting_.pop_front();
    hand_over(item, now);
    if (starts_ != start) return;
  }
}

std::optional<v1::GetHistory> InboxReader::take_fetch() {
  if (fetching_ || waiting_.empty()) return std::nullopt;
  const auto& first = waiting_.front();
  std::uint64_t last = first.reference();
  for (const auto& item : waiting_)
    if (item.content_case() == v1::InboxItem::kReference && item.conversation_id() == first.conversation_id() &&
        item.reference() < first.reference() + kFetchLimit)
      last = std::max(last, item.reference());
  fetching_ = true;
  v1::GetHistory page;
  page.set_conversation_id(first.conversation_id());
  page.set_from(first.reference());
  page.set_limit(static_cast<std::uint32_t>(last - first.reference() + 1));
  return page;
}

void InboxReader::hide_front() {
  v1::InboxItem& first = waiting_.front();
  const std::uint64_t number = first.reference();
  first.mutable_change()->set_number(number);
  first.mutable_change()->mutable_hidden();
}

void InboxReader::fetched(const v1::HistoryReply& reply, SteadyTime now) {
  if (!fetching_ || waiting_.empty()) return;
  fetching_ = false;
  const std::string conversation = waiting_.front().conversation_id();
  for (auto& item : waiting_) {
    if (item.content_case() != v1::InboxItem::kReference || item.conversation_id() != conversation) continue;
    const auto change = std::lower_bound(reply.changes().begin(), reply.changes().end(), item.reference(),
                                         [](const v1::Change& c, std::uint64_t number) { return c.number() < number; });
    if (change != reply.changes().end() && change->number() == item.reference()) *item.mutable_change() = *change;
  }
  if (waiting_.front().content_case() == v1::InboxItem::kReference) hide_front();
  drain(now);
}

void InboxReader::fetch_failed(bool for_good, SteadyTime now) {
  if (!fetching_ || waiting_.empty()) return;
  fetching_ = false;
  if (for_good) hide_front();
  drain(now);
}

void InboxReader::note_stored(std::uint64_t position, SteadyTime now) {
  stored_ = position;
  ++unacked_items_;
  if (!unacked_since_) unacked_since_ = now;
}

void InboxReader::stored(std::uint64_t position, SteadyTime now) {
  if (position > stored_ && position <= delivered_) note_stored(position, now);
}

bool InboxReader::ack_due(SteadyTime now) const {
  return unacked_since_ && (unacked_items_ >= ack_every_ || now >= *unacked_since_ + ack_after_);
}

SteadyTime InboxReader::ack_deadline() const {
  return unacked_since_ ? *unacked_since_ + ack_after_ : SteadyTime::max();
}

std::optional<std::uint64_t> InboxReader::take_ack() {
  unacked_items_ = 0;
  unacked_since_.reset();
  if (stored_ <= acked_) return std::nullopt;
  acked_ = stored_;
  return acked_;
}

}  // namespace holdfast::client

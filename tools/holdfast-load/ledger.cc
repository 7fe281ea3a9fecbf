#include "tools/holdfast-load/ledger.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"

namespace holdfast::load {

std::uint64_t Ledger::sent(SteadyTime planned) {
  kept_.push_back({planned});
  return sent_count() - 1;
}

Ledger::Message* Ledger::find(std::uint64_t sequence) {
  if (sequence < first_kept_ || sequence >= sent_count()) return nullptr;
  return &kept_[static_cast<std::size_t>(sequence - first_kept_)];
}

void Ledger::check_number(Message& message, std::uint64_t number) {
  if (message.number == 0) message.number = static_cast<std::uint32_t>(number);
  if (message.number != static_cast<std::uint32_t>(number)) ++findings_.out_of_order;
}

void Ledger::put_off(std::uint64_t sequence) {
  Message* message = find(sequence);
  if (message != nullptr) message->put_off = true;
}

/// Whether it was put off is known for certain when it is acknowledged, and not before.
void Ledger::overtake(Message& message) {
  const bool known = std::exchange(message.overtaken, true);
  if (!known && message.acknowledged && !message.put_off) ++findings_.out_of_order;
}

std::optional<SteadyTime> Ledger::acknowledged(std::uint64_t sequence, std::uint64_t number) {
  Message* message = find(sequence);
  if (message == nullptr || message->acknowledged) return std::nullopt;
  const SteadyTime planned = message->planned;
  message->acknowledged = true;
  ++acknowledged_;
  if (message->overtaken && !message->put_off) ++findings_.out_of_order;
  check_number(*message, number);
  forget_settled();
  return planned;
}

std::optional<SteadyTime> Ledger::shown(std::size_t viewer, std::uint64_t number,
                                        std::optional<std::uint64_t> sequence) {
  HF_CHECK(viewer < viewers_.size(), "a viewer of this conversation");
  Viewer& who = viewers_[viewer];
  const std::uint32_t last_number = who.last_number;
  if (number <= last_number) {
    ++findings_.duplicated;
    return std::nullopt;
  }
  const bool invented = sequence && *sequence >= sent_count();
  if (number != last_number + 1 || invented) ++findings_.out_of_order;
  who.last_number = static_cast<std::uint32_t>(number);
  if (!sequence || invented) return std::nullopt;
  Message* message = find(*sequence);
  if (message == nullptr || (message->number != 0 && message->number <= last_number)) {  // under another number before
    ++findings_.duplicated;
    return std::nullopt;
  }
  check_number(*message, number);
  if (*sequence < who.next_sequence) overtake(*message);
  who.next_sequence = std::max(who.next_sequence, *sequence + 1);
  ++who.shown;
  const SteadyTime planned = message->planned;
  forget_settled();
  return planned;
}

void Ledger::begins_at(std::size_t viewer, std::uint64_t number) {
  viewers_.at(viewer).last_number = static_cast<std::uint32_t>(number - 1);
}

void Ledger::forget_settled() {
  // Looking at all viewers for each message would cost as much as there are viewers: now and then is enough.
  constexpr std::uint64_t kLookEvery = 256;
  if (kept_.size() < kLookEvery || (acknowledged_ % kLookEvery) != 0) return;
  std::uint32_t everybody_has = std::numeric_limits<std::uint32_t>::max();
  for (const Viewer& who : viewers_) everybody_has = std::min(everybody_has, who.last_number);
  while (!kept_.empty() && kept_.front().acknowledged && kept_.front().number <= everybody_has) {
    kept_.pop_front();
    ++first_kept_;
  }
}

std::uint64_t Ledger::missing(std::size_t viewer) const {
  const Viewer& who = viewers_.at(viewer);
  return acknowledged_ > who.shown ? acknowledged_ - who.shown : 0;
}

bool Ledger::settled() const {
  if (acknowledged_ != sent_count()) return false;
  return std::all_of(viewers_.begin(), viewers_.end(),
                     [this](const Viewer& who) { return who.shown >= acknowledged_; });
}

Findings Ledger::finish() const {
  Findings all = findings_;
  for (const Message& message : kept_)
    if (message.overtaken && !message.acknowledged && !message.put_off) ++all.out_of_order;
  for (std::size_t i = 0; i < viewers_.size(); ++i) all.lost += missing(i);
  return all;
}

}  // namespace holdfast::load

#include "tools/holdfast-load/checker.h"

#include <algorithm>

namespace holdfast::load {

std::uint64_t Checker::sent(SteadyTime planned) {
  states_.push_back(0);
  numbers_.push_back(0);
  waiting_.push_back(planned);
  return states_.size() - 1;
}

SteadyTime Checker::planned(std::uint64_t sequence) const {
  return waiting_[static_cast<std::size_t>(sequence - first_waiting_)];
}

void Checker::forget_settled() {
  constexpr std::uint8_t kAll = kAcknowledged | 1 | 2;
  while (!waiting_.empty() && (states_[first_waiting_] & kAll) == kAll) {
    waiting_.pop_front();
    ++first_waiting_;
  }
}

void Checker::check_number(std::uint64_t sequence, std::uint64_t number) {
  auto& known = numbers_[sequence];
  if (known == 0) known = static_cast<std::uint32_t>(number);
  if (known != static_cast<std::uint32_t>(number)) ++findings_.out_of_order;
}

void Checker::put_off(std::uint64_t sequence) {
  if (sequence < states_.size()) states_[sequence] |= kPutOff;
}

/// Whether it was put off is known for certain when it is acknowledged, and not before.
void Checker::overtake(std::uint8_t& state) {
  if ((state & (kOvertaken | kAcknowledged | kPutOff)) == kAcknowledged) ++findings_.out_of_order;
  state |= kOvertaken;
}

std::optional<SteadyTime> Checker::acknowledged(std::uint64_t sequence, std::uint64_t number) {
  if (sequence >= states_.size() || (states_[sequence] & kAcknowledged) != 0) return std::nullopt;
  const SteadyTime when = planned(sequence);
  states_[sequence] |= kAcknowledged;
  ++acknowledged_;
  if ((states_[sequence] & (kOvertaken | kPutOff)) == kOvertaken) ++findings_.out_of_order;
  check_number(sequence, number);
  forget_settled();
  return when;
}

std::optional<SteadyTime> Checker::seen(Place place, std::uint64_t number, std::optional<std::uint64_t> sequence) {
  Shown& shown = shown_[static_cast<std::size_t>(place)];
  if (number <= shown.last_number) {
    ++findings_.duplicated;
    return std::nullopt;
  }
  if (number != shown.last_number + 1) ++findings_.out_of_order;
  shown.last_number = number;
  if (!sequence) return std::nullopt;
  if (*sequence >= states_.size()) {  // nobody sent that
    ++findings_.out_of_order;
    return std::nullopt;
  }

  auto& state = states_[*sequence];
  if ((state & bit(place)) != 0) {
    ++findings_.duplicated;
    return std::nullopt;
  }
  if (*sequence < shown.next_sequence) overtake(state);
  shown.next_sequence = std::max(shown.next_sequence, *sequence + 1);
  check_number(*sequence, number);
  const auto when = *sequence >= first_waiting_ ? std::optional(planned(*sequence)) : std::nullopt;
  state |= bit(place);
  forget_settled();
  return when;
}

Checker::Findings Checker::finish(bool with_history) {
  const auto everywhere =
      static_cast<std::uint8_t>(bit(Place::receiver) | bit(Place::sender) | (with_history ? bit(Place::history) : 0));
  for (const std::uint8_t state : states_) {
    const bool known = (state & (kAcknowledged | everywhere)) != 0;
    if (known && (state & everywhere) != everywhere) ++findings_.lost;
    if ((state & (kOvertaken | kAcknowledged | kPutOff)) == kOvertaken) ++findings_.out_of_order;
  }
  return findings_;
}

}  // namespace holdfast::load

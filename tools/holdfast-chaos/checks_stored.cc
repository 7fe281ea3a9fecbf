// What stands at the end by itself, and against what the senders were told: H1, H2, H3, H7.
#include <algorithm>
#include <set>

#include "tools/holdfast-chaos/checks.h"

namespace holdfast::chaos {

std::string Findings::conversation(std::uint32_t index) const {
  return "conversation " + std::to_string(index) + " (" + history_.conversations[index].id.substr(0, 8) + ")";
}

std::string Findings::message(std::uint64_t operation) const {
  const std::string name = "message " + std::to_string(operation);
  if (operation >= history_.operations.size()) return name + ", which nobody sent";
  return name + " of " + device(history_.operations[operation].device);
}

Stored::Stored(const History& history) : conversations_(history.conversations.size()) {
  for (std::size_t i = 0; i < history.conversations.size(); ++i) {
    const auto& read_back = history.conversations[i].read_back;
    if (!read_back) continue;
    conversations_[i].known = true;
    for (const Sight& sight : *read_back) {
      conversations_[i].by_number.emplace(sight.number, &sight);
      if (sight.operation) numbers_.emplace(*sight.operation, sight.number);
    }
  }
}

const Sight* Stored::at(std::uint32_t conversation, std::uint64_t number) const {
  const auto& kept = conversations_[conversation].by_number;
  const auto found = kept.find(number);
  return found == kept.end() ? nullptr : found->second;
}

std::optional<std::uint64_t> Stored::number_of(std::uint64_t operation) const {
  const auto found = numbers_.find(operation);
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

namespace {

/// One conversation as it was read back: numbers without gaps, each message once, nothing that nobody sent.
void check_read_back(const History& history, std::uint32_t index, const std::vector<Sight>& changes, Findings& found) {
  std::uint64_t next = 1;
  std::set<std::uint64_t> seen;
  for (const Sight& sight : changes) {
    const std::string where = found.conversation(index) + " has at number " + std::to_string(sight.number);
    if (sight.number != next) found.say(Kind::out_of_order, where + " what should stand at " + std::to_string(next));
    next = sight.number + 1;
    if (sight.damaged) found.say(Kind::altered, where + " a message that is not as it was sent");
    if (!sight.operation) continue;
    if (*sight.operation >= history.operations.size() || history.operations[*sight.operation].conversation != index)
      found.say(Kind::phantom, where + " " + found.message(*sight.operation) + ", which was not sent there");
    else if (!seen.insert(*sight.operation).second)
      found.say(Kind::duplicated, where + " " + found.message(*sight.operation) + " again");
  }
}

}  // namespace

void check_stored(const History& history, const Stored&, Findings& found) {
  for (std::uint32_t i = 0; i < history.conversations.size(); ++i) {
    if (const auto& read_back = history.conversations[i].read_back)
      check_read_back(history, i, *read_back, found);
    else
      found.say(Kind::unchecked, found.conversation(i) + " could not be read back");
  }
}

void check_answers(const History& history, const Stored& stored, Findings& found) {
  // A device has one message of a conversation under way at a time, so its messages stand in the order of sending.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> newest;  // (device, conversation) -> number
  for (std::uint64_t id = 0; id < history.operations.size(); ++id) {
    const Operation& sent = history.operations[id];
    if (!stored.known(sent.conversation)) continue;
    const auto there = stored.number_of(id);
    const std::string what = found.message(id) + " in " + found.conversation(sent.conversation);
    if (sent.outcome == Operation::Outcome::refused && there)
      found.say(Kind::refused_seen, what + " was refused, and stands at " + std::to_string(*there));
    if (sent.outcome == Operation::Outcome::ok && !there)
      found.say(Kind::lost, what + " was acknowledged as " + std::to_string(sent.number) + ", and is not there");
    if (sent.outcome == Operation::Outcome::ok && there && *there != sent.number)
      found.say(Kind::out_of_order, what + " was acknowledged as " + std::to_string(sent.number) + ", and stands at " +
                                        std::to_string(*there));
    if (!there) continue;
    std::uint64_t& before = newest[{sent.device, sent.conversation}];
    if (*there < before)
      found.say(Kind::out_of_order,
                what + " stands at " + std::to_string(*there) + ", behind a later one at " + std::to_string(before));
    before = std::max(before, *there);
  }
}

}  // namespace holdfast::chaos

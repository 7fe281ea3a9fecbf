// What devices were shown: H2 to H8.
#include <algorithm>
#include <set>

#include "tools/holdfast-chaos/checks.h"

namespace holdfast::chaos {
namespace {

class DeviceCheck {
 public:
  DeviceCheck(const History& history, const Stored& stored, std::uint32_t index, Findings& found)
      : history_(history), stored_(stored), device_(history.devices[index]), found_(found) {}

  void run() {
    for (const Shown& shown : device_.shown) check_shown(shown);
    check_session();
    for (std::uint32_t i = 0; i < history_.conversations.size(); ++i) check_whole(i);
  }

 private:
  std::string where(const Shown& shown) const {
    return device_.name + " was shown number " + std::to_string(shown.sight.number) + " of " +
           found_.conversation(shown.conversation) +
           (shown.sight.operation ? " (" + found_.message(*shown.sight.operation) + ")" : "");
  }

  void check_shown(const Shown& shown) {
    if (shown.position <= position_)
      found_.say(Kind::went_back, where(shown) + " at inbox position " + std::to_string(shown.position) + " after " +
                                      std::to_string(position_));
    position_ = std::max(position_, shown.position);

    auto& seen = seen_[shown.conversation];
    if (!seen.numbers.insert(shown.sight.number).second) {
      found_.say(Kind::duplicated, where(shown) + " again");
    } else if (shown.sight.operation && !seen.operations.insert(*shown.sight.operation).second) {
      found_.say(Kind::duplicated, where(shown) + " again, under another number");
    } else if (shown.sight.number < seen.newest) {
      found_.say(Kind::out_of_order, where(shown) + " after " + std::to_string(seen.newest));
    }
    seen.newest = std::max(seen.newest, shown.sight.number);
    compare(shown);
  }

  /// With what stands there at the end.
  void compare(const Shown& shown) {
    if (shown.sight.operation && *shown.sight.operation < history_.operations.size() &&
        history_.operations[*shown.sight.operation].outcome == Operation::Outcome::refused)
      found_.say(Kind::refused_seen, where(shown) + ", which was refused");
    if (!stored_.known(shown.conversation)) return;
    const Sight* const there = stored_.at(shown.conversation, shown.sight.number);
    if (!there)
      found_.say(Kind::phantom, where(shown) + ", and it is not there");
    else if (there->content != shown.sight.content)
      found_.say(there->operation == shown.sight.operation ? Kind::altered : Kind::phantom,
                 where(shown) + ", where something else stands" +
                     (there->operation ? ": " + found_.message(*there->operation) : ""));
  }

  /// H5: a session only goes forward, and reads of a device see what it was told before.
  void check_session() {
    if (!device_.session_ended.empty())
      found_.say(Kind::went_back, device_.name + " lost its session: " + device_.session_ended);
    std::uint64_t newest = 0;
    std::size_t looked_at = 0;
    for (const Resumed& resumed : device_.resumed) {
      for (; looked_at < resumed.shown; ++looked_at) newest = std::max(newest, device_.shown[looked_at].position);
      if (resumed.inbox_head < newest)
        found_.say(Kind::went_back, device_.name + " came back to an inbox that ends at " +
                                        std::to_string(resumed.inbox_head) + ", having been shown " +
                                        std::to_string(newest));
    }
    for (const Read& read : device_.reads) check_read(read);
  }

  /// Against what it had been shown by then; what it was told in answers is in check_own_reads().
  void check_read(const Read& read) {
    for (const Shown& shown : device_.shown) {
      if (shown.when >= read.invoked) return;
      if (shown.conversation != read.conversation || shown.sight.number <= read.last_number) continue;
      found_.say(Kind::went_back, device_.name + " read " + std::to_string(read.last_number) + " as the newest of " +
                                      found_.conversation(read.conversation) + ", having been shown " +
                                      std::to_string(shown.sight.number));
      return;
    }
  }

  /// H8: whoever is a member from the beginning to the end sees every change.
  void check_whole(std::uint32_t index) {
    const auto& conversation = history_.conversations[index];
    if (!conversation.read_back || std::ranges::find(conversation.users, device_.user) == conversation.users.end())
      return;
    const auto& seen = seen_[index].numbers;
    for (const Sight& sight : *conversation.read_back)
      if (!seen.contains(sight.number))
        found_.say(Kind::not_delivered, device_.name + " was never shown number " + std::to_string(sight.number) +
                                            " of " + found_.conversation(index) +
                                            (sight.operation ? " (" + found_.message(*sight.operation) + ")" : ""));
  }

  struct Seen {
    std::set<std::uint64_t> numbers, operations;
    std::uint64_t newest = 0;
  };
  const History& history_;
  const Stored& stored_;
  const Device& device_;
  Findings& found_;
  std::uint64_t position_ = 0;
  std::map<std::uint32_t, Seen> seen_;
};

/// H5: an answer that a device got before it asked must be in what it reads, also on another node.
void check_own_reads(const History& history, Findings& found) {
  struct Told {
    Micros when;
    std::uint64_t number;
  };
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<Told>> told;  // (device, conversation), numbers rising
  for (const Operation& sent : history.operations)
    if (sent.outcome == Operation::Outcome::ok)
      told[{sent.device, sent.conversation}].push_back({sent.completed, sent.number});
  for (std::uint32_t i = 0; i < history.devices.size(); ++i) {
    for (const Read& read : history.devices[i].reads) {
      for (const Told& answer : told[{i, read.conversation}])
        if (answer.when < read.invoked && answer.number > read.last_number) {
          found.say(Kind::went_back, found.device(i) + " read " + std::to_string(read.last_number) +
                                         " as the newest of " + found.conversation(read.conversation) +
                                         ", having had number " + std::to_string(answer.number) + " acknowledged");
          break;
        }
    }
  }
}

}  // namespace

void check_devices(const History& history, const Stored& stored, Findings& found) {
  for (std::uint32_t i = 0; i < history.devices.size(); ++i) DeviceCheck(history, stored, i, found).run();
  check_own_reads(history, found);
}

}  // namespace holdfast::chaos

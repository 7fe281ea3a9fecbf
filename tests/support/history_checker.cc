#include "tests/support/history_checker.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/hash.h"

namespace holdfast {
namespace {

class Checker {
 public:
  explicit Checker(const History& history) : history_(history) {}

  std::vector<std::string> run() {
    found_ = history_.complaints;
    for (const auto& [id, conversation] : history_.conversations) check_conversation(id, conversation);
    check_posts();
    for (const auto& [user, rows] : history_.inboxes) check_inbox(user, rows);
    for (const auto& device : history_.devices) check_device(device);
    return std::move(found_);
  }

 private:
  void say(std::string what) { found_.push_back(std::move(what)); }
  static std::string short_of(std::string_view id) { return to_hex(id).substr(0, 8); }

  const v1::Change* change(const ConversationId& id, std::uint64_t number) const {
    const auto at = history_.conversations.find(id);
    if (at == history_.conversations.end() || number == 0 || number > at->second.changes.size()) return nullptr;
    return &at->second.changes[number - 1];
  }

  void check_conversation(const ConversationId& id, const History::Conversation& conversation) {
    std::map<v1::Change::WhatCase, std::size_t> made;
    std::uint64_t number = 0, posts = 0;
    std::set<std::pair<std::string, std::string>> ids;
    for (const v1::Change& one : conversation.changes) {
      ++number;
      ++made[one.what_case()];
      if (one.number() != number)
        say("H3: " + short_of(id.bytes()) + " has number " + std::to_string(one.number()) + " where " +
            std::to_string(number) + " comes");
      if (one.has_posted()) {
        ++posts;
        if (!ids.emplace(one.author(), one.posted().client_message_id()).second)
          say("H2: " + short_of(id.bytes()) + " has a message id twice, at " + std::to_string(number));
      }
      if (one.posts() != posts) say("H3: posts are counted wrong at " + std::to_string(number));
    }
    for (const auto what : {v1::Change::kEdited, v1::Change::kDeleted, v1::Change::kReacted, v1::Change::kRenamed}) {
      const auto asked = history_.asked.find({id, what});
      if (made[what] > (asked == history_.asked.end() ? 0 : asked->second))
        say("H2: " + short_of(id.bytes()) + " has more changes of kind " + std::to_string(what) +
            " than were asked for");
    }
  }

  void check_posts() {
    std::map<std::tuple<ConversationId, UserId, std::string>, std::uint64_t> newest;
    for (const History::Post& post : history_.posts) {
      if (!post.number) continue;
      const auto there = find_post(post);
      const std::uint64_t number = *post.number;
      if (number == 0) {
        if (there != 0) say("H7: a refused post is there, at " + std::to_string(there));
        continue;
      }
      if (there != number)
        say("H1: a post acknowledged as " + std::to_string(number) + " of " + short_of(post.conversation.bytes()) +
            (there == 0 ? " is lost" : " is at " + std::to_string(there)));
      if (post.put_off) continue;
      auto& before = newest[{post.conversation, post.author, post.device}];
      if (number <= before) say("H3: posts of one device changed places at " + std::to_string(number));
      before = std::max(before, number);
    }
  }

  std::uint64_t find_post(const History::Post& post) const {
    const auto at = history_.conversations.find(post.conversation);
    if (at == history_.conversations.end()) return 0;
    for (const v1::Change& one : at->second.changes)
      if (one.has_posted() && one.author() == post.author.bytes() &&
          one.posted().client_message_id() == post.client_message_id)
        return one.number();
    return 0;
  }

  void check_inbox(const UserId& user, const std::vector<History::InboxRow>& rows) {
    std::map<ConversationId, std::vector<std::uint64_t>> numbers;
    std::map<ConversationId, bool> has_heads;
    std::uint64_t position = 0;
    for (const auto& row : rows) {
      if (row.position != ++position)
        say("H5: the inbox of " + short_of(user.bytes()) + " goes to " + std::to_string(row.position) + " after " +
            std::to_string(position - 1));
      position = row.position;
      numbers[row.conversation].push_back(row.number);
      has_heads[row.conversation] |= row.head;
    }
    for (const auto& [id, conversation] : history_.conversations) {
      const auto member = conversation.members.find(user);
      std::vector<std::uint64_t> due;
      if (member != conversation.members.end())
        for (std::uint64_t n = 1; n <= conversation.changes.size(); ++n)
          if (covers(member->second, n)) due.push_back(n);
      if (numbers[id] != due)
        say("H8: the inbox of " + short_of(user.bytes()) + " has of " + short_of(id.bytes()) + " " + list(numbers[id]) +
            " and should have " + list(due));
    }
  }

  static bool covers(const std::vector<History::Interval>& intervals, std::uint64_t number) {
    return std::ranges::any_of(intervals,
                               [&](const auto& i) { return i.joined <= number && (i.left == 0 || number < i.left); });
  }
  static std::string list(const std::vector<std::uint64_t>& numbers) {
    std::string out = "(";
    for (const auto n : numbers) out += std::to_string(n) + " ";
    return out + ")";
  }

  void check_device(const History::Device& device) {
    std::uint64_t position = device.start;
    std::map<ConversationId, std::uint64_t> newest;
    for (const auto& shown : device.shown) {
      const std::string where = device.name + " at " + std::to_string(shown.position) + ": ";
      if (shown.position <= position) say("H5: " + where + "the position does not rise");
      position = shown.position;
      if (shown.number <= newest[shown.conversation]) say("H2: " + where + "a change twice or out of order");
      newest[shown.conversation] = shown.number;
      const v1::Change* const made = change(shown.conversation, shown.number);
      if (!made)
        say("H6: " + where + "a change that is not in the log");
      else if (!shown.content.empty() && shown.content != made->SerializeAsString())
        say("H4: " + where + "another content than was committed");
    }
    const auto inbox = history_.inboxes.find(device.user);
    if (device.live && inbox != history_.inboxes.end()) check_whole(device, inbox->second);
  }

  /// Everything in the inbox behind the log-in was shown, but for heads that a newer one replaced.
  void check_whole(const History::Device& device, const std::vector<History::InboxRow>& rows) {
    std::map<ConversationId, std::uint64_t> last_head;
    for (const auto& row : rows)
      if (row.head) last_head[row.conversation] = row.position;
    std::set<std::uint64_t> shown;
    for (const auto& one : device.shown) shown.insert(one.position);
    for (const auto& row : rows) {
      if (row.position <= device.start) continue;
      if (row.head && row.position != last_head[row.conversation]) continue;
      if (!shown.contains(row.position))
        say("H8: " + device.name + " never saw position " + std::to_string(row.position) + ", change " +
            std::to_string(row.number) + " of " + short_of(row.conversation.bytes()));
    }
    for (const auto& one : device.shown)
      if (one.position > rows.size()) say("H6: " + device.name + " saw a position that the inbox does not have");
  }

  const History& history_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> check_history(const History& history) { return Checker(history).run(); }

}  // namespace holdfast

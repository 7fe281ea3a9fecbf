/// The checker finds what is put in: dropped, doubled, swapped, changed, invented.
#include "tests/support/history_checker.h"

#include <catch2/catch.hpp>

namespace holdfast {
namespace {

const UserId kAlice({1}), kBob({2});
const ConversationId kTalk({3});

v1::Change posted(std::uint64_t number, const UserId& author) {
  v1::Change change;
  change.set_number(number);
  change.set_posts(number);
  change.set_author(author.str());
  change.mutable_posted()->set_client_message_id("id" + std::to_string(number));
  return change;
}

/// Six posts of two users, each delivered to both; one of Bob's devices logged in after the second.
History good() {
  History history;
  auto& talk = history.conversations[kTalk];
  for (const UserId& user : {kAlice, kBob}) talk.members[user] = {{1, 0}};
  for (std::uint64_t n = 1; n <= 6; ++n) {
    const UserId& author = n % 2 ? kAlice : kBob;
    talk.changes.push_back(posted(n, author));
    history.posts.push_back({kTalk, author, "id" + std::to_string(n), n, false, false, "phone"});
    for (const UserId& user : {kAlice, kBob}) history.inboxes[user].push_back({n, kTalk, n, false});
  }
  history.devices.push_back({"alice", kAlice, 0, true, {}});
  history.devices.push_back({"bob", kBob, 2, true, {}});
  for (auto& device : history.devices)
    for (std::uint64_t n = device.start + 1; n <= 6; ++n)
      device.shown.push_back({n, kTalk, n, false, talk.changes[n - 1].SerializeAsString()});
  return history;
}

bool finds(const History& history, const std::string& rule) {
  for (const std::string& finding : check_history(history))
    if (finding.starts_with(rule + ":")) return true;
  return false;
}

TEST_CASE("History checker: a good history is good") { CHECK(check_history(good()).empty()); }

TEST_CASE("History checker: an acknowledged post that is lost or elsewhere is found (H1)") {
  History history = good();
  history.posts[2].number = 4;
  CHECK(finds(history, "H1"));
  history = good();
  history.posts.push_back({kTalk, kAlice, "id7", 7, false, false, "phone"});
  CHECK(finds(history, "H1"));
}

TEST_CASE("History checker: a doubled message id or item is found (H2)") {
  History history = good();
  auto& changes = history.conversations[kTalk].changes;
  changes.push_back(posted(7, kAlice));
  changes.back().mutable_posted()->set_client_message_id("id5");
  CHECK(finds(history, "H2"));
  history = good();
  v1::Change edit;
  edit.set_number(7);
  edit.set_posts(6);
  edit.mutable_edited()->set_target(1);
  history.conversations[kTalk].changes.push_back(edit);
  CHECK(finds(history, "H2"));
  history.asked[{kTalk, v1::Change::kEdited}] = 1;
  CHECK_FALSE(finds(history, "H2"));
  history = good();
  auto& shown = history.devices[0].shown;
  shown.insert(shown.begin() + 3, shown[2]);
  CHECK(finds(history, "H2"));
}

TEST_CASE("History checker: a gap, a swap and a wrong order of one author's posts are found (H3)") {
  History history = good();
  history.conversations[kTalk].changes.erase(history.conversations[kTalk].changes.begin() + 2);
  CHECK(finds(history, "H3"));
  history = good();
  std::swap(history.devices[1].shown[1], history.devices[1].shown[2]);
  CHECK(finds(history, "H5"));
  CHECK(finds(history, "H2"));
  history = good();
  std::swap(history.posts[0], history.posts[2]);
  CHECK(finds(history, "H3"));
}

TEST_CASE("History checker: other content, what is not in the log, and what was refused are found (H4, H6, H7)") {
  History history = good();
  history.devices[0].shown[1].content = "other";
  CHECK(finds(history, "H4"));
  history = good();
  history.devices[0].shown.push_back({7, kTalk, 7, false, {}});
  CHECK(finds(history, "H6"));
  history = good();
  history.posts[1].number = 0;
  CHECK(finds(history, "H7"));
}

TEST_CASE("History checker: what a device or an inbox lacks, has twice or has unasked is found (H8)") {
  History history = good();
  history.devices[1].shown.erase(history.devices[1].shown.begin() + 1);
  CHECK(finds(history, "H8"));
  history.devices[1].live = false;  // it ended, and need not see the rest
  CHECK_FALSE(finds(history, "H8"));
  history = good();
  history.inboxes[kBob].pop_back();
  CHECK(finds(history, "H8"));
  history = good();
  history.conversations[kTalk].members[kBob] = {{1, 5}};  // he left: what came then is not for him
  CHECK(finds(history, "H8"));
  history = good();
  history.inboxes[kBob][4].position = 9;
  CHECK(finds(history, "H5"));
}

TEST_CASE("History checker: of heads only the newest of a conversation must be seen") {
  History history = good();
  for (std::size_t i = 2; i < 6; ++i) history.inboxes[kAlice][i].head = true;
  auto& shown = history.devices[0].shown;
  shown.erase(shown.begin() + 2, shown.begin() + 5);
  shown.back().head = true;
  shown.back().content.clear();
  CHECK(check_history(history).empty());
  shown.pop_back();
  CHECK(finds(history, "H8"));
}

}  // namespace
}  // namespace holdfast

#include <catch2/catch.hpp>

#include <algorithm>

#include "server/chat/lists.h"
#include "tests/server/chat/play.h"

using namespace holdfast;
using namespace holdfast::chat;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> ids_of(const v1::ConversationsReply& page) {
  std::vector<std::string> ids;
  for (const auto& line : page.conversations()) ids.push_back(line.conversation_id());
  return ids;
}

v1::ServerFrame pin(Play& play, const Person& who, const ConversationId& where, bool pinned, bool muted = false) {
  return play.ask(who, [&](auto& f) {
    f.mutable_set_conversation()->set_conversation_id(where.str());
    f.mutable_set_conversation()->set_pinned(pinned);
    f.mutable_set_conversation()->set_muted(muted);
  });
}

/// Conversations of the first person, each a second newer than the one before.
std::vector<ConversationId> talks(Play& play, const Person& who, int count) {
  std::vector<ConversationId> talks;
  for (int i = 0; i < count; ++i) {
    play.stage.now += 1s;
    talks.push_back(play.open(who, play.person()));
  }
  return talks;
}

}  // namespace

TEST_CASE("ListConversations: newest first, pinned ones first of all") {
  Play play;
  const Person ann = play.person();
  const auto all = talks(play, ann, 4);
  CHECK(ids_of(play.conversations(ann)) ==
        std::vector<std::string>{all[3].str(), all[2].str(), all[1].str(), all[0].str()});
  pin(play, ann, all[1], true, true);
  play.stage.now += 1s;
  play.say(ann, all[0], "up");
  const auto page = play.conversations(ann);
  CHECK(ids_of(page) == std::vector<std::string>{all[1].str(), all[0].str(), all[3].str(), all[2].str()});
  CHECK(page.conversations(0).pinned());
  CHECK(page.conversations(0).muted());
  CHECK(page.next_page_token().empty());
}

TEST_CASE("ListConversations: pages cover each conversation once") {
  Play play;
  const Person ann = play.person();
  const auto all = talks(play, ann, 7);
  pin(play, ann, all[2], true);
  std::vector<std::string> seen;
  std::string token;
  do {
    const auto page = play.conversations(ann, 2, token);
    const auto ids = ids_of(page);
    seen.insert(seen.end(), ids.begin(), ids.end());
    token = page.next_page_token();
  } while (!token.empty());
  CHECK(seen.size() == 7);
  CHECK(seen.front() == all[2].str());
  std::sort(seen.begin(), seen.end());
  CHECK(std::unique(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("ListConversations: what moves between two pages hides nothing that stayed") {
  Play play;
  const Person ann = play.person();
  const auto all = talks(play, ann, 4);
  const auto first = play.conversations(ann, 2);
  CHECK(ids_of(first) == std::vector<std::string>{all[3].str(), all[2].str()});
  play.stage.now += 1s;
  play.say(ann, all[2], "the line that the page ended with moves up");
  CHECK(ids_of(play.conversations(ann, 2, first.next_page_token())) ==
        std::vector<std::string>{all[1].str(), all[0].str()});
}

TEST_CASE("ListConversations: absurd pages and foreign tokens are refused") {
  Play play;
  const Person ann = play.person();
  const auto ask = [&](std::uint32_t limit, const std::string& token) {
    return code_of(play.ask(ann, [&](auto& f) {
      f.mutable_list_conversations()->set_limit(limit);
      f.mutable_list_conversations()->set_page_token(token);
    }));
  };
  CHECK(ask(0, "") == v1::INVALID_ARGUMENT);
  CHECK(ask(201, "") == v1::TOO_LARGE);
  CHECK(ask(10, "garbage") == v1::INVALID_ARGUMENT);
}

TEST_CASE("SetConversation: only what is in the list, and writes only what changes") {
  Play play;
  const Person ann = play.person();
  CHECK(code_of(pin(play, ann, ConversationId(), true)) == v1::NOT_FOUND);
  const auto talk = talks(play, ann, 1)[0];
  CHECK(code_of(pin(play, ann, talk, true)) == v1::ERROR_UNSPECIFIED);
  CHECK(play.stage.writes.size() == 1);
  pin(play, ann, talk, true);
  CHECK(play.stage.writes.empty());
}

TEST_CASE("Unread: posts after the read position less those hidden there") {
  state::ListEntry entry;
  entry.set_last_number(20);
  entry.set_last_posts(10);
  entry.set_read_posts(4);
  CHECK(unread(entry) == 6);
  auto& closed = *entry.add_hidden();
  closed.set_from(3);
  closed.set_from_posts(3);
  closed.set_to(9);
  closed.set_to_posts(6);
  CHECK(unread(entry) == 4);  // of the three hidden ones, one was read before
  auto& open = *entry.add_hidden();
  open.set_from(15);
  open.set_from_posts(8);
  CHECK(unread(entry) == 2);
  entry.set_read_posts(10);
  CHECK(unread(entry) == 0);
}

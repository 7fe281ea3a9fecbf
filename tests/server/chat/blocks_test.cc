#include <catch2/catch.hpp>

#include "server/chat/conversation_id.h"
#include "storage/keys.h"
#include "tests/server/chat/play.h"

using namespace holdfast;
using namespace holdfast::chat;
using namespace std::chrono_literals;

namespace {

using Words = std::vector<std::string>;

Words words_of_history(Play& play, const Person& who, const ConversationId& where) {
  Words words;
  for (const v1::Change& change : play.all_history(who, where)) words.push_back(word_of(change));
  return words;
}

state::ListEntry entry_of(const Play& play, const Person& who, const ConversationId& where) {
  return play.stage.stored<state::ListEntry>(keys::list(who.id, where)).value();
}

}  // namespace

TEST_CASE("Blocking: what the other says comes as stubs, without gaps, and is not unread") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  play.say(ben, talk, "fine");
  play.block(ann, ben);
  const auto answer = play.post(ben, talk, "rude", play.stage.fresh_id());
  CHECK(answer.change().number() == 3);
  play.say(ann, talk, "mine");
  play.block(ann, ben, false);
  play.say(ben, talk, "sorry");

  CHECK(words_of(play.inbox(ann)) == Words{"created", "fine", "hidden", "mine", "sorry"});
  CHECK(words_of(play.inbox(ben)) == Words{"created", "fine", "rude", "mine", "sorry"});
  CHECK(words_of_history(play, ann, talk) == Words{"created", "fine", "hidden", "mine", "sorry"});
  CHECK(words_of_history(play, ben, talk) == Words{"created", "fine", "rude", "mine", "sorry"});
  CHECK(play.line(ann, talk).unread() == 1);
  for (const auto& item : play.inbox(ann)) CHECK(item.SerializeAsString().find("rude") == std::string::npos);
  play.check_sequence(talk);
}

TEST_CASE("Blocking: hidden posts are not counted as unread, those before the block are") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  play.say(ben, talk, "1");
  play.say(ben, talk, "2");
  play.block(ann, ben);
  play.say(ben, talk, "3");
  play.say(ben, talk, "4");
  CHECK(play.line(ann, talk).unread() == 2);
  play.block(ann, ben, false);
  CHECK(play.line(ann, talk).unread() == 2);
  play.say(ben, talk, "5");
  CHECK(play.line(ann, talk).unread() == 3);
  play.block(ann, ben);
  play.say(ben, talk, "6");
  CHECK(play.line(ann, talk).unread() == 3);
  play.mark(ann, talk, 4, 4);
  CHECK(play.line(ann, talk).unread() == 1);
}

TEST_CASE("Blocking: before there is a conversation, and the list shows none") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  play.block(ann, ben);
  CHECK(play.conversations(ann).conversations().empty());
  const ConversationId talk = play.open(ben, ann);
  play.say(ben, talk, "rude");
  CHECK(words_of(play.inbox(ann)) == Words{"created", "hidden"});
  CHECK(words_of_history(play, ann, talk) == Words{"created", "hidden"});
  CHECK(play.line(ann, talk).unread() == 0);
}

TEST_CASE("Blocking: a large post is a stub too, and a hidden one does not move the conversation up") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  play.block(ann, ben);
  const auto before = play.line(ann, talk).last_time_ms();
  play.stage.now += 1h;
  play.say(ben, talk, std::string(5'000, 'x'));
  CHECK(words_of(play.inbox(ann)).back() == "hidden");
  CHECK(play.line(ann, talk).last_time_ms() == before);
  CHECK(play.line(ann, talk).last_number() == 2);
}

TEST_CASE("Blocking: neither an edit of an older post nor, later, one of a hidden post gets through") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const auto older = play.say(ben, talk, "fine");
  play.block(ann, ben);
  const auto hidden = play.say(ben, talk, "rude-1");
  play.edit(ben, talk, older, "rude-2");
  play.react(ben, talk, older, "rude-3");
  play.block(ann, ben, false);
  play.edit(ben, talk, hidden, "rude-4");
  for (const auto& item : play.inbox(ann)) CHECK(item.SerializeAsString().find("rude") == std::string::npos);
  for (const auto& change : play.all_history(ann, talk)) {
    if (!change.has_posted()) CHECK(change.SerializeAsString().find("rude") == std::string::npos);
  }
  CHECK(words_of_history(play, ann, talk) == Words{"created", "hidden", "hidden", "hidden", "hidden", "hidden"});
}

TEST_CASE("Blocking: repeated as often as one likes, and lifted, leaves no traces of nothing") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  for (int i = 0; i < 3; ++i) {
    play.block(ann, ben);
    play.block(ann, ben);
    CHECK(entry_of(play, ann, talk).hidden_size() == 1);
    play.block(ann, ben, false);
    CHECK(entry_of(play, ann, talk).hidden_size() == 0);
  }
  for (int i = 0; i < 100; ++i) {
    play.block(ann, ben);
    play.say(ben, talk, "rude");
    play.block(ann, ben, false);
    play.say(ben, talk, "fine");
  }
  CHECK(entry_of(play, ann, talk).hidden_size() <= 64);
  for (const auto& change : play.all_history(ann, talk)) CHECK(word_of(change) != "rude");
}

TEST_CASE("Blocks: a bounded list of others") {
  Play play;
  play.stage.limits.blocks_max = 2;
  const Person ann = play.person();
  const auto others = play.people(3);
  CHECK(code_of(play.block(ann, ann)) == v1::INVALID_ARGUMENT);
  for (int i = 0; i < 2; ++i)
    CHECK(code_of(play.block(ann, others[static_cast<std::size_t>(i)])) == v1::ERROR_UNSPECIFIED);
  CHECK(code_of(play.block(ann, others[2])) == v1::TOO_LARGE);
  play.block(ann, others[0], false);
  CHECK(code_of(play.block(ann, others[2])) == v1::ERROR_UNSPECIFIED);
  const auto blocks = play.ask(ann, [](auto& f) { f.mutable_list_blocks(); });
  REQUIRE(blocks.blocks().user_ids_size() == 2);
  CHECK(blocks.blocks().user_ids(0) == others[1].id.bytes());
  CHECK(blocks.blocks().user_ids(1) == others[2].id.bytes());
}

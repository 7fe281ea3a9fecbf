#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "tests/server/chat/play.h"

using namespace holdfast;
using namespace holdfast::chat;
using namespace std::chrono_literals;

TEST_CASE("Post: a message is named by its number, and numbers have no gaps") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  CHECK(play.say(ann, talk, "one") == 2);
  CHECK(play.say(ben, talk, "two") == 3);
  CHECK(play.change(talk, 3).posts() == 2);
  CHECK(play.change(talk, 3).author() == ben.id.bytes());
  play.check_sequence(talk);
}

TEST_CASE("Post: the same client_message_id gives the same number and time, and never a second post") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const bool in_group = GENERATE(false, true);
  const ConversationId talk = in_group ? play.group(ann, {ben}) : play.open(ann, ben);
  const RequestId id = play.stage.fresh_id();
  const auto first = play.post(ann, talk, "once", id);
  play.say(ann, talk, "later");
  play.stage.now += 1h;
  const auto again = play.post(ann, talk, "once", id);
  CHECK(again.SerializeAsString() == first.SerializeAsString());
  CHECK(play.stage.writes.empty());
  CHECK(play.row(talk).posts() == 2);
  // The id is the author's own: somebody else's equal id is another message.
  CHECK(play.post(ben, talk, "mine", id).change().number() == 4);
  play.check_sequence(talk);
}

TEST_CASE("Post: an id below the newest one, not seen before, is a post of its own") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const RequestId early = play.stage.fresh_id();
  play.stage.now += 1s;
  play.say(ann, talk, "overtook");
  const auto late = play.post(ann, talk, "overtaken", early);
  CHECK(late.change().number() == 3);
  CHECK(play.post(ann, talk, "overtaken", early).change().number() == 3);
  play.check_sequence(talk);
}

TEST_CASE("Post: a direct message reads and writes as few rows as it can") {
  Play play;
  play.delivers = false;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const RequestId id = play.stage.fresh_id();
  play.post(ann, talk, "hello", id);
  REQUIRE(play.stage.writes.size() == 3);
  CHECK(play.stage.writes[0].key() == keys::change(talk, 2));
  CHECK(play.stage.writes[1].key() == keys::conversation(talk));
  CHECK(play.stage.writes[2].key() == keys::client_id(talk, ann.id, id));
  REQUIRE(play.stage.events.size() == 1);
  const log::ChangeMade& made = play.stage.events[0].change_made();
  CHECK(made.write_index() == 0);
  CHECK(made.direct());
  CHECK(made.recipients_size() == 2);
}

TEST_CASE("Post: ids that are too old, ahead of time or no UUIDv7 are refused") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const RequestId old = play.stage.fresh_id();
  play.post(ann, talk, "hello", old);
  play.stage.now += 7 * 24h + 1ms;
  CHECK(code_of(play.post(ann, talk, "hello", old)) == v1::STALE_ID);
  CHECK(code_of(play.post(ann, talk, "hello", make_uuid7(play.stage.now + 10min + 1ms, play.stage.random()))) ==
        v1::INVALID_ARGUMENT);
  CHECK(code_of(play.post(ann, talk, "hello", make_uuid7(play.stage.now + 10min, play.stage.random()))) ==
        v1::ERROR_UNSPECIFIED);
  CHECK(code_of(play.post(ann, talk, "hello", RequestId())) == v1::INVALID_ARGUMENT);
}

TEST_CASE("Post: bodies have 1 byte to 64 KiB") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  CHECK(code_of(play.post(ann, talk, "", play.stage.fresh_id())) == v1::INVALID_ARGUMENT);
  CHECK(code_of(play.post(ann, talk, std::string(65'536, 'x'), play.stage.fresh_id())) == v1::ERROR_UNSPECIFIED);
  CHECK(code_of(play.post(ann, talk, std::string(65'537, 'x'), play.stage.fresh_id())) == v1::TOO_LARGE);
  const auto replies_to_the_future = play.ask(ann, [&](auto& f) {
    f.mutable_post()->set_conversation_id(talk.str());
    f.mutable_post()->set_client_message_id(play.stage.fresh_id().str());
    f.mutable_post()->set_body("hm");
    f.mutable_post()->set_reply_to(99);
  });
  CHECK(code_of(replies_to_the_future) == v1::INVALID_ARGUMENT);
}

TEST_CASE("Post: only members post; who was removed still learns what became of a post made before") {
  Play play;
  const Person ann = play.person(), ben = play.person(), eve = play.person();
  const ConversationId talk = play.open(ann, ben);
  CHECK(code_of(play.post(eve, talk, "hi", play.stage.fresh_id())) == v1::NOT_FOUND);
  CHECK(code_of(play.post(ann, ConversationId(), "hi", play.stage.fresh_id())) == v1::NOT_FOUND);
  const ConversationId club = play.group(ann, {ben});
  CHECK(code_of(play.post(eve, club, "hi", play.stage.fresh_id())) == v1::NOT_FOUND);
  const RequestId id = play.stage.fresh_id();
  const auto posted = play.post(ben, club, "bye", id);
  play.remove(ann, club, ben);
  CHECK(code_of(play.post(ben, club, "hi", play.stage.fresh_id())) == v1::PERMISSION_DENIED);
  CHECK(play.post(ben, club, "bye", id).change().number() == posted.change().number());
}

TEST_CASE("Edit: the post's row has the present body; only the author edits") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const auto number = play.say(ann, talk, "helo");
  CHECK(code_of(play.edit(ben, talk, number, "mine")) == v1::PERMISSION_DENIED);
  CHECK(code_of(play.edit(ann, talk, 1, "no post")) == v1::NOT_FOUND);
  CHECK(code_of(play.edit(ann, talk, 77, "nothing")) == v1::NOT_FOUND);
  CHECK(play.edit(ann, talk, number, "hello").change().number() == 3);
  CHECK(play.change(talk, number).posted().body() == "hello");
  CHECK(play.change(talk, number).posted().edited_number() == 3);
  CHECK(play.change(talk, 3).edited().body() == "hello");
  CHECK(words_of(play.inbox(ben)) == std::vector<std::string>{"created", "helo", "edit:hello"});
  play.check_sequence(talk);
}

TEST_CASE("Edit: a message is edited a bounded number of times") {
  Play play;
  play.stage.limits.edits_of_a_post_max = 3;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const auto number = play.say(ann, talk, "0");
  for (int i = 0; i < 3; ++i) CHECK(play.edit(ann, talk, number, std::to_string(i)).has_change());
  CHECK(code_of(play.edit(ann, talk, number, "4")) == v1::TOO_LARGE);
}

TEST_CASE("Requests that change something are answered the same when repeated, and happen once") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const auto number = play.say(ann, talk, "helo");
  v1::ClientFrame frame;
  frame.set_idempotency_id(play.stage.fresh_id().str());
  frame.mutable_edit()->set_conversation_id(talk.str());
  frame.mutable_edit()->set_number(number);
  frame.mutable_edit()->set_body("hello");
  const auto first = play.ask(ann, frame);
  play.say(ben, talk, "in between");
  CHECK(play.ask(ann, frame).SerializeAsString() == first.SerializeAsString());
  CHECK(play.stage.writes.empty());
  frame.clear_idempotency_id();
  CHECK(code_of(play.ask(ann, frame)) == v1::INVALID_ARGUMENT);
}

TEST_CASE("Delete: the body is gone from the post and from its edits") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const auto number = play.say(ann, talk, "secret-one");
  play.edit(ann, talk, number, "secret-two");
  play.edit(ann, talk, number, "secret-three");
  play.react(ben, talk, number, "+1");
  CHECK(code_of(play.erase(ben, talk, number)) == v1::PERMISSION_DENIED);
  CHECK(play.erase(ann, talk, number).has_change());
  for (const v1::Change& change : play.all_history(ben, talk)) {
    CHECK(change.SerializeAsString().find("secret") == std::string::npos);
  }
  for (std::uint64_t n = 1; n <= play.row(talk).last_number(); ++n) {
    CHECK(play.change(talk, n).SerializeAsString().find("secret") == std::string::npos);
  }
  CHECK(play.change(talk, number).posted().deleted());
  CHECK(code_of(play.edit(ann, talk, number, "again")) == v1::NOT_FOUND);
  CHECK(code_of(play.react(ann, talk, number, "+1")) == v1::NOT_FOUND);
  CHECK(code_of(play.erase(ann, talk, number)) == v1::NOT_FOUND);
  play.check_sequence(talk);
}

TEST_CASE("Delete: in a group admins delete what others said") {
  Play play;
  const Person ann = play.person(), ben = play.person(), cid = play.person();
  const ConversationId club = play.group(ann, {ben, cid});
  const auto number = play.say(cid, club, "rude");
  CHECK(code_of(play.erase(ben, club, number)) == v1::PERMISSION_DENIED);
  play.set_role(ann, club, ben, v1::ADMIN);
  CHECK(play.erase(ben, club, number).has_change());
}

TEST_CASE("React: adding what is there, and removing what is not, takes no number") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const auto number = play.say(ann, talk, "hello");
  CHECK(play.react(ben, talk, number, "+1").change().number() == 3);
  CHECK(play.react(ben, talk, number, "+1").change().number() == 3);
  CHECK(play.react(ann, talk, number, "+1", true).change().number() == 3);
  REQUIRE(play.change(talk, number).posted().reactions_size() == 1);
  CHECK(play.change(talk, number).posted().reactions(0).user_id() == ben.id.bytes());
  CHECK(play.react(ben, talk, number, "+1", true).change().number() == 4);
  CHECK(play.change(talk, number).posted().reactions().empty());
  CHECK(code_of(play.react(ben, talk, number, "")) == v1::INVALID_ARGUMENT);
  CHECK(code_of(play.react(ben, talk, number, std::string(65, 'x'))) == v1::INVALID_ARGUMENT);
  play.check_sequence(talk);
}

TEST_CASE("React: a message has a bounded number of reactions") {
  Play play;
  play.stage.limits.reactions_of_a_post_max = 2;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const auto number = play.say(ann, talk, "hello");
  play.react(ben, talk, number, "a");
  play.react(ben, talk, number, "b");
  CHECK(code_of(play.react(ben, talk, number, "c")) == v1::TOO_LARGE);
  CHECK(play.react(ben, talk, number, "b", true).has_change());
}

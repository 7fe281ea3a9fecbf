#include <catch2/catch.hpp>

#include "server/chat/conversation_id.h"
#include "storage/keys.h"
#include "tests/server/chat/play.h"

using namespace holdfast;
using namespace holdfast::chat;

TEST_CASE("OpenDirect: the same conversation whoever starts it, and once") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  CHECK(talk == direct_conversation(ben.id, ann.id));
  CHECK(play.change(talk, 1).created().kind() == v1::DIRECT);
  play.say(ann, talk, "hello");
  const auto again = play.ask(ben, [&](auto& f) { f.mutable_open_direct()->set_user_id(ann.id.str()); });
  CHECK(again.conversation().conversation_id() == talk.bytes());
  CHECK(again.conversation().number() == 2);
  CHECK(play.stage.writes.empty());
  CHECK(play.line(ann, talk).peer() == ben.id.bytes());
  CHECK(play.line(ben, talk).peer() == ann.id.bytes());
  const auto alone = play.ask(ann, [&](auto& f) { f.mutable_open_direct()->set_user_id(ann.id.str()); });
  CHECK(code_of(alone) == v1::INVALID_ARGUMENT);
}

TEST_CASE("CreateGroup: the caller owns it, and the same request makes it once") {
  Play play;
  const Person ann = play.person(), ben = play.person(), cid = play.person();
  v1::ClientFrame frame;
  const RequestId id = play.stage.fresh_id();
  frame.set_idempotency_id(id.str());
  frame.mutable_create_group()->set_title("chess");
  for (const Person& who : {ben, cid, ben, ann}) frame.mutable_create_group()->add_members(who.id.str());
  const auto first = play.ask(ann, frame);
  const ConversationId club = group_conversation(ann.id, id);
  CHECK(first.conversation().conversation_id() == club.bytes());
  CHECK(play.row(club).members() == 3);
  CHECK(play.row(club).owner() == ann.id.bytes());
  CHECK(play.change(club, 1).created().members_size() == 3);
  play.say(ben, club, "hi");
  CHECK(play.ask(ann, frame).SerializeAsString() == first.SerializeAsString());
  CHECK(play.line(cid, club).title() == "chess");
  CHECK(play.line(cid, club).role() == v1::MEMBER);
  CHECK(play.line(ann, club).role() == v1::OWNER);
  play.check_sequence(club);
}

TEST_CASE("CreateGroup: titles and lists of members have bounds") {
  Play play;
  const Person ann = play.person();
  const auto with = [&](const std::string& title, std::size_t members, const std::string& id) {
    return code_of(play.ask(ann, [&](auto& f) {
      f.mutable_create_group()->set_title(title);
      for (std::size_t i = 0; i < members; ++i) f.mutable_create_group()->add_members(id);
    }));
  };
  const std::string id = play.person().id.str();
  CHECK(with("", 0, id) == v1::INVALID_ARGUMENT);
  CHECK(with(std::string(257, 'x'), 0, id) == v1::INVALID_ARGUMENT);
  CHECK(with("ok", 101, id) == v1::TOO_LARGE);
  CHECK(with("ok", 1, "short") == v1::INVALID_ARGUMENT);
  CHECK(with("ok", 100, id) == v1::ERROR_UNSPECIFIED);
}

TEST_CASE("RenameGroup: by admins, and every list shows the new title") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId club = play.group(ann, {ben}, "chess");
  const auto rename = [&](const Person& who, const ConversationId& where) {
    return play.ask(who, [&](auto& f) {
      f.mutable_rename_group()->set_conversation_id(where.str());
      f.mutable_rename_group()->set_title("go");
    });
  };
  CHECK(code_of(rename(ben, club)) == v1::PERMISSION_DENIED);
  CHECK(code_of(rename(ann, play.open(ann, ben))) == v1::PRECONDITION_FAILED);
  CHECK(rename(ann, club).change().number() == 2);
  CHECK(play.line(ben, club).title() == "go");
  CHECK(play.row(club).title() == "go");
}

TEST_CASE("A conversation's id has 16 bytes, and one that is unknown looks like one that is not mine") {
  Play play;
  const Person ann = play.person(), ben = play.person(), eve = play.person();
  const ConversationId club = play.group(ann, {ben});
  const auto leave = [&](const std::string& id) {
    return play.ask(eve, [&](auto& f) { f.mutable_leave()->set_conversation_id(id); });
  };
  CHECK(code_of(leave("short")) == v1::INVALID_ARGUMENT);
  CHECK(leave(club.str()).SerializeAsString() == leave(std::string(16, 'x')).SerializeAsString());
  CHECK(code_of(leave(club.str())) == v1::NOT_FOUND);
}

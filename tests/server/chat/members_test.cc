#include <catch2/catch.hpp>

#include <set>

#include "tests/server/chat/play.h"

using namespace holdfast;
using namespace holdfast::chat;

namespace {

v1::ServerFrame members(Play& play, const Person& who, const ConversationId& where, const std::string& after = {},
                        std::uint32_t limit = 1'000) {
  return play.ask(who, [&](auto& f) {
    f.mutable_list_members()->set_conversation_id(where.str());
    f.mutable_list_members()->set_after_user_id(after);
    f.mutable_list_members()->set_limit(limit);
  });
}

command::Command frame_of(const Person& who, const v1::ClientFrame& frame) {
  command::Command command;
  command.set_user(who.id.str());
  *command.mutable_request() = frame;
  return command;
}

command::Command watch(const Person& who, const ConversationId& where) {
  v1::ClientFrame frame;
  frame.mutable_watch_presence()->set_conversation_id(where.str());
  return frame_of(who, frame);
}

command::Command type(const Person& who, const ConversationId& where) {
  v1::ClientFrame frame;
  frame.mutable_set_typing()->set_conversation_id(where.str());
  frame.mutable_set_typing()->set_typing(true);
  return frame_of(who, frame);
}

}  // namespace

TEST_CASE("ListMembers: pages by user id, over those who left") {
  Play play;
  const Person ann = play.person();
  const auto others = play.people(8);
  const ConversationId club = play.group(ann, others);
  for (std::size_t i = 0; i < 5; ++i) play.leave(others[i], club);
  std::set<std::string> seen;
  std::string after;
  for (bool more = true; more;) {
    const auto page = members(play, ann, club, after, 2);
    REQUIRE(page.members().members_size() > 0);
    CHECK(page.members().members_size() <= 2);
    CHECK(page.members().total() == 4);
    for (const auto& member : page.members().members()) {
      CHECK(seen.insert(member.user_id()).second);
      CHECK(member.joined_number() == 1);
      CHECK((member.role() == v1::OWNER) == (member.user_id() == ann.id.bytes()));
      after = member.user_id();
    }
    more = page.members().more();
  }
  CHECK(seen.size() == 4);
}

TEST_CASE("ListMembers: of a direct conversation, its two") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const auto first = members(play, ann, talk, {}, 1);
  REQUIRE(first.members().members_size() == 1);
  CHECK(first.members().more());
  CHECK(first.members().total() == 2);
  const auto second = members(play, ann, talk, first.members().members(0).user_id(), 1);
  REQUIRE(second.members().members_size() == 1);
  CHECK_FALSE(second.members().more());
  CHECK(second.members().members(0).user_id() != first.members().members(0).user_id());
}

TEST_CASE("ListMembers: for present members, in pages within the bound") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId club = play.group(ann, {ben});
  play.leave(ben, club);
  CHECK(code_of(members(play, ben, club)) == v1::PERMISSION_DENIED);
  CHECK(code_of(members(play, play.person(), club)) == v1::NOT_FOUND);
  CHECK(code_of(members(play, ann, club, {}, 0)) == v1::INVALID_ARGUMENT);
  CHECK(code_of(members(play, ann, club, {}, 1'001)) == v1::TOO_LARGE);
}

TEST_CASE("WatchPresence: the other members, where they are few, for members only") {
  Play play;
  play.stage.limits.presence_members_max = 3;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const auto answer = play.run(watch(ann, talk));
  REQUIRE(answer.watch_list().users_size() == 1);
  CHECK(answer.watch_list().users(0) == ben.id.bytes());
  CHECK(code_of(play.run(watch(play.person(), talk))) == v1::NOT_FOUND);
  const ConversationId club = play.group(ann, play.people(2));
  CHECK(play.run(watch(ann, club)).watch_list().users_size() == 2);
  play.add(ann, club, {ben});
  CHECK(code_of(play.run(watch(ann, club))) == v1::TOO_LARGE);
}

TEST_CASE("SetTyping: tells the other members, writes nothing, for members only") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  CHECK(code_of(play.run(type(ann, talk))) == v1::ERROR_UNSPECIFIED);
  CHECK(play.stage.writes.empty());
  REQUIRE(play.stage.effects.size() == 1);
  const auto& tell = std::get<TellMembers>(play.stage.effects[0]);
  CHECK(tell.conversation == talk);
  CHECK(tell.except == ann.id);
  CHECK(tell.frame.typing().typing());
  CHECK(tell.frame.typing().user_id() == ann.id.bytes());
  CHECK(code_of(play.run(type(play.person(), talk))) == v1::NOT_FOUND);
  CHECK(play.stage.effects.empty());
}

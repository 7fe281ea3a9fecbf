#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "tests/server/chat/play.h"

using namespace holdfast;
using namespace holdfast::chat;

namespace {

v1::ServerFrame positions(Play& play, const Person& who, const ConversationId& where, const std::string& after = {},
                          std::uint32_t limit = 100) {
  return play.ask(who, [&](auto& f) {
    f.mutable_get_positions()->set_conversation_id(where.str());
    f.mutable_get_positions()->set_after_user_id(after);
    f.mutable_get_positions()->set_limit(limit);
  });
}

}  // namespace

TEST_CASE("Mark: positions move forward only, and what is read is delivered") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  for (int i = 0; i < 5; ++i) play.say(ann, talk, "x");
  play.mark(ben, talk, 2, 4);
  const auto seen = [&] { return play.stage.stored<state::Seen>(keys::seen(talk, ben.id)).value(); };
  CHECK(seen().delivered() == 4);
  CHECK(seen().read() == 4);
  CHECK(play.line(ben, talk).unread() == 2);
  play.mark(ben, talk, 3, 2);
  CHECK(play.stage.writes.empty());
  CHECK(play.stage.events.empty());
  play.mark(ben, talk, 6, 0);
  CHECK(seen().delivered() == 6);
  CHECK(seen().read() == 4);
  CHECK(play.line(ben, talk).read_number() == 4);
  CHECK(code_of(play.mark(ben, talk, 7, 7)) == v1::INVALID_ARGUMENT);
  CHECK(code_of(play.mark(play.person(), talk, 1, 1)) == v1::NOT_FOUND);
}

TEST_CASE("Mark: the event carries the posts at the read position, and in direct conversations whom to tell") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  const auto post = play.say(ann, talk, "x");
  play.react(ann, talk, post, "a");
  play.say(ann, talk, "y");
  play.mark(ben, talk, 3, 3);
  REQUIRE(play.stage.events.size() == 1);
  const log::PositionMoved& moved = play.stage.events[0].position_moved();
  CHECK(moved.read_posts() == 1);
  REQUIRE(moved.audience_size() == 1);
  CHECK(moved.audience(0) == ann.id.bytes());
  CHECK_FALSE(moved.tell_members());
}

TEST_CASE("Mark: small groups are told, larger ones are not") {
  Play play;
  play.stage.limits.positions_audience_max = 3;
  const Person ann = play.person();
  const ConversationId club = play.group(ann, play.people(2));
  play.mark(ann, club, 1, 1);
  CHECK(play.stage.events.at(0).position_moved().tell_members());
  play.add(ann, club, play.people(1));
  play.mark(ann, club, 2, 2);
  CHECK_FALSE(play.stage.events.at(0).position_moved().tell_members());
  CHECK(play.stage.events.at(0).position_moved().audience().empty());
}

TEST_CASE("ApplyPosition: the owner's list takes it once, their devices hear of it") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  play.say(ann, talk, "x");
  command::Command command;
  command::ApplyPosition& moved = *command.mutable_apply_position();
  moved.set_conversation(talk.str());
  moved.set_user(ben.id.str());
  moved.set_delivered(2);
  moved.set_read(2);
  moved.set_read_posts(1);
  moved.set_own(true);
  play.stage.run(command);
  CHECK(play.line(ben, talk).unread() == 0);
  play.stage.run(command);
  CHECK(play.stage.writes.empty());
  REQUIRE(play.stage.effects.size() == 1);
  const auto& tell = std::get<TellUsers>(play.stage.effects[0]);
  CHECK(tell.users == std::vector<UserId>{ben.id});
  CHECK(tell.frame.positions_changed().position().read() == 2);
}

TEST_CASE("GetPositions: pages by user, present members only, for members only") {
  Play play;
  const Person ann = play.person();
  const auto others = play.people(5);
  const ConversationId club = play.group(ann, others);
  for (const Person& who : others) play.mark(who, club, 1, 1);
  play.leave(others[0], club);
  std::size_t count = 0;
  std::string after;
  for (bool more = true; more;) {
    const auto page = positions(play, ann, club, after, 3);
    REQUIRE(page.positions().positions_size() > 0);
    for (const auto& position : page.positions().positions()) {
      CHECK(position.user_id() > after);
      CHECK(position.user_id() != others[0].id.bytes());
      after = position.user_id();
      ++count;
    }
    more = page.positions().more();
  }
  CHECK(count == 4);
  CHECK(code_of(positions(play, others[0], club)) == v1::PERMISSION_DENIED);
  CHECK(code_of(positions(play, ann, club, {}, 0)) == v1::INVALID_ARGUMENT);
  CHECK(code_of(positions(play, ann, club, {}, 1'001)) == v1::TOO_LARGE);
  CHECK(code_of(positions(play, ann, club, "short")) == v1::INVALID_ARGUMENT);
}

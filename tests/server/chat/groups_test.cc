#include <catch2/catch.hpp>

#include <algorithm>

#include "storage/keys.h"
#include "tests/server/chat/play.h"

using namespace holdfast;
using namespace holdfast::chat;

namespace {

using Words = std::vector<std::string>;

command::Command removal_of(const Person& who, const ConversationId& where) {
  command::Command command;
  command.mutable_remove_deleted_member()->set_conversation(where.str());
  command.mutable_remove_deleted_member()->set_user(who.id.str());
  return command;
}

}  // namespace

TEST_CASE("AddMembers: who joins gets what follows, and nothing before is unread to them") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId club = play.group(ann, {}, "chess");
  play.say(ann, club, "before");
  CHECK(play.add(ann, club, {ben}).change().number() == 3);
  play.say(ann, club, "after");
  CHECK(words_of(play.inbox(ben)) == Words{"added", "after"});
  CHECK(play.line(ben, club).unread() == 1);
  CHECK(play.line(ben, club).title() == "chess");
  play.check_sequence(club);
}

TEST_CASE("AddMembers: who is in already is left as they are; if all are, no number is taken") {
  Play play;
  const Person ann = play.person(), ben = play.person(), cid = play.person();
  const ConversationId club = play.group(ann, {ben});
  CHECK(code_of(play.add(ben, club, {cid})) == v1::PERMISSION_DENIED);
  CHECK(play.add(ann, club, {ben, ann}).change().number() == 1);
  CHECK(play.add(ann, club, {ben, cid}).change().number() == 2);
  CHECK(play.change(club, 2).members_added().members_size() == 1);
  CHECK(play.row(club).members() == 3);
  CHECK(code_of(play.add(ann, club, {})) == v1::INVALID_ARGUMENT);
  play.check_sequence(club);
}

TEST_CASE("AddMembers: a group has a bounded number of members") {
  Play play;
  play.stage.limits.group_members_max = 3;
  const Person ann = play.person();
  const ConversationId club = play.group(ann, play.people(1));
  CHECK(code_of(play.add(ann, club, play.people(2))) == v1::TOO_LARGE);
  CHECK(play.add(ann, club, play.people(1)).has_change());
}

TEST_CASE("RemoveMember: who is removed gets the removal and nothing after it") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId club = play.group(ann, {ben});
  const auto removal = play.remove(ann, club, ben).change().number();
  const auto member = play.stage.stored<state::MemberRow>(keys::member(club, ben.id)).value();
  CHECK(member.intervals(0).joined() == 1);
  CHECK(member.intervals(0).left() == removal + 1);
  play.say(ann, club, "he is gone");
  CHECK(words_of(play.inbox(ben)) == Words{"created", "left"});
  CHECK(play.line(ben, club).left());
  CHECK(play.line(ben, club).last_number() == removal);
  CHECK_FALSE(play.line(ann, club).left());
  play.check_sequence(club);
}

TEST_CASE("RemoveMember: the event names who is removed, so that they get their removal") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId club = play.group(ann, {ben});
  play.remove(ann, club, ben);
  REQUIRE(play.stage.events.size() == 1);
  REQUIRE(play.stage.events[0].change_made().also_size() == 1);
  CHECK(play.stage.events[0].change_made().also(0) == ben.id.bytes());
}

TEST_CASE("RemoveMember: members remove nobody, admins members, the owner anybody") {
  Play play;
  const Person ann = play.person(), ben = play.person(), cid = play.person(), dan = play.person();
  const ConversationId club = play.group(ann, {ben, cid, dan});
  CHECK(code_of(play.remove(dan, club, cid)) == v1::PERMISSION_DENIED);
  play.set_role(ann, club, ben, v1::ADMIN);
  play.set_role(ann, club, cid, v1::ADMIN);
  CHECK(code_of(play.remove(ben, club, cid)) == v1::PERMISSION_DENIED);
  CHECK(code_of(play.remove(ben, club, ann)) == v1::PERMISSION_DENIED);
  CHECK(play.remove(ben, club, dan).has_change());
  CHECK(code_of(play.remove(ben, club, dan)) == v1::NOT_FOUND);
  CHECK(play.remove(ann, club, cid).has_change());
  CHECK(play.remove(ben, club, ben).has_change());
  CHECK(play.row(club).members() == 1);
  CHECK(play.row(club).admins().empty());
  play.check_sequence(club);
}

TEST_CASE("Leave: the group goes to the oldest admin, else to the oldest member, else it is empty") {
  Play play;
  const Person ann = play.person(), ben = play.person(), cid = play.person(), dan = play.person();
  const ConversationId club = play.group(ann, {});
  play.add(ann, club, {dan});
  play.add(ann, club, {ben});
  play.add(ann, club, {cid});
  play.set_role(ann, club, cid, v1::ADMIN);
  play.set_role(ann, club, ben, v1::ADMIN);

  play.leave(ann, club);
  CHECK(play.row(club).owner() == cid.id.bytes());
  CHECK(play.line(cid, club).role() == v1::OWNER);
  play.set_role(cid, club, ben, v1::MEMBER);
  play.leave(cid, club);
  CHECK(play.row(club).owner() == dan.id.bytes());
  CHECK(play.line(dan, club).role() == v1::OWNER);
  play.leave(ben, club);
  CHECK(code_of(play.leave(ben, club)) == v1::PERMISSION_DENIED);
  play.leave(dan, club);
  CHECK(play.row(club).members() == 0);
  CHECK(play.row(club).owner().empty());
  CHECK(code_of(play.leave(ann, play.open(ann, ben))) == v1::PRECONDITION_FAILED);
  play.check_sequence(club);
}

TEST_CASE("Leave: who comes back has both intervals, and not what was said between") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId club = play.group(ann, {ben});
  play.say(ann, club, "first");
  play.leave(ben, club);
  play.say(ann, club, "behind his back");
  play.add(ann, club, {ben});
  play.say(ann, club, "second");
  CHECK(words_of(play.inbox(ben)) == Words{"created", "first", "left", "added", "second"});
  CHECK(numbers_of(play.history(ben, club)) == std::vector<std::uint64_t>{1, 2, 3, 5, 6});
  CHECK(play.line(ben, club).unread() == 1);
  CHECK_FALSE(play.line(ben, club).left());
}

TEST_CASE("SetRole: the owner's right; OWNER hands the group over") {
  Play play;
  const Person ann = play.person(), ben = play.person(), eve = play.person();
  const ConversationId club = play.group(ann, {ben});
  CHECK(code_of(play.set_role(ben, club, ben, v1::ADMIN)) == v1::PERMISSION_DENIED);
  CHECK(code_of(play.set_role(ann, club, eve, v1::ADMIN)) == v1::NOT_FOUND);
  CHECK(code_of(play.set_role(ann, club, ann, v1::MEMBER)) == v1::PRECONDITION_FAILED);
  CHECK(code_of(play.set_role(ann, club, ben, v1::ROLE_UNSPECIFIED)) == v1::INVALID_ARGUMENT);
  CHECK(play.set_role(ann, club, ben, v1::MEMBER).change().number() == 1);
  CHECK(play.set_role(ann, club, ben, v1::OWNER).change().number() == 2);
  CHECK(play.row(club).owner() == ben.id.bytes());
  CHECK(play.line(ben, club).role() == v1::OWNER);
  CHECK(play.line(ann, club).role() == v1::ADMIN);
  CHECK(code_of(play.set_role(ann, club, ben, v1::MEMBER)) == v1::PERMISSION_DENIED);
  play.check_sequence(club);
}

TEST_CASE("SetRole: a group has a bounded number of admins") {
  Play play;
  play.stage.limits.group_admins_max = 1;
  const Person ann = play.person(), ben = play.person(), cid = play.person();
  const ConversationId club = play.group(ann, {ben, cid});
  CHECK(play.set_role(ann, club, ben, v1::ADMIN).has_change());
  CHECK(code_of(play.set_role(ann, club, cid, v1::ADMIN)) == v1::TOO_LARGE);
  CHECK(code_of(play.set_role(ann, club, cid, v1::OWNER)) == v1::TOO_LARGE);
  CHECK(play.set_role(ann, club, ben, v1::OWNER).has_change());
  play.check_sequence(club);
}

TEST_CASE("Large groups: the switch is a change of its own in the same entry, and back below a lower bound") {
  Play play;
  play.stage.limits.large_group_above = 4;
  play.stage.limits.large_group_back_at = 2;
  const Person ann = play.person(), ben = play.person(), cid = play.person();
  const ConversationId club = play.group(ann, {ben, cid});
  play.add(ann, club, play.people(2));
  REQUIRE(play.stage.events.size() == 2);
  CHECK(play.change(club, 3).delivery_changed().large());
  CHECK_FALSE(play.stage.events[1].change_made().large());
  CHECK(play.row(club).large());

  play.say(ann, club, "many");
  play.say(ann, club, "more");
  CHECK(words_of(play.inbox(ben)) == Words{"created", "added", "large"});
  const auto head = play.stage.stored<v1::InboxItem>(keys::head(ben.id, club)).value();
  CHECK(head.head() == 5);
  CHECK(head.position() == play.stage.stored<state::Mailbox>(keys::mailbox(ben.id))->head());
  CHECK(play.line(ben, club).unread() == 2);

  const std::string prefix = keys::prefix(keys::Family::member, club.bytes());
  std::vector<Person> others;
  for (const auto& [key, value] : play.stage.rows) {
    if (!key.starts_with(prefix)) continue;
    const UserId user = UserId::from_bytes(key.substr(prefix.size())).value();
    if (user != ann.id && user != ben.id) others.push_back({user, {}});
  }
  for (const Person& other : others) play.remove(ann, club, other);
  CHECK_FALSE(play.row(club).large());
  play.say(ann, club, "few");
  const Words words = words_of(play.inbox(ben));
  CHECK(Words(words.end() - 2, words.end()) == Words{"small", "few"});
  play.check_sequence(club);
}

TEST_CASE("A deleted account leaves its groups, hands them over, and is erased from what others keep") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId club = play.group(ann, {ben});
  const auto by_ann = play.say(ann, club, "mine");
  const auto by_ben = play.say(ben, club, "his");
  play.react(ann, club, by_ben, "+1");
  play.run(removal_of(ann, club));
  CHECK(play.row(club).owner() == ben.id.bytes());
  CHECK(play.row(club).members() == 1);
  CHECK(play.change(club, by_ann).author().empty());
  CHECK(play.change(club, by_ann).posted().body() == "mine");
  CHECK(play.change(club, by_ben).author() == ben.id.bytes());
  CHECK(play.change(club, by_ben).posted().reactions(0).user_id().empty());
  play.add(ben, club, {ann});
  CHECK(play.row(club).members() == 1);
  play.check_sequence(club);
}

TEST_CASE("A deleted account's name is erased from all of a long conversation, a stretch at a time") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  for (int i = 0; i < 450; ++i) play.say(ann, talk, "x");
  play.run(removal_of(ann, talk));
  for (std::uint64_t n = 1; n <= play.row(talk).last_number(); ++n) CHECK(play.change(talk, n).author().empty());
  CHECK(code_of(play.post(ben, talk, "hello?", play.stage.fresh_id())) == v1::PRECONDITION_FAILED);
  CHECK(play.history(ben, talk).history().changes_size() > 0);
}

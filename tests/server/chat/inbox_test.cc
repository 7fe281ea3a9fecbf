#include <catch2/catch.hpp>

#include "server/chat/inbox_item.h"
#include "storage/keys.h"
#include "tests/server/chat/play.h"

using namespace holdfast;
using namespace holdfast::chat;

namespace {

using Words = std::vector<std::string>;

state::Mailbox mailbox(const Play& play, const Person& who) {
  return play.stage.stored<state::Mailbox>(keys::mailbox(who.id)).value();
}

command::Command delivery_of(const ConversationId& where, std::uint64_t number, const std::vector<Person>& users) {
  command::Command command;
  command::Deliver& deliver = *command.mutable_deliver();
  deliver.set_conversation(where.str());
  deliver.set_kind(v1::GROUP);
  deliver.set_number(number);
  deliver.set_posts(number);
  deliver.set_time_ms(1);
  deliver.set_is_post(true);
  deliver.set_reference(true);
  for (const Person& user : users) deliver.add_users(user.id.str());
  return command;
}

void set_source(command::Command& command, std::uint32_t partition, std::uint64_t seq, std::uint32_t event) {
  command.mutable_source()->set_subscriber("delivery");
  command.mutable_source()->set_partition(partition);
  command.mutable_source()->set_seq(seq);
  command.mutable_source()->set_event(event);
}

}  // namespace

TEST_CASE("Deliver: each member gets each change once, in order, whole") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  play.say(ann, talk, "one");
  play.say(ben, talk, "two");
  for (const Person& who : {ann, ben}) {
    CHECK(words_of(play.inbox(who)) == Words{"created", "one", "two"});
    CHECK(mailbox(play, who).head() == 3);
  }
  const auto items = play.inbox(ben);
  CHECK(items[1].conversation_id() == talk.bytes());
  CHECK(items[1].position() == 0);
  CHECK(items[1].change().SerializeAsString() == play.change(talk, 2).SerializeAsString());
}

TEST_CASE(
    "Deliver: after a restore positions begin beyond all that were ever given out, and nothing is too old by that") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  play.say(ann, talk, "one");
  play.stage.first_position = 1'000'001;
  play.say(ben, talk, "two");
  play.say(ben, talk, "three");
  CHECK(mailbox(play, ann).head() == 1'000'002);
  CHECK(mailbox(play, ann).skipped() == 1'000'000 - 2);
  CHECK(words_of(play.inbox(ann)) == Words{"created", "one", "two", "three"});
  play.stage.limits.inbox_rows_max = 3;
  command::Command sweep;
  sweep.mutable_sweep()->set_family(static_cast<std::uint32_t>(keys::Family::inbox));
  play.stage.run(sweep);
  CHECK(words_of(play.inbox(ann)) == Words{"one", "two", "three"});  // the three newest, as ever
}

TEST_CASE("Deliver: a change beyond 1 KiB stands as a reference, a short one whole, beyond 100 members, too") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  play.say(ann, talk, std::string(2'000, 'x'));
  CHECK(words_of(play.inbox(ben)).back() == "reference:2");
  const ConversationId crowd = play.group(ann, play.people(100));
  play.say(ann, crowd, "hi");
  CHECK(words_of(play.inbox(ann)).back() == "hi");
}

TEST_CASE("Deliver: what a source has sent is taken once and in order, for each source by itself") {
  Play play;
  const Person ann = play.person();
  const ConversationId where = play.stage.fresh<ConversationId>();
  const auto send = [&](std::uint64_t number, std::uint32_t partition, std::uint64_t seq, std::uint32_t event) {
    command::Command command = delivery_of(where, number, {ann});
    set_source(command, partition, seq, event);
    play.stage.run(command);
    return !play.stage.writes.empty();
  };
  CHECK(send(1, 7, 10, 1));
  CHECK_FALSE(send(1, 7, 10, 1));
  CHECK_FALSE(send(1, 7, 10, 0));
  CHECK_FALSE(send(1, 7, 9, 5));
  CHECK(send(2, 7, 10, 2));
  CHECK(send(3, 7, 11, 0));
  CHECK(send(4, 8, 1, 0));
  CHECK(mailbox(play, ann).head() == 4);
}

TEST_CASE("Deliver: a user without a mailbox is skipped, the others are not") {
  Play play;
  const Person ann = play.person(), gone = play.person(), ben = play.person();
  play.stage.rows.erase(keys::mailbox(gone.id));
  play.stage.run(delivery_of(play.stage.fresh<ConversationId>(), 1, {ann, gone, ben}));
  CHECK(play.inbox(ann).size() == 1);
  CHECK(play.inbox(gone).empty());
  CHECK(play.inbox(ben).size() == 1);
  CHECK_FALSE(play.stage.rows.contains(keys::mailbox(gone.id)));
}

TEST_CASE("Deliver: who was added while their account was being deleted leaves again") {
  Play play;
  const Person ann = play.person(), gone = play.person();
  play.stage.rows.erase(keys::mailbox(gone.id));
  const ConversationId club = play.group(ann, {gone});
  CHECK(play.row(club).members() == 1);
  CHECK(words_of(play.inbox(ann)) == Words{"created", "left"});
  play.check_sequence(club);
}

TEST_CASE("Deliver: the connected hear of each row, by position") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId where = play.stage.fresh<ConversationId>();
  play.stage.run(delivery_of(where, 1, {ann, ben}));
  REQUIRE(play.stage.effects.size() == 2);
  const auto& added = std::get<InboxAdded>(play.stage.effects[1]);
  CHECK(added.user == ben.id);
  CHECK(added.position == 1);
  CHECK(added.item == play.stage.rows.at(keys::inbox(ben.id, 1)));
}

TEST_CASE("Deliver: a head takes a new position each time and overwrites the one before") {
  Play play;
  const Person ann = play.person();
  const ConversationId where = play.stage.fresh<ConversationId>();
  for (std::uint64_t number : {5u, 6u}) {
    command::Command command = delivery_of(where, number, {ann});
    command.mutable_deliver()->set_head(true);
    play.stage.run(command);
  }
  CHECK(play.inbox(ann).empty());
  const auto head = play.stage.stored<v1::InboxItem>(keys::head(ann.id, where)).value();
  CHECK(head.position() == 2);
  CHECK(head.head() == 6);
  CHECK(head.conversation_id() == where.bytes());
  REQUIRE(play.stage.effects.size() == 1);
  CHECK(std::get<InboxAdded>(play.stage.effects[0]).position == 2);
}

TEST_CASE("Deliver: posting moves the author's own read position") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  play.say(ben, talk, "one");
  CHECK(play.line(ann, talk).unread() == 1);
  const auto number = play.say(ann, talk, "two");
  CHECK(play.line(ann, talk).unread() == 0);
  CHECK(play.line(ann, talk).read_number() == number);
  CHECK(play.line(ben, talk).unread() == 1);
}

TEST_CASE("AckInbox: a cursor moves forward only, and not beyond the head") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  for (int i = 0; i < 4; ++i) play.say(ann, talk, "x");
  CHECK(code_of(play.ack(ben, 3)) == v1::ERROR_UNSPECIFIED);
  CHECK(mailbox(play, ben).cursors(0).position() == 3);
  play.ack(ben, 2);
  CHECK(play.stage.writes.empty());
  play.ack(ben, 3);
  CHECK(play.stage.writes.empty());
  CHECK(code_of(play.ack(ben, 6)) == v1::INVALID_ARGUMENT);
  CHECK(code_of(play.ack({ben.id, play.stage.fresh<SessionId>()}, 4)) == v1::SESSION_ENDED);
  CHECK(play.inbox(ben).size() == 5);
}

TEST_CASE("AckInbox: rows that every session has are removed, a stretch at a time") {
  Play play;
  play.stage.limits.inbox_trim_rows = 4;
  const Person ann = play.person(), ben = play.person();
  const Person tablet{ben.id, play.stage.fresh<SessionId>()};
  state::Mailbox two = mailbox(play, ben);
  two.add_cursors()->set_session(tablet.session.str());
  play.stage.rows[keys::mailbox(ben.id)] = two.SerializeAsString();
  const ConversationId talk = play.open(ann, ben);
  for (int i = 0; i < 9; ++i) play.say(ann, talk, std::to_string(i));

  play.ack(ben, 8);
  CHECK(play.inbox(ben).size() == 10);
  play.ack(tablet, 3);
  CHECK(play.inbox(ben).size() == 10);
  play.ack(tablet, 5);
  CHECK(words_of(play.inbox(ben)) == Words{"4", "5", "6", "7", "8"});
  CHECK(mailbox(play, ben).first() == 6);
  play.ack(tablet, 8);
  CHECK(mailbox(play, ben).first() == 6);
  play.ack(tablet, 9);
  CHECK(mailbox(play, ben).first() == 6);
  play.ack(ben, 10);
  CHECK(mailbox(play, ben).first() == 10);
  CHECK(words_of(play.inbox(ben)) == Words{"8"});
}

TEST_CASE("An inbox item written by hand is what the schema says") {
  v1::Change change;
  change.set_number(300);
  change.mutable_posted()->set_body(std::string(1'000, 'x'));
  const std::string where(16, 'c');
  v1::InboxItem item;
  REQUIRE(item.ParseFromString(with_position(70'000, item_of_change(where, change.SerializeAsString()))));
  CHECK(item.position() == 70'000);
  CHECK(item.conversation_id() == where);
  CHECK(item.change().SerializeAsString() == change.SerializeAsString());
  REQUIRE(item.ParseFromString(item_of_reference(where, 1u << 20, 1'700'000'000'000, true)));
  CHECK(item.reference() == 1u << 20);
  REQUIRE(item.ParseFromString(item_of_head(where, ~std::uint64_t{0})));
  CHECK(item.head() == ~std::uint64_t{0});
}

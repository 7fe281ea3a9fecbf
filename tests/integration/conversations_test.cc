/// Plays: what people do in conversations, through the client library, over every transport.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/integration/person.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/shared_server.h"

namespace holdfast {
namespace {

namespace ask = client::ask;
using testing::fresh_name;
using testing::Over;
using testing::Person;
using testing::shared_server;
using testing::Stage;

std::vector<std::uint64_t> numbers_of(const v1::HistoryReply& page) {
  std::vector<std::uint64_t> numbers;
  for (const auto& change : page.changes()) numbers.push_back(change.number());
  return numbers;
}

v1::ConversationSummary summary_of(Person& person, const ConversationId& id) {
  const auto list = person.ask(ask::list_conversations("", 200)).conversations();
  for (const auto& one : list.conversations())
    if (one.conversation_id() == id.bytes()) return one;
  FAIL("the conversation is in the list");
  return {};
}

}  // namespace

TEST_CASE("Chat: two users talk, over every transport") {
  Stage stage(shared_server());
  for (const Over over : {Over::plain, Over::tls, Over::websocket, Over::websocket_tls}) {
    Person ada(stage, fresh_name("ada"), over), bob(stage, fresh_name("bob"), over);
    const ConversationId talk = ada.direct_with(bob);
    CHECK(talk == bob.direct_with(ada));
    CHECK(ada.say(talk, "hello") == 2);
    CHECK(bob.hears(talk, 2).posted().body() == "hello");
    CHECK(bob.say(talk, std::string(60'000, 'x')) == 3);  // comes as a reference, which the library fetches
    CHECK(ada.hears(talk, 3).posted().body().size() == 60'000);
    CHECK(ada.hears(talk, 1).has_created());
    CHECK(ada.client().logins() == 1);
  }
}

TEST_CASE("Chat: edits, deletions and reactions reach everybody, and history shows what is now") {
  Stage stage(shared_server());
  Person ada(stage, fresh_name("ada")), bob(stage, fresh_name("bob"));
  const ConversationId talk = ada.direct_with(bob);
  const auto first = ada.say(talk, "frist");
  const auto second = ada.say(talk, "to be deleted");
  const auto edit = ada.ask(ask::edit(talk, first, "first")).change().number();
  CHECK(edit == second + 1);
  const auto& edited = bob.hears(talk, edit).edited();
  CHECK(edited.target() == first);
  CHECK(edited.body() == "first");
  const auto reaction = bob.ask(ask::react(talk, first, "+1")).change().number();
  CHECK(ada.hears(talk, reaction).reacted().reaction() == "+1");
  CHECK(bob.ask(ask::react(talk, first, "+1")).change().number() == reaction);  // nothing to change
  const auto deletion = ada.ask(ask::remove(talk, second)).change().number();
  CHECK(bob.hears(talk, deletion).deleted().target() == second);

  const auto page = bob.ask(ask::history(talk, {.from = 0, .backward = false, .limit = 500})).history();
  REQUIRE(numbers_of(page) == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6});
  CHECK_FALSE(page.more());
  const auto& now = page.changes(1).posted();
  CHECK(now.body() == "first");
  CHECK(now.edited_number() == edit);
  REQUIRE(now.reactions_size() == 1);
  CHECK(now.reactions(0).user_id() == bob.id().bytes());
  CHECK(page.changes(2).posted().deleted());
  CHECK(page.changes(2).posted().body().empty());
  CHECK(bob.refused(ask::react(talk, second, "+1")) == v1::NOT_FOUND);
  CHECK(ada.ask(ask::react(talk, first, "+1", true)).change().number() == deletion);  // it was bob's
}

TEST_CASE("Chat: history pages in both directions without gaps") {
  Stage stage(shared_server());
  Person ada(stage, fresh_name("ada"));
  const auto group =
      *ConversationId::from_bytes(ada.ask(ask::create_group("notes", {})).conversation().conversation_id());
  for (int i = 0; i < 60; ++i) ada.mutter(group, "note");
  ada.hears(group, 61);
  std::vector<std::uint64_t> forward, backward;
  for (std::uint64_t from = 1;;) {
    const auto page = ada.ask(ask::history(group, {.from = from, .backward = false, .limit = 7})).history();
    for (const auto n : numbers_of(page)) forward.push_back(n);
    CHECK(page.last_number() == 61);
    if (!page.more()) break;
    from = forward.back() + 1;
  }
  for (std::uint64_t from = 0;;) {
    const auto page = ada.ask(ask::history(group, {.from = from, .backward = true, .limit = 7})).history();
    for (const auto n : numbers_of(page)) backward.push_back(n);
    if (!page.more()) break;
    from = backward.back() - 1;
  }
  CHECK(forward.size() == 61);
  CHECK(std::is_sorted(forward.begin(), forward.end()));
  std::reverse(backward.begin(), backward.end());
  CHECK(forward == backward);
}

TEST_CASE("Chat: a group's members come and go, and each sees what was said while they were in") {
  Stage stage(shared_server());
  Person ada(stage, fresh_name("ada")), bob(stage, fresh_name("bob")), eve(stage, fresh_name("eve"));
  const auto group =
      *ConversationId::from_bytes(ada.ask(ask::create_group("a group", {bob.id()})).conversation().conversation_id());
  CHECK(ada.say(group, "before eve") == 2);
  CHECK(ada.ask(ask::add_members(group, {eve.id()})).change().number() == 3);
  CHECK(eve.hears(group, 3).members_added().members(0) == eve.id().bytes());
  CHECK(bob.say(group, "hello eve") == 4);
  CHECK(eve.hears(group, 4).posted().body() == "hello eve");
  CHECK(ada.ask(ask::remove_member(group, eve.id())).change().number() == 5);
  CHECK(eve.hears(group, 5).member_left().user_id() == eve.id().bytes());
  CHECK(bob.say(group, "without eve") == 6);
  CHECK(eve.refused(ask::post(group, "let me in")) != v1::ERROR_UNSPECIFIED);
  const auto page = eve.ask(ask::history(group, {.from = 0, .backward = false, .limit = 500})).history();
  CHECK(numbers_of(page) == std::vector<std::uint64_t>{3, 4, 5});
  CHECK(summary_of(eve, group).left());

  CHECK(ada.ask(ask::rename_group(group, "another name")).change().number() == 7);
  CHECK(ada.ask(ask::leave(group)).change().number() == 8);
  CHECK(bob.hears(group, 9).role_changed().role() == v1::OWNER);
  CHECK(summary_of(bob, group).title() == "another name");
  stage.until("bob is the owner in his list", [&] { return summary_of(bob, group).role() == v1::OWNER; });
  const auto members = bob.ask(ask::list_members(group, "", 10)).members();
  REQUIRE(members.members_size() == 1);
  CHECK(members.members(0).role() == v1::OWNER);
  CHECK(members.total() == 1);
}

TEST_CASE("Chat: unread counts, positions, mute and pin") {
  Stage stage(shared_server());
  Person ada(stage, fresh_name("ada")), bob(stage, fresh_name("bob")), eve(stage, fresh_name("eve"));
  const ConversationId with_ada = bob.direct_with(ada), with_eve = bob.direct_with(eve);
  ada.say(with_ada, "one");
  const auto second = ada.say(with_ada, "two");
  const auto time = bob.hears(with_ada, second).time_ms();
  while (bob.hears(with_eve, eve.say(with_eve, "three")).time_ms() == time) continue;  // within one millisecond
  CHECK(summary_of(bob, with_ada).unread() == 2);
  CHECK(summary_of(ada, with_ada).unread() == 0);
  CHECK(summary_of(bob, with_ada).peer() == ada.id().bytes());
  const auto list = bob.ask(ask::list_conversations("", 200)).conversations();
  REQUIRE(list.conversations_size() == 2);
  CHECK(list.conversations(0).conversation_id() == with_eve.bytes());  // the newest first

  bob.ask(ask::mark(with_ada, second, second - 1));
  stage.until("the position reaches ada", [&] { return !ada.positions.empty(); });
  CHECK(ada.positions.back().position().delivered() == second);
  CHECK(ada.positions.back().position().read() == second - 1);
  stage.until("bob's count goes down", [&] { return summary_of(bob, with_ada).unread() == 1; });
  bob.ask(ask::mark(with_ada, 0, 0));  // never back
  const auto positions = ada.ask(ask::get_positions(with_ada, "", 10)).positions();
  bool found = false;
  for (const auto& one : positions.positions())
    if (one.user_id() == bob.id().bytes()) found = one.read() == second - 1 && one.delivered() == second;
  CHECK(found);

  bob.ask(ask::set_conversation(with_ada, true, true));
  const auto pinned = bob.ask(ask::list_conversations("", 1)).conversations();
  REQUIRE(pinned.conversations_size() == 1);
  CHECK(pinned.conversations(0).conversation_id() == with_ada.bytes());
  CHECK(pinned.conversations(0).pinned());
  CHECK(pinned.conversations(0).muted());
  const auto next = bob.ask(ask::list_conversations(pinned.next_page_token(), 1)).conversations();
  REQUIRE(next.conversations_size() == 1);
  CHECK(next.conversations(0).conversation_id() == with_eve.bytes());
  CHECK(next.next_page_token().empty());
}

TEST_CASE("Chat: typing and presence are seen by those who share a conversation") {
  Stage stage(shared_server());
  Person ada(stage, fresh_name("ada"));
  auto bob = std::make_unique<Person>(stage, fresh_name("bob"));
  const ConversationId talk = ada.direct_with(*bob);
  bob->hears(talk, 1);
  bob->client().cast(ask::set_typing(talk, true));
  stage.until("typing is seen", [&] { return !ada.typing.empty(); });
  CHECK(ada.typing.back().user_id() == bob->id().bytes());
  CHECK(ada.typing.back().typing());
  CHECK(bob->typing.empty());

  const std::string bob_id = bob->id().str();
  const auto watched = ada.ask(ask::watch_presence(talk)).presence();
  REQUIRE(watched.users_size() == 1);
  CHECK(watched.valid_s() == 300);
  stage.until("bob is online", [&] { return ada.online[bob_id]; });
  bob.reset();
  stage.until("bob is offline", [&] { return !ada.online[bob_id]; });
}

TEST_CASE("Chat: what a blocked user says in the direct conversation is hidden, without a gap") {
  Stage stage(shared_server());
  Person ada(stage, fresh_name("ada")), bob(stage, fresh_name("bob"));
  const ConversationId talk = ada.direct_with(bob);
  bob.say(talk, "before");
  ada.hears(talk, 2);
  ada.ask(ask::block_user(bob.id(), true));
  CHECK(ada.ask(ask::list_blocks()).blocks().user_ids(0) == bob.id().bytes());
  CHECK(bob.say(talk, "blocked") == 3);
  CHECK(ada.hears(talk, 3).has_hidden());
  CHECK(bob.hears(talk, 3).posted().body() == "blocked");
  ada.ask(ask::block_user(bob.id(), false));
  CHECK(bob.say(talk, "after") == 4);
  CHECK(ada.hears(talk, 4).posted().body() == "after");
  const auto page = ada.ask(ask::history(talk, {.from = 0, .backward = false, .limit = 500})).history();
  REQUIRE(numbers_of(page) == std::vector<std::uint64_t>{1, 2, 3, 4});
  CHECK(page.changes(2).has_hidden());
  CHECK(summary_of(ada, talk).unread() == 2);
}

TEST_CASE("Chat: a new device reads history, one that was away gets exactly what it missed") {
  Stage stage(shared_server());
  const std::string name = fresh_name("bob");
  Person ada(stage, fresh_name("ada"));
  client::MemorySessionStore kept;
  ConversationId talk;
  std::string token;
  std::uint64_t cursor = 0;
  {
    Person bob(stage, name);
    talk = ada.direct_with(bob);
    bob.hears(talk, 1);
    const auto saved = bob.store().load();
    REQUIRE((saved && *saved));
    token = (*saved)->token;
    cursor = bob.client().session().cursor + 1;
  }
  for (int i = 0; i < 20; ++i) ada.say(talk, "missed");
  Person back(stage, name, Person::Device{.credentials = client::ResumeWith{token, cursor}});
  back.hears(talk, 21);
  CHECK(back.changes(talk).begin()->first == 2);
  CHECK(back.client().logins() == 0);
  Person fresh(stage, name, Person::Device{.credentials = client::LogInWith{name, Person::kPassword}});
  stage.until("the new device is in", [&] { return fresh.client().online(); });
  CHECK(fresh.newest(talk) == 0);
  CHECK(fresh.ask(ask::history(talk, {.limit = 500})).history().changes_size() == 21);
  CHECK(ada.say(talk, "to both") == 22);
  back.hears(talk, 22);
  CHECK(fresh.hears(talk, 22).posted().body() == "to both");
}

}  // namespace holdfast

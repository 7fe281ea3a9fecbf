#include "server/partition.h"

#include <catch2/catch.hpp>
#include <utility>

#include "server/chat/conversation_id.h"
#include "server/services/due.h"
#include "tests/server/chat_bench.h"

namespace holdfast {
namespace {

TEST_CASE("Partition: nothing is decided or read before its epoch is open (F5, F6)") {
  ChatBench bench;
  bench.user(kAlice, {kPhone});
  const auto write = bench.ask(kAlice, requests::open_direct(kBob));
  const auto read = bench.ask(kAlice, requests::list_conversations());
  bench.turn();
  REQUIRE(bench.in_flight);
  CHECK((bench.rows_wanted.empty() && bench.ranges_wanted.empty()));
  CHECK_FALSE((bench.answer(write) || bench.answer(read)));
  bench.durable();
  bench.run();
  CHECK(bench.frame(write).has_conversation());
  CHECK(bench.frame(read).has_conversations());
  CHECK(bench.entries[0]->kind() == log::Entry::EPOCH_START);
}

TEST_CASE("Partition: an answer leaves when the entry it was decided with is durable, not before (W6)") {
  ChatBench bench;
  bench.open();
  const std::string where = bench.direct(kAlice, kBob);
  const auto place = bench.ask(kAlice, requests::post(where, "hello"));
  bench.turn();
  bench.load_rows();
  REQUIRE(bench.in_flight);
  CHECK_FALSE(bench.answer(place));
  CHECK(bench.entries.size() == 1);  // I9: not committed, and so given to nobody
  bench.durable();
  REQUIRE(bench.answer(place));
  CHECK(bench.frame(place).change().number() == 1);
}

TEST_CASE("Partition: what comes while an entry is in flight shares the next one (W1)") {
  ChatBench bench;
  bench.open();
  const std::string where = bench.direct(kAlice, kBob);
  bench.ask(kAlice, requests::post(where, "first"));
  bench.turn();
  bench.load_rows();
  const auto second = bench.ask(kAlice, requests::post(where, "second"));
  const auto third = bench.ask(kBob, requests::post(where, "third"));
  bench.turn();
  bench.durable();
  CHECK_FALSE(bench.answer(second));
  bench.run();
  CHECK(bench.frame(second).change().number() == 2);
  CHECK(bench.frame(third).change().number() == 3);
  CHECK(bench.entries.size() == 3);
}

TEST_CASE("Partition: held for a backup it finishes what is in flight, decides nothing new, and goes on by itself") {
  ChatBench bench;
  bench.open();
  const std::string where = bench.direct(kAlice, kBob);
  const auto flying = bench.ask(kAlice, requests::post(where, "in flight"));
  bench.turn();
  bench.load_rows();
  REQUIRE(bench.in_flight);
  Partition& partition = bench.serving();
  partition.hold(bench.steady + std::chrono::seconds(2));
  CHECK_FALSE(partition.is_at_rest());
  const auto waiting = bench.ask(kAlice, requests::post(where, "waits"));
  bench.run();
  CHECK(bench.answer(flying));
  CHECK_FALSE(bench.answer(waiting));
  CHECK(partition.is_at_rest());
  SECTION("when it is let go") {
    partition.let_go();
    bench.run();
    CHECK(bench.answer(waiting));
  }
  SECTION("when the time is up") {
    partition.tick(bench.steady + std::chrono::milliseconds(2'100), bench.now);
    bench.run();
    CHECK_FALSE(partition.is_held());
    CHECK(bench.answer(waiting));
  }
}

TEST_CASE("Partition: a refusal that was decided beside writes waits for them (W6)") {
  ChatBench bench;
  bench.open();
  const std::string where = bench.direct(kAlice, kBob);
  bench.ask(kAlice, requests::post(where, "load the rows"));
  bench.run();
  bench.now += std::chrono::milliseconds(1);  // a newer id than the last: nothing is to be looked up
  bench.ask(kAlice, requests::post(where, "a write"));
  const auto refused = bench.ask(kAlice, requests::open_direct(kAlice));
  bench.turn();
  REQUIRE(bench.in_flight);
  CHECK_FALSE(bench.answer(refused));
  bench.durable();
  CHECK(bench.error(refused) == v1::INVALID_ARGUMENT);
}

TEST_CASE("Partition: the same post twice in one entry is one change (W2, I10)") {
  ChatBench bench;
  bench.open();
  const std::string where = bench.direct(kAlice, kBob);
  const v1::ClientFrame post = bench.with_id(requests::post(where, "once"));
  const auto first = bench.request(kAlice, post), again = bench.request(kAlice, post);
  bench.run();
  CHECK(bench.frame(first).change().number() == 1);
  CHECK(bench.frame(again).change().number() == 1);
  CHECK(bench.stored<state::Conversation>(keys::conversation(chat::direct_conversation(kAlice, kBob)))->posts() == 1);
  const auto later = bench.request(kAlice, post);  // of what is committed, and no longer in memory
  bench.run();
  CHECK(bench.frame(later).change().number() == 1);
}

TEST_CASE("Partition: posts keep their order when the first of them steps aside for rows") {
  ChatBench bench;
  bench.open();
  const std::string here = bench.direct(kAlice, kBob), there = bench.direct(kAlice, kCarol);
  bench.ask(kAlice, requests::post(there, "in memory"));
  bench.run();
  const auto first = bench.ask(kAlice, requests::post(here, "first"));
  bench.turn();
  REQUIRE_FALSE(bench.rows_wanted.empty());
  const auto second = bench.ask(kAlice, requests::post(here, "second"));
  const auto elsewhere = bench.ask(kAlice, requests::post(there, "not held up"));
  bench.turn();
  bench.load_rows(1);  // some of what the first wants
  const auto third = bench.ask(kBob, requests::post(here, "third"));
  bench.run();
  CHECK(bench.frame(first).change().number() == 1);
  CHECK(bench.frame(second).change().number() == 2);
  CHECK(bench.frame(third).change().number() == 3);
  CHECK(bench.frame(elsewhere).change().number() == 2);
}

TEST_CASE("Partition: a subscriber's commands are taken in its order, though only the first wants rows (I10)") {
  ChatBench bench;
  bench.open();
  const std::string where = ConversationId({9}).str();
  bench.user(kAlice, {kPhone});
  bench.user(kBob, {kPhone});
  bench.submit(deliver(where, 1, {kBob}, 1));
  bench.run();
  bench.submit(deliver(where, 2, {kAlice}, 2));  // her rows are not in memory
  bench.turn();
  REQUIRE_FALSE(bench.rows_wanted.empty());
  bench.submit(deliver(where, 3, {kBob}, 3));
  bench.turn();
  CHECK_FALSE(bench.in_flight);
  bench.run();
  CHECK(bench.stored<v1::InboxItem>(keys::inbox(kAlice, 1))->reference() == 2);
  CHECK(bench.stored<v1::InboxItem>(keys::inbox(kBob, 2))->reference() == 3);
}

TEST_CASE("Partition: what a subscriber sends again after a crash is taken once (I10)") {
  ChatBench bench;
  bench.open();
  const std::string where = ConversationId({9}).str();
  bench.user(kAlice, {kPhone});
  bench.submit(deliver(where, 1, {kAlice}, 4));
  bench.submit(deliver(where, 1, {kAlice}, 4));
  bench.submit(deliver(where, 1, {kAlice}, 3));
  bench.run();
  bench.submit(deliver(where, 1, {kAlice}, 4));
  bench.run();
  CHECK(bench.stored<state::Mailbox>(keys::mailbox(kAlice))->head() == 1);
}

TEST_CASE("Partition: intents that nobody ends hold up no other timer") {
  ChatBench bench;
  bench.user(kAlice, {kPhone});
  const auto ms = static_cast<std::uint64_t>(to_ms(bench.now));
  for (std::uint8_t i = 0; i < 200; ++i) {
    const IntentId id({i});
    state::Intent intent;
    intent.set_due_ms(static_cast<std::int64_t>(ms + i));
    intent.set_give_up_ms(to_ms(bench.now + std::chrono::hours(1)));
    intent.mutable_mail()->set_template_("password_changed");
    bench.store(keys::intent(kAlice, id), intent);
    const std::string what = services::due_what(services::DueKind::intent, {kAlice.bytes(), id.bytes()});
    bench.store(keys::due(ms + i, what), state::Cursor());
  }
  state::Reply reply;
  reply.set_user(kAlice.str());
  const std::string hash(16, 'h');
  bench.store(keys::reply(hash), reply);
  bench.store(keys::due(ms + 300, services::due_what(services::DueKind::reply, {hash})), state::Cursor());
  bench.open();
  bench.now += std::chrono::seconds(1);
  bench.run();
  CHECK_FALSE(bench.stored<state::Reply>(keys::reply(hash)));
}

TEST_CASE("Partition: one command may want more rows than the cache keeps") {
  PartitionOptions options;
  options.cache_bytes = 0;
  ChatBench bench(options);
  bench.open();
  std::vector<UserId> users;
  for (std::uint8_t a = 0; a < 10; ++a)
    for (std::uint8_t b = 0; b < 100; ++b) users.push_back(UserId({7, a, b}));
  for (const UserId& user : users) bench.user(user, {kPhone});
  const auto place = bench.submit(deliver(ConversationId({9}).str(), 1, users, 1));
  bench.run();
  REQUIRE(bench.answer(place));
  CHECK(bench.stored<state::Mailbox>(keys::mailbox(users.back()))->head() == 1);
  CHECK(bench.copy->figures().loads <= 2 * users.size() + 3);  // each once, the source's, and both kinds of timers
}

TEST_CASE("Partition: with nothing in memory every command still comes to its answer, in order") {
  PartitionOptions options;
  options.cache_bytes = 0;
  ChatBench bench(options);
  bench.open();
  std::vector<std::string> where;
  for (std::uint8_t i = 0; i < 250; ++i) where.push_back(bench.direct(kAlice, UserId({8, i})));
  std::vector<std::size_t> places;
  for (int round = 1; round <= 5; ++round) {
    for (const std::string& each : where) places.push_back(bench.ask(kAlice, requests::post(each, "x")));
    bench.turn();
    if (bench.in_flight) bench.durable();
    bench.load_rows(100);
    bench.apply();
  }
  bench.run();
  for (std::size_t i = 0; i < places.size(); ++i)
    REQUIRE(bench.frame(places[i]).change().number() == i / where.size() + 1);
  CHECK(bench.copy->figures().cached_bytes < 600 * 600);
}

TEST_CASE("Partition: what was decided without writing anything does not hold up what waits behind it") {
  PartitionOptions options;
  options.entry_commands_max = 4;
  ChatBench bench(options);
  bench.open();
  std::vector<std::size_t> places;
  for (int i = 0; i < 40; ++i) places.push_back(bench.ask(kAlice, requests::open_direct(kAlice)));  // refused
  bench.turn();
  for (const auto place : places) CHECK(bench.answer(place));
}

TEST_CASE("Partition: beyond its bound it answers RETRY to clients, and refuses no subscriber") {
  PartitionOptions options;
  options.waiting_max = 2;
  ChatBench bench(options);
  bench.open();
  bench.user(kAlice, {kPhone});
  const std::string where = bench.direct(kAlice, kBob);
  const auto first = bench.ask(kAlice, requests::post(where, "1")),
             second = bench.ask(kAlice, requests::post(where, "2"));
  const auto third = bench.ask(kAlice, requests::post(where, "3"));
  const auto delivered = bench.submit(deliver(where, 1, {kAlice}, 1));
  bench.turn();
  CHECK(bench.error(third) == v1::RETRY);
  CHECK(bench.frame(third).error().retry_after_ms() > 0);
  bench.run();
  CHECK(bench.frame(first).has_change());
  CHECK(bench.frame(second).has_change());
  CHECK_FALSE(bench.frame(delivered).has_error());
  const auto now_there_is_room = bench.ask(kAlice, requests::post(where, "3"));
  bench.run();
  CHECK(bench.frame(now_there_is_room).change().number() == 3);
}

/// A direct conversation in the state with so many messages, and who asks for a page of it.
struct Crowd {
  Crowd(ChatBench& in, std::uint64_t messages) : bench(in) {
    bench.run();  // what it reads when it opens
    state::Conversation row;
    row.set_kind(v1::DIRECT);
    for (const UserId& user : {std::min(kAlice, kBob), std::max(kAlice, kBob)}) row.add_peers()->set_user(user.str());
    row.set_last_number(messages);
    const ConversationId id = chat::direct_conversation(kAlice, kBob);
    bench.store(keys::conversation(id), row);
    for (std::uint64_t number = 1; number <= messages; ++number) {
      v1::Change change;
      change.set_number(number);
      change.mutable_posted()->set_body("x");
      bench.store(keys::change(id, number), change);
    }
    where = id.str();
  }
  void ask(std::size_t count, std::uint32_t limit) {
    for (std::size_t i = 0; i < count; ++i) {
      command::Command command;
      command.set_user(kAlice.str());
      *command.mutable_history_for()->mutable_request() = requests::history(where, 1, limit).get_history();
      pages.push_back(bench.submit(std::move(command)));
    }
    bench.turn();
    bench.load_rows();
  }
  std::size_t answered() const {
    return static_cast<std::size_t>(std::ranges::count_if(pages, [&](auto place) { return bench.answer(place); }));
  }

  ChatBench& bench;
  std::string where;
  std::vector<std::size_t> pages;
};

TEST_CASE("Partition: a crowd that reads history is served a few pages at a time, and holds up nobody who writes") {
  PartitionOptions options;
  options.waiting_max = 2;
  options.page_rows_at_once = 500;
  options.pages_waiting_max = 40;
  ChatBench bench(options);
  bench.open();
  bench.user(kAlice, {kPhone});
  Crowd crowd(bench, 100);
  crowd.ask(41, 100);
  CHECK(bench.error(crowd.pages.back()) == v1::RETRY);
  crowd.pages.pop_back();
  CHECK(bench.ranges_wanted.size() == 1);  // how much a page brings is not known yet

  const auto written = bench.ask(kBob, requests::post(crowd.where, "while they read"));
  bench.turn();
  while (bench.in_flight || !bench.rows_wanted.empty()) bench.in_flight ? bench.durable() : bench.load_rows();
  CHECK(bench.frame(written).change().number() == 101);
  CHECK(crowd.answered() == 0);

  std::size_t most = 0;
  for (std::size_t before = 0; before < crowd.pages.size(); before = crowd.answered()) {
    bench.load_ranges();
    REQUIRE(crowd.answered() > before);
    most = std::max(most, crowd.answered() - before);
  }
  CHECK(most == 4);  // of 100 rows, and some more
  for (const auto place : crowd.pages) CHECK(bench.frame(place).history().changes_size() == 100);
  CHECK(bench.serving().figures().waiting == 0);
}

TEST_CASE("Partition: pages of a few rows are soon read many at a time") {
  ChatBench bench;
  bench.open();
  Crowd crowd(bench, 100);
  for (int i = 0; i < 60; ++i) {
    crowd.ask(1, 2);
    bench.load_ranges();
  }
  crowd.ask(200, 2);
  CHECK(bench.ranges_wanted.size() == 32);  // each is reckoned with 64 rows at least
  bench.run();
  CHECK(crowd.answered() == 260);
}

TEST_CASE("Partition: pages that are refused at once make room for those behind them in the same turn") {
  ChatBench bench;
  bench.open();
  Crowd crowd(bench, 1);
  crowd.ask(20, 0);  // is no page
  CHECK(crowd.answered() == 20);
}

TEST_CASE("Partition: a full disk refuses clients' writes, serves reads, holds subscribers back, and is got over") {
  ChatBench bench;
  bench.open();
  bench.user(kAlice, {kPhone});
  const std::string where = bench.direct(kAlice, kBob);
  bench.copy->set_pressure(Partition::Pressure::storage_full);
  const auto write = bench.ask(kAlice, requests::post(where, "1"));
  const auto read = bench.ask(kAlice, requests::list_conversations());
  const auto delivered = bench.submit(deliver(where, 1, {kAlice}, 1));
  bench.run();
  CHECK(bench.error(write) == v1::STORAGE_FULL);
  CHECK(bench.frame(read).has_conversations());
  CHECK_FALSE(bench.answer(delivered));
  CHECK(bench.entries.size() == 1);
  bench.copy->set_pressure(Partition::Pressure::none);
  const auto again = bench.ask(kAlice, requests::post(where, "1"));
  bench.run();
  CHECK(bench.frame(again).change().number() == 1);
  CHECK(bench.answer(delivered));
}

TEST_CASE("Partition: while the state lags nothing more is decided, and reads go on") {
  ChatBench bench;
  bench.open();
  bench.user(kAlice, {kPhone});
  const std::string where = bench.direct(kAlice, kBob);
  bench.copy->set_pressure(Partition::Pressure::lagging);
  const auto write = bench.ask(kAlice, requests::post(where, "1"));
  const auto read = bench.ask(kAlice, requests::list_conversations());
  bench.run();
  CHECK_FALSE(bench.answer(write));
  CHECK(bench.answer(read));
  bench.copy->set_pressure(Partition::Pressure::none);
  bench.run();
  CHECK(bench.frame(write).change().number() == 1);
}

}  // namespace
}  // namespace holdfast

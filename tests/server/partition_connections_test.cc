/// Partition: connections, revocation, the bus, and the command that stops everything else.
#include <catch2/catch.hpp>

#include "server/services/delivery.h"
#include "tests/server/chat_bench.h"

namespace holdfast {
namespace {

const chat::ConnectionRef kConnection{0, 1}, kOther{1, 2};

template <class Kind>
std::vector<Kind> of_kind(const std::vector<chat::Delivery>& deliveries) {
  std::vector<Kind> found;
  for (const auto& delivery : deliveries)
    if (const auto* one = std::get_if<Kind>(&delivery)) found.push_back(*one);
  return found;
}

void attach(ChatBench& bench, const SessionId& session, chat::ConnectionRef connection, std::uint64_t after = 0) {
  bench.serving().attach({kAlice, session, connection, after, 1 << 20});
  bench.run();
}

v1::ClientFrame revoke(const SessionId& session) { return requests::revoke(session); }

TEST_CASE("Partition: a revocation is answered when its gateway let go") {
  ChatBench bench;
  bench.open();
  bench.user(kAlice, {kPhone, kLaptop});
  attach(bench, kLaptop, kOther);
  const auto place = bench.ask(kAlice, revoke(kLaptop), kPhone);
  bench.run();
  CHECK_FALSE(bench.answer(place));
  REQUIRE(of_kind<chat::EndConnection>(bench.deliveries).size() == 1);
  bench.serving().detach(kAlice, kOther);
  bench.run();
  CHECK(bench.answer(place));
}

TEST_CASE("Partition: a revocation is answered after 800 ms, when a gateway that is silent holds the session anyway") {
  using std::chrono::milliseconds;
  ChatBench bench;
  bench.open();
  bench.user(kAlice, {kPhone, kLaptop});
  attach(bench, kLaptop, kOther);
  const auto place = bench.ask(kAlice, revoke(kLaptop), kPhone);
  bench.run();
  bench.copy->tick(bench.steady += milliseconds(799), bench.now);
  bench.run();
  CHECK_FALSE(bench.answer(place));
  bench.copy->tick(bench.steady += milliseconds(1), bench.now);
  bench.run();
  CHECK(bench.answer(place));
}

TEST_CASE("Partition: who ends its own session is answered at once: its gateway waits for that") {
  ChatBench bench;
  bench.open();
  bench.user(kAlice, {kPhone, kLaptop});
  attach(bench, kPhone, kConnection);
  const auto place = bench.ask(kAlice, requests::log_out(), kPhone);
  bench.run();
  CHECK(bench.answer(place));
  CHECK(of_kind<chat::EndConnection>(bench.deliveries).size() == 1);
}

TEST_CASE("Partition: a session that ended while its connection was on the way is not attached (H9)") {
  ChatBench bench;
  bench.open();
  bench.user(kAlice, {kPhone, kLaptop});
  SECTION("it ended just now") {
    const auto place = bench.ask(kAlice, revoke(kLaptop), kPhone);
    bench.run();
    CHECK(bench.answer(place));
  }
  SECTION("it ended before, and nobody has it in memory") {
    state::Session ended;
    ended.set_ended("revoked");
    bench.store(keys::session(kAlice, kLaptop), ended);
  }
  attach(bench, kLaptop, kOther);
  const auto ends = of_kind<chat::EndConnection>(bench.deliveries);
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].code == v1::SESSION_ENDED);
  CHECK(ends[0].reason == "revoked");
  CHECK(bench.copy->figures().connections == 0);
}

TEST_CASE("Partition: a suspended account's connection is not attached, until the time is over") {
  ChatBench bench;
  bench.open();
  bench.user(kAlice, {kPhone});
  auto account = *bench.stored<state::Account>(keys::account(kAlice));
  account.set_status(v1::SUSPENDED);
  account.set_suspended_until_ms(to_ms(bench.now) + 1000);
  bench.store(keys::account(kAlice), account);
  attach(bench, kPhone, kConnection);
  REQUIRE(of_kind<chat::EndConnection>(bench.deliveries).size() == 1);
  CHECK(of_kind<chat::EndConnection>(bench.deliveries)[0].code == v1::ACCOUNT_SUSPENDED);
  bench.now += std::chrono::seconds(2);
  bench.turn();
  attach(bench, kPhone, kOther);
  CHECK(bench.copy->figures().connections == 1);
}

TEST_CASE("Partition: a connection that left while its rows were loaded is not attached") {
  ChatBench bench;
  bench.open();
  bench.user(kAlice, {kPhone});
  bench.serving().attach({kAlice, kPhone, kConnection, 0, 1 << 20});
  bench.turn();
  REQUIRE_FALSE(bench.rows_wanted.empty());
  bench.serving().detach(kAlice, kConnection);
  bench.run();
  CHECK(bench.copy->figures().connections == 0);
  CHECK(bench.deliveries.empty());
}

TEST_CASE("Partition: what is not committed is shown to nobody (I9)") {
  ChatBench bench;
  bench.open();
  bench.user(kAlice, {kPhone});
  attach(bench, kPhone, kConnection);
  bench.submit(deliver(ConversationId({9}).str(), 1, {kAlice}, 1));
  bench.turn();
  bench.load_rows();
  REQUIRE(bench.in_flight);
  CHECK(of_kind<chat::DeliverInbox>(bench.deliveries).empty());
  bench.durable();
  CHECK(of_kind<chat::DeliverInbox>(bench.deliveries).size() == 1);
}

TEST_CASE("Partition: a reading connection and one that came meanwhile get everything once") {
  ChatBench bench;
  bench.open();
  bench.user(kAlice, {kPhone});
  const std::string where = ConversationId({9}).str();
  for (std::uint64_t n = 1; n <= 3; ++n) bench.submit(deliver(where, n, {kAlice}, n));
  bench.run();
  bench.serving().attach({kAlice, kPhone, kConnection, 1, 1 << 20});
  bench.turn();
  bench.load_rows();
  bench.submit(deliver(where, 4, {kAlice}, 4));
  bench.run();
  std::vector<std::uint64_t> positions;
  for (const auto& inbox : of_kind<chat::DeliverInbox>(bench.deliveries)) {
    v1::ServerFrame frame;
    REQUIRE(frame.ParseFromString(inbox.frame));
    for (const auto& item : frame.inbox().items()) positions.push_back(item.position());
  }
  CHECK(positions == std::vector<std::uint64_t>{2, 3, 4});
}

TEST_CASE("Partition: what wants an exact range has it, with what was in flight when it asked") {
  ChatBench bench;
  bench.open();
  bench.user(kAlice, {kPhone});
  const ConversationId before({9}), in_flight({10}), after({12});
  bench.submit(deliver(before.str(), 1, {kAlice}, 1));
  bench.run();
  bench.submit(deliver(in_flight.str(), 1, {kAlice}, 2));
  bench.turn();
  bench.load_rows();
  REQUIRE(bench.in_flight);
  command::Command command;
  command.set_user(kAlice.str());
  command.set_session(kPhone.str());
  command.set_idempotency_id(bench.fresh_id());
  command.mutable_change_account()->mutable_delete_();
  const auto deleted = bench.submit(command);
  const auto late = bench.submit(deliver(after.str(), 1, {kAlice}, 3));
  bench.run();
  REQUIRE(bench.answer(deleted));
  CHECK_FALSE(bench.frame(deleted).has_error());
  CHECK(bench.answer(late));
  std::vector<std::string> left;
  for (const auto& entry : bench.entries)
    for (const auto& event : entry->events())
      if (event.has_member_deleted()) left.push_back(event.member_deleted().conversation());
  // The last was delivered before the rows were there that the deletion needs.
  CHECK(left == std::vector{before.str(), in_flight.str(), after.str()});
  const std::string inbox = keys::prefix(keys::Family::inbox, kAlice.bytes());
  CHECK(bench.state.lower_bound(inbox) == bench.state.lower_bound(keys::after_prefix(inbox)));
}

struct Counting final : bus::Subscriber {
  std::string_view name() const override { return "counting"; }
  void on_event(const bus::EventAt& at, chat::View&, bus::Outcome& outcome) const override {
    if (at.event().has_change_made()) outcome.commands.emplace_back(PartitionId(0), command::Command());
  }
};

struct WithSubscriber {
  Counting counting;
  ChatBench bench{PartitionOptions{}, chat::Limits{}, {{&counting, Seq(0)}}};
};

TEST_CASE("Partition: a cursor rides in the next entry, never causes one, and counts when that is committed") {
  WithSubscriber with;
  ChatBench& bench = with.bench;
  bench.open();
  const std::string where = bench.direct(kAlice, kBob);
  bench.ask(kAlice, requests::post(where, "one"));
  bench.run();
  REQUIRE(bench.commands.size() == 1);
  const Partition::ToSend sent = bench.commands[0];
  CHECK(sent.command.source().subscriber() == "counting");
  CHECK(sent.command.source().seq() == sent.seq.value);
  const Seq before(1);  // the epoch's start, which has no events
  CHECK(bench.copy->slowest_cursor() == before);
  const auto entries = bench.entries.size();
  bench.serving().command_done(sent.subscriber, sent.seq, sent.event);
  bench.run();
  CHECK(bench.entries.size() == entries);
  CHECK(bench.stored<state::Cursor>(keys::cursor("counting"))->seq() == before.value);

  bench.now += std::chrono::milliseconds(1);
  bench.ask(kAlice, requests::post(where, "two"));
  bench.turn();
  bench.load_rows();
  REQUIRE(bench.in_flight);
  CHECK(bench.copy->slowest_cursor() == before);  // a crash now would find the old one
  bench.durable();
  bench.apply();
  CHECK(bench.copy->slowest_cursor() == sent.seq);
  CHECK(bench.stored<state::Cursor>(keys::cursor("counting"))->seq() == sent.seq.value);
  // A state that was flushed before that has the old one in it: whoever gets it as a whole needs the log from there on.
  const Seq moved = bench.copy->replica().committed();
  CHECK(bench.copy->log_may_go_to(Seq(moved.value - 1)) == before);
  CHECK(bench.copy->log_may_go_to(moved) == sent.seq);
}

TEST_CASE("Partition: events go to subscribers once they are committed, not before (I9, I14)") {
  WithSubscriber with;
  ChatBench& bench = with.bench;
  bench.open();
  const std::string where = bench.direct(kAlice, kBob);
  bench.ask(kAlice, requests::post(where, "one"));
  bench.turn();
  bench.load_rows();
  REQUIRE(bench.in_flight);
  CHECK(bench.commands.empty());
  bench.durable();
  CHECK(bench.commands.size() == 1);
}

TEST_CASE("Partition: after a restart a subscriber reads on in the log from its cursor (I14)") {
  Counting counting;
  ChatBench bench({}, {}, {{&counting, Seq(3)}}, {Seq(5), Epoch(2), {}, from_ms(0)});
  bench.open();
  REQUIRE(bench.log_wanted.size() == 1);
  CHECK(bench.log_wanted[0].from == Seq(4));
  std::vector<std::shared_ptr<const log::Entry>> entries;
  for (std::uint64_t seq = 4; seq <= 6; ++seq) {
    auto entry = std::make_shared<log::Entry>();
    entry->set_seq(seq);
    if (seq < 6) entry->add_events()->mutable_change_made();
    entries.push_back(entry);
  }
  bench.serving().log_read(0, entries);
  bench.run();
  REQUIRE(bench.commands.size() == 2);
  CHECK(bench.commands[0].seq == Seq(4));
  CHECK(bench.commands[1].seq == Seq(5));
}

}  // namespace
}  // namespace holdfast

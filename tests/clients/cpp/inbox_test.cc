#include "play.h"

using namespace holdfast;
using namespace holdfast::client;
using namespace holdfast::client::play;

namespace {

using Log = std::vector<std::string>;

/// What was handed over since the log-in.
Log changes(const Play& play) {
  Log all;
  for (const auto& line : play.heard.log)
    if (line[0] >= '0' && line[0] <= '9') all.push_back(line);
  return all;
}

v1::ServerFrame history(std::uint64_t request_id, const std::vector<std::pair<std::uint64_t, std::string>>& posts) {
  v1::ServerFrame frame;
  frame.set_request_id(request_id);
  frame.mutable_history();
  for (const auto& [number, body] : posts) {
    auto& change = *frame.mutable_history()->add_changes();
    change.set_number(number);
    change.mutable_posted()->set_body(body);
  }
  return frame;
}

}  // namespace

TEST_CASE("Inbox: what comes twice is handed over once") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  play.push({Play::item(3, 1, "a"), Play::item(5, 2, "b")});
  play.push({Play::item(5, 2, "b"), Play::item(6, 3, "c")});
  CHECK(play.reconnect().cursor() == 6);
  play.push({Play::item(5, 2, "b"), Play::item(6, 3, "c"), Play::item(9, 4, "d")});
  CHECK(changes(play) == Log{"1 a", "2 b", "3 c", "4 d"});
}

TEST_CASE("Inbox: references are fetched in one page and hold up what is behind them") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  play.push({Play::item(1, 1, "a"), Play::reference(2, 2), Play::item(3, 3, "c"), Play::reference(4, 4)});
  CHECK(changes(play) == Log{"1 a"});
  const auto fetch = play.one();
  CHECK(fetch.get_history().from() == 2);
  CHECK(fetch.get_history().limit() == 3);
  play.push({Play::item(5, 5, "e")});
  play.say(history(fetch.request_id(), {{2, "B"}, {3, "c"}, {4, "D"}}));
  CHECK(changes(play) == Log{"1 a", "2 B", "3 c", "4 D", "5 e"});
}

TEST_CASE("Inbox: a reference that is not to be read comes as hidden, and the rest goes on") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  play.push({Play::reference(1, 1), Play::item(2, 2, "b")});
  play.answer_error(play.one().request_id(), v1::NOT_FOUND);
  CHECK(changes(play) == Log{"1 hidden", "2 b"});
}

TEST_CASE("Inbox: a reference that was under way when the connection went is fetched again, nothing twice") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  play.push({Play::item(1, 1, "a"), Play::reference(2, 2)});
  const auto stale = play.one();
  CHECK(play.reconnect().cursor() == 1);
  play.push({Play::reference(2, 2), Play::item(3, 3, "c")});
  const auto frames = play.written();
  play.say(history(stale.request_id(), {}));  // of the connection before: says nothing about what waits now
  for (const auto& frame : frames)
    if (frame.request_id() != stale.request_id()) play.say(history(frame.request_id(), {{2, "B"}}));
  CHECK(changes(play) == Log{"1 a", "2 B", "3 c"});
}

TEST_CASE("Inbox: too much behind a reference is dropped and read again by a resume, in order") {
  auto options = options_for(LogInWith{"ada", "secret"});
  options.inbox_waiting_max = 2;
  Play play(options);
  play.machine.start(play.now);
  play.log_in();
  play.push({Play::reference(1, 1), Play::item(2, 2, "b"), Play::item(3, 3, "c")});
  play.push({Play::item(4, 4, "d")});
  play.say(history(play.one().request_id(), {{1, "A"}}));
  CHECK(changes(play) == Log{"1 A", "2 b"});
  play.machine.flush(play.now);
  CHECK(play.machine.take_wish().close);
  play.pass_to_deadline();
  CHECK(play.resume().cursor() == 2);
  play.push({Play::item(3, 3, "c"), Play::item(4, 4, "d")});
  CHECK(changes(play) == Log{"1 A", "2 b", "3 c", "4 d"});
}

TEST_CASE("Inbox: acknowledged after 64 items or 200 ms, and saved before that") {
  MemorySessionStore store;
  Play play(options_for(LogInWith{"ada", "secret"}), &store);
  play.machine.start(play.now);
  play.log_in();
  play.push({Play::item(1, 1, "a")});
  CHECK(play.written().empty());
  play.pass(200ms);
  const auto ack = play.one();
  CHECK(ack.ack_inbox().position() == 1);
  CHECK(ack.request_id() == 0);
  CHECK((*store.load())->cursor == 1);

  std::vector<v1::InboxItem> many;
  for (std::uint64_t n = 2; n <= 66; ++n) many.push_back(Play::item(n, n, "x"));
  play.push(many);
  CHECK(play.one().ack_inbox().position() == 66);
}

TEST_CASE("Inbox: without auto_ack only what the application stored is acknowledged") {
  MemorySessionStore store;
  auto options = options_for(LogInWith{"ada", "secret"});
  options.auto_ack = false;
  Play play(options, &store);
  play.machine.start(play.now);
  play.log_in();
  play.push({Play::item(1, 1, "a"), Play::item(2, 2, "b")});
  play.pass(1s);
  CHECK(play.written().empty());
  play.machine.stored(play.now, 1);
  play.pass(200ms);
  CHECK(play.one().ack_inbox().position() == 1);
  CHECK(play.reconnect().cursor() == 2);
}

TEST_CASE("Inbox: the head of a large conversation is passed on as it is") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  v1::InboxItem head;
  head.set_position(1);
  head.set_conversation_id(conversation(1).str());
  head.set_head(500);
  play.push({head});
  CHECK(play.heard.log.back() == "head 500");
}

TEST_CASE("Inbox: closing from within a delivery stops the deliveries") {
  struct Closing final : ClientEvents {
    ClientMachine* machine = nullptr;
    int changes = 0;
    void on_change(const v1::InboxItem&) override {
      ++changes;
      machine->stop(SteadyTime(2000s));
    }
  } events;
  SeededRandom random(1);
  ClientMachine machine(options_for(ResumeWith{"t", 0}), events, random, nullptr);
  events.machine = &machine;
  SteadyTime now(1000s);
  machine.start(now);
  machine.take_wish();
  machine.connection_open(now);
  machine.receive(now, Play::session(2, "", 0).SerializeAsString());
  REQUIRE(machine.online());
  v1::ServerFrame push;
  *push.mutable_inbox()->add_items() = Play::item(1, 1, "a");
  *push.mutable_inbox()->add_items() = Play::item(2, 2, "b");
  machine.receive(now, push.SerializeAsString());
  CHECK(events.changes == 1);
}

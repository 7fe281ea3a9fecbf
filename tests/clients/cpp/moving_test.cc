// Other nodes: endpoints that the server names, and moving to one while connected.
#include "play.h"

using namespace holdfast;
using namespace holdfast::client;
using namespace holdfast::client::play;

namespace {

const Endpoint kTwo{"two", 7400, false, false};
const Endpoint kThree{"three", 7400, false, false};

void tell_to_move(Play& play, std::uint64_t delay_ms) {
  v1::ServerFrame frame;
  frame.mutable_move()->add_targets()->set_address("two:7400");
  frame.mutable_move()->add_targets()->set_address("three:7400");
  frame.mutable_move()->set_delay_ms(delay_ms);
  play.say(frame);
}

/// What was written on the next connection.
std::vector<v1::ClientFrame> written_next(Play& play) {
  std::vector<v1::ClientFrame> frames;
  FrameDecoder decoder;
  const std::string bytes = std::exchange(play.machine.next_output(), {});
  std::string_view rest = bytes;
  for (auto payload = decoder.next(rest); payload && *payload; payload = decoder.next(rest))
    REQUIRE(frames.emplace_back().ParseFromArray((*payload)->data(), static_cast<int>((*payload)->size())));
  return frames;
}

/// Told to move and connected there; what the resume asked.
v1::ClientFrame arrive(Play& play) {
  tell_to_move(play, 0);
  play.pass(0ms);
  REQUIRE(play.machine.take_wish().open_next);
  play.machine.next_open();
  const auto frames = written_next(play);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].has_hello());
  REQUIRE(frames[1].has_resume());
  return frames[1];
}

void answer_resume(Play& play, const v1::ClientFrame& resume, std::uint64_t head) {
  auto session = Play::session(resume.request_id(), "", resume.resume().cursor());
  session.mutable_session()->set_inbox_head(head);
  play.machine.next_receive(play.now, session.SerializeAsString());
}

}  // namespace

TEST_CASE("Moving: it waits for its time, then asks for a second connection and stays online on the first") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  tell_to_move(play, 700);
  play.pass(699ms);
  CHECK_FALSE(play.machine.take_wish().open_next);
  play.pass(1ms);
  const auto wish = play.machine.take_wish();
  REQUIRE(wish.open_next);
  CHECK(*wish.open_next == kTwo);
  CHECK(wish.next_time_max == 1s);
  CHECK_FALSE(wish.close);
  CHECK(play.machine.online());
  REQUIRE(play.post(1, "while moving"));
  CHECK(play.one().has_post());
}

TEST_CASE("Moving: once resumed there, it switches over, and no moment offline is told") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  const auto heard = play.heard.log;
  const auto resume = arrive(play);
  CHECK(resume.resume().token() == "t1");
  answer_resume(play, resume, 0);
  const auto wish = play.machine.take_wish();
  CHECK(wish.switch_over);
  CHECK_FALSE(wish.close);
  CHECK(play.machine.online());
  CHECK(play.machine.endpoint() == kTwo);
  REQUIRE(play.heard.moved.size() == 1);
  CHECK(play.heard.moved[0].to == kTwo);
  CHECK(play.heard.log == heard);
  CHECK(play.machine.next_deadline() != SteadyTime::max());
}

TEST_CASE("Moving: what is unanswered is asked again there, in order, under the same ids") {
  auto options = options_for(LogInWith{"ada", "secret"});
  options.sends_ahead_max = 16;
  Play play(options);
  play.machine.start(play.now);
  play.log_in();
  for (const char* body : {"a", "b", "c"}) REQUIRE(play.post(1, body));
  play.machine.request(play.now, ask::set_email("p", "e"), {}, {});
  const auto before = play.written();
  REQUIRE(before.size() == 4);
  const auto resume = arrive(play);
  for (const auto& frame : before)
    if (frame.post().body() == "a") play.answer_change(frame.request_id(), 1);
  answer_resume(play, resume, 0);
  const auto again = play.written();
  REQUIRE(again.size() == 3);
  std::vector<std::string> expected, got;
  for (const auto& frame : before)
    if (frame.post().body() != "a") expected.push_back(frame.SerializeAsString());
  for (const auto& frame : again) got.push_back(frame.SerializeAsString());
  CHECK(got == expected);
}

TEST_CASE("Moving: what comes on both connections is shown once, in order, and nothing is left out") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  play.push({Play::item(1, 1, "one")});
  const auto resume = arrive(play);
  CHECK(resume.resume().cursor() == 1);
  play.push({Play::item(2, 2, "two"), Play::item(5, 3, "three")});  // on the old one
  answer_resume(play, resume, 1);                                   // the head as it was when the resume was decided
  play.push({Play::item(2, 2, "two"), Play::item(5, 3, "three"), Play::item(6, 4, "four")});  // on the new one
  CHECK(play.heard.log == std::vector<std::string>{"connected ada", "1 one", "2 two", "3 three", "4 four"});
}

TEST_CASE(
    "Moving: what was shown and acknowledged on the old connection is no gap on the new one, but what was not is") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  const auto resume = arrive(play);
  play.push({Play::item(1, 1, "one"), Play::item(2, 2, "two")});
  answer_resume(play, resume, 2);
  const auto told = [&](std::uint64_t resumed_at) {
    v1::ServerFrame frame;
    frame.mutable_history_gap()->set_resumed_at(resumed_at);
    const std::size_t before = play.heard.gaps.size();
    play.say(frame);
    return play.heard.gaps.size() > before;
  };
  CHECK_FALSE(told(2));
  CHECK(told(3));
}

TEST_CASE("Moving: a reference that was being fetched on the old connection is fetched on the new one") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  play.push({Play::reference(1, 1), Play::item(2, 2, "two")});
  CHECK(play.one().has_get_history());
  const auto resume = arrive(play);
  CHECK(resume.resume().cursor() == 0);
  answer_resume(play, resume, 2);
  play.written();  // the old page is asked for again, for nothing
  play.push({Play::reference(1, 1), Play::item(2, 2, "two")});
  const auto fetch = play.one();
  v1::ServerFrame page;
  page.set_request_id(fetch.request_id());
  *page.mutable_history()->add_changes() = Play::item(1, 1, "one").change();
  play.say(page);
  CHECK(play.heard.log == std::vector<std::string>{"connected ada", "1 one", "2 two"});
}

TEST_CASE("Moving: a target that can't be had leaves the session where it is, and the next one is tried") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  tell_to_move(play, 0);
  play.pass(0ms);
  CHECK(*play.machine.take_wish().open_next == kTwo);
  SECTION("refused") { play.machine.next_lost(play.now); }
  SECTION("silent") {
    play.pass(1s);
    CHECK(play.machine.take_wish().close_next);
  }
  SECTION("busy") {
    play.machine.next_open();
    const auto frames = written_next(play);
    v1::ServerFrame busy;
    busy.set_request_id(frames[1].request_id());
    busy.mutable_error()->set_code(v1::RETRY);
    busy.mutable_error()->set_retry_after_ms(500);
    play.machine.next_receive(play.now, busy.SerializeAsString());
    CHECK(play.machine.take_wish().close_next);
    play.pass(499ms);
    CHECK_FALSE(play.machine.take_wish().open_next);
  }
  play.pass(701ms);
  const auto wish = play.machine.take_wish();
  REQUIRE(wish.open_next);
  CHECK(*wish.open_next == kThree);
  CHECK(play.machine.online());
  CHECK(play.heard.reconnecting.empty());
}

TEST_CASE("Moving: with no target to be had it is given up; the good-bye leads on as ever") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  tell_to_move(play, 0);
  play.pass(0ms);
  int tries = 0;
  for (int i = 0; i < 20; ++i) {
    if (play.machine.take_wish().open_next) {
      ++tries;
      play.machine.next_lost(play.now);
    }
    play.pass(300ms);
  }
  CHECK(tries == 4);
  CHECK(play.machine.online());
}

TEST_CASE("Moving: when the old connection goes first, the next try is at the target") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  arrive(play);
  play.machine.connection_lost(play.now, "cut");
  CHECK(play.machine.take_wish().close_next);
  REQUIRE(play.heard.reconnecting.size() == 1);
  CHECK(play.heard.reconnecting[0].delay <= 200ms);
  CHECK(play.machine.endpoint() == kTwo);
  play.pass_to_deadline();
  play.resume();
}

TEST_CASE("Moving: closing the client in the middle closes both connections") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  arrive(play);
  play.machine.stop(play.now);
  CHECK(play.machine.take_wish().close);
  CHECK(play.machine.next_deadline() == SteadyTime::max());
}

TEST_CASE("Endpoints: those in the session's answer and in pushes are kept in the store, and lead a new process") {
  MemorySessionStore store;
  {
    Play play(options_for(LogInWith{"ada", "secret"}), &store);
    play.machine.start(play.now);
    play.log_in();
    v1::ServerFrame push;
    push.mutable_endpoints()->add_endpoints()->set_address("two:7400");
    push.mutable_endpoints()->add_endpoints()->set_address("one:7400");
    play.say(push);
    play.pass(200ms);
    CHECK((*store.load())->endpoints == std::vector<std::string>{"two:7400", "one:7400"});
  }
  Play again(options_for(StoredOnly{}), &store);
  again.machine.start(again.now);
  CHECK(*again.machine.take_wish().open == kTwo);
}

TEST_CASE("Endpoints: a lost connection's next try goes to the best of the others, a refused one's to the one after") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  v1::ServerFrame push;
  for (const char* address : {"one:7400", "two:7400", "three:7400"})
    push.mutable_endpoints()->add_endpoints()->set_address(address);
  play.say(push);
  play.machine.connection_lost(play.now, "reset");
  play.pass_to_deadline();
  CHECK(*play.machine.take_wish().open == kTwo);
  play.machine.connection_lost(play.now, "refused");
  play.pass_to_deadline();
  CHECK(*play.machine.take_wish().open == kThree);
}

TEST_CASE("Machine: how long it was away is told when it is back") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  CHECK(play.machine.session().away == 0ms);
  const auto lost = play.now;
  play.machine.connection_lost(play.now, "cut");
  play.pass_to_deadline();
  play.machine.take_wish();
  play.machine.connection_lost(play.now, "refused");
  play.pass_to_deadline();
  const auto away = std::chrono::duration_cast<std::chrono::milliseconds>(play.now - lost);
  play.resume();
  CHECK(play.machine.session().away == away);
}

TEST_CASE("Machine: in use, a second of silence brings a probe, and another one the end") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  play.pass(5s);
  CHECK(play.written().empty());
  play.machine.set_in_use(play.now, true);
  play.pass(999ms);
  CHECK(play.written().empty());
  play.pass(1ms);
  const auto ping = play.one();
  REQUIRE(ping.has_ping());
  v1::ServerFrame pong;
  pong.set_request_id(ping.request_id());
  pong.mutable_pong();
  play.say(pong);
  play.pass(1s);
  CHECK(play.one().has_ping());
  play.pass(999ms);
  CHECK(play.machine.online());
  play.pass(1ms);
  CHECK_FALSE(play.machine.online());
  CHECK(play.machine.take_wish().close);
}

TEST_CASE("Machine: idle, a silent connection is given up after 11 to 12 seconds") {
  Play play(options_for(LogInWith{"ada", "secret"}));
  play.machine.start(play.now);
  play.log_in();
  const auto start = play.now;
  while (play.machine.online()) {
    play.written();
    play.pass_to_deadline();
    REQUIRE(play.now - start <= 12s);
  }
  CHECK(play.now - start >= 11s);
}

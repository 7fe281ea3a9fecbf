// A server that was restored from a backup: positions of its earlier life mean nothing any more.
#include "play.h"

using namespace holdfast;
using namespace holdfast::client;
using namespace holdfast::client::play;

namespace {

v1::ServerFrame push(std::uint64_t position, std::uint64_t number) {
  v1::ServerFrame frame;
  auto& item = *frame.mutable_inbox()->add_items();
  item.set_position(position);
  item.set_conversation_id(conversation(1).str());
  item.mutable_change()->set_number(number);
  item.mutable_change()->mutable_posted()->set_body("said");
  return frame;
}

/// Connects again, and gives the resume that is asked for; its answer is of this generation.
v1::Resume come_back(Play& play, std::uint64_t generation, std::uint64_t cursor, std::uint64_t head) {
  play.machine.take_wish();
  play.machine.connection_open(play.now);
  const auto frames = play.written();
  REQUIRE(frames.size() == 2);
  play.answer_hello(frames[0].request_id());
  auto session = Play::session(frames[1].request_id(), "", cursor);
  session.mutable_session()->set_generation(generation);
  session.mutable_session()->set_inbox_head(head);
  play.say(session);
  return frames[1].resume();
}

void reset(Play& play, std::uint64_t generation, std::uint64_t resumed_at) {
  v1::ServerFrame frame;
  frame.mutable_history_reset()->set_generation(generation);
  frame.mutable_history_reset()->set_resumed_at(resumed_at);
  play.say(frame);
}

SavedSession stored(std::uint64_t cursor, std::uint64_t generation) {
  SavedSession saved;
  saved.username = "ada";
  saved.user_id = std::string(16, 'u');
  saved.session_id = std::string(16, 's');
  saved.token = "t1";
  saved.cursor = cursor;
  saved.generation = generation;
  return saved;
}

}  // namespace

TEST_CASE("Generation: what is behind a reset is handed over, though the old cursor lay beyond it") {
  MemorySessionStore store;
  REQUIRE(store.save(stored(500, 7)));
  Play play(options_for(StoredOnly{}), &store);
  play.machine.start(play.now);
  const auto resume = come_back(play, 9, 80, 510);
  CHECK(resume.generation() == 7);
  CHECK(resume.cursor() == 500);
  CHECK(play.heard.resets.empty());
  CHECK(store.load().value()->generation == 7);  // not before the positions are of the new one
  reset(play, 9, 80);
  REQUIRE(play.heard.resets.size() == 1);
  CHECK(play.heard.resets[0].resumed_at() == 80);
  CHECK(store.load().value()->generation == 9);
  CHECK(store.load().value()->cursor == 80);
  play.say(push(81, 3));
  CHECK(play.heard.log.back() == "3 said");
}

TEST_CASE("Generation: a reset that is lost with its connection is told again") {
  MemorySessionStore store;
  REQUIRE(store.save(stored(500, 7)));
  Play play(options_for(StoredOnly{}), &store);
  play.machine.start(play.now);
  come_back(play, 9, 80, 510);
  play.machine.connection_lost(play.now, "cut");
  play.pass_to_deadline();
  CHECK(come_back(play, 9, 80, 510).generation() == 7);
  reset(play, 9, 80);
  play.machine.connection_lost(play.now, "cut");
  play.pass_to_deadline();
  const auto resume = come_back(play, 9, 80, 510);
  CHECK(resume.generation() == 9);
  CHECK(resume.cursor() == 80);
  CHECK(play.heard.resets.size() == 1);
}

TEST_CASE("Generation: who knew none learns it, and nothing else happens") {
  MemorySessionStore store;
  REQUIRE(store.save(stored(500, 0)));
  Play play(options_for(StoredOnly{}), &store);
  play.machine.start(play.now);
  CHECK(come_back(play, 9, 500, 510).generation() == 0);
  play.machine.connection_lost(play.now, "cut");
  play.pass_to_deadline();
  CHECK(come_back(play, 9, 500, 510).generation() == 9);
  CHECK(play.heard.resets.empty());
}

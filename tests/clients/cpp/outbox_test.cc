#include <algorithm>

#include "base/uuid.h"
#include "play.h"

using namespace holdfast;
using namespace holdfast::client;
using namespace holdfast::client::play;

namespace {

std::vector<std::string> bodies(const std::vector<v1::ClientFrame>& frames) {
  std::vector<std::string> all;
  for (const auto& frame : frames)
    if (frame.has_post()) all.push_back(frame.post().body());
  return all;
}
std::vector<std::string> ids(const std::vector<v1::ClientFrame>& frames) {
  std::vector<std::string> all;
  for (const auto& frame : frames)
    if (frame.has_post()) all.push_back(frame.post().client_message_id());
  return all;
}
using Bodies = std::vector<std::string>;

Play logged_in(std::size_t ahead) {
  auto options = options_for(LogInWith{"ada", "secret"});
  options.sends_ahead_max = ahead;
  return Play(options);
}

}  // namespace

TEST_CASE("Outbox: after a resume the unanswered go out again, in order, under the same ids") {
  Play play = logged_in(16);
  play.machine.start(play.now);
  play.log_in();
  for (const char* body : {"a", "b", "c"}) REQUIRE(play.post(1, body));
  const auto first = play.written();
  CHECK(bodies(first) == Bodies{"a", "b", "c"});
  for (const auto& id : ids(first)) CHECK(is_uuid7(*RequestId::from_bytes(id)));
  play.answer_change(first[0].request_id(), 1);

  play.reconnect();
  const auto second = play.written();
  CHECK(bodies(second) == Bodies{"b", "c"});
  CHECK(ids(second) == std::vector<std::string>{ids(first)[1], ids(first)[2]});
}

TEST_CASE("Outbox: ids are made by the server's clock") {
  Play play = logged_in(1);
  play.server_ms = 1'600'000'000'000;
  play.machine.start(play.now);
  play.log_in();
  play.now += 5s;
  REQUIRE(play.post(1, "a"));
  const auto id = *RequestId::from_bytes(play.one().post().client_message_id());
  CHECK(to_ms(time_of(id)) == 1'600'000'005'000);
}

TEST_CASE("Outbox: ids rise in the order of sending, also within a millisecond, before and after the log-in") {
  Play play = logged_in(64);
  play.machine.start(play.now);
  for (int i = 0; i < 20; ++i) REQUIRE(play.post(1, "before"));
  play.log_in();
  auto all = ids(play.written());
  for (int i = 0; i < 20; ++i) REQUIRE(play.post(1, "after"));
  for (const auto& id : ids(play.written())) all.push_back(id);
  REQUIRE(all.size() == 40);
  CHECK(std::is_sorted(all.begin(), all.end()));
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}

TEST_CASE("Outbox: one at a time in a conversation by default, others don't wait for it") {
  Play play = logged_in(1);
  play.machine.start(play.now);
  play.log_in();
  for (const char* body : {"a", "b"}) REQUIRE(play.post(1, body));
  REQUIRE(play.post(2, "x"));
  const auto first = play.written();
  CHECK(bodies(first) == Bodies{"a", "x"});
  play.answer_change(first[0].request_id(), 1);
  CHECK(bodies(play.written()) == Bodies{"b"});
}

TEST_CASE("Outbox: a message refused for the moment holds its conversation until its wait is over") {
  Play play = logged_in(1);
  play.machine.start(play.now);
  play.log_in();
  for (const char* body : {"a", "b"}) REQUIRE(play.post(1, body));
  const auto first = play.one();
  play.answer_error(first.request_id(), v1::RATE_LIMITED, 500);
  CHECK(play.written().empty());
  play.pass(499ms);
  CHECK(play.written().empty());
  play.pass(202ms);
  const auto again = play.one();
  CHECK(again.post().body() == "a");
  CHECK(again.post().client_message_id() == first.post().client_message_id());
}

TEST_CASE("Outbox: with several ahead the result says which of them were refused for the moment, and how often") {
  Play play = logged_in(16);
  play.machine.start(play.now);
  play.log_in();
  std::vector<std::uint32_t> put_off;
  for (const char* body : {"a", "b"})
    REQUIRE(play.post(1, body, [&](const SendResult& r) { put_off.push_back(r.put_off); }));
  const auto first = play.written();
  play.answer_error(first[0].request_id(), v1::RETRY, 50);
  play.answer_change(first[1].request_id(), 1);
  CHECK(put_off == std::vector<std::uint32_t>{0});
  for (const bool again : {true, false}) {
    play.pass(300ms);
    const auto next = play.one();
    CHECK(next.post().body() == "a");
    if (again)
      play.answer_error(next.request_id(), v1::RATE_LIMITED, 50);
    else
      play.answer_change(next.request_id(), 2);
  }
  CHECK(put_off == std::vector<std::uint32_t>{0, 2});
}

TEST_CASE("Outbox: a message refused for good is reported, and those behind it go on") {
  Play play = logged_in(1);
  play.machine.start(play.now);
  play.log_in();
  std::optional<SendResult> result;
  REQUIRE(play.post(1, "a", [&](const SendResult& r) { result = r; }));
  REQUIRE(play.post(1, "b"));
  play.answer_error(play.one().request_id(), v1::PERMISSION_DENIED);
  REQUIRE(result);
  CHECK(result->failure->code == v1::PERMISSION_DENIED);
  CHECK(play.one().post().body() == "b");
}

TEST_CASE("Outbox: full is said at once") {
  auto options = options_for(LogInWith{"ada", "secret"});
  options.outbox_messages_max = 2;
  Play play(options);
  REQUIRE(play.post(1, "a"));
  REQUIRE(play.post(1, "b"));
  const auto third = play.post(1, "c");
  REQUIRE_FALSE(third);
  CHECK(third.error().code == Errc::retry_later);
}

TEST_CASE("Outbox: what was written offline outlives the process and is sent once, with a number for on_sent") {
  MemorySessionStore store;
  std::string tried_id;
  {
    Play play(options_for(LogInWith{"ada", "secret"}), &store);
    play.machine.start(play.now);
    play.log_in();
    REQUIRE(play.post(1, "a"));
    tried_id = play.one().post().client_message_id();
    CHECK((*store.load())->outbox.size() == 1);
    play.machine.connection_lost(play.now, "cut");
    REQUIRE(play.post(1, "b"));
    play.machine.flush(play.now);
  }
  Play again(options_for(StoredOnly{}), &store);
  again.machine.start(again.now);
  again.resume();
  const auto first = again.one();
  CHECK(first.post().body() == "a");
  CHECK(first.post().client_message_id() == tried_id);
  again.answer_change(first.request_id(), 7);
  REQUIRE(again.heard.sent.size() == 1);
  CHECK(again.heard.sent[0].number == 7);
  const auto second = again.one();
  CHECK(second.post().body() == "b");
  CHECK(second.post().client_message_id().size() == 16);
  again.answer_change(second.request_id(), 8);
  again.pass(250ms);
  CHECK((*store.load())->outbox.empty());
}

TEST_CASE("Outbox: an id is in the store before its first try; while the store fails nothing is sent") {
  struct Checking final : SessionStore {
    MemorySessionStore kept;
    bool sick = false;
    Result<std::optional<SavedSession>> load() override { return kept.load(); }
    Status save(const SavedSession& s) override {
      if (sick) return holdfast::Error{Errc::io, "no space"};
      return kept.save(s);
    }
    Status clear() override { return kept.clear(); }
  } store;
  Play play(options_for(LogInWith{"ada", "secret"}), &store);
  play.machine.start(play.now);
  play.log_in();
  store.sick = true;
  REQUIRE(play.post(1, "a"));
  CHECK(play.written().empty());
  CHECK(play.heard.log.back() == "store failed");
  store.sick = false;
  play.pass(1'100ms);
  const auto sent = play.one();
  v1::ClientFrame saved;
  REQUIRE(saved.ParseFromString((*store.kept.load())->outbox.at(0)));
  CHECK(saved.post().client_message_id() == sent.post().client_message_id());
}

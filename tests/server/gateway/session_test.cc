#include "play.h"

using namespace holdfast;
using namespace holdfast::gateway;
using namespace std::chrono_literals;

TEST_CASE("Session: Hello is answered with the version, the time and the bounds") {
  Play play;
  play.hello(1, 9);
  const auto answer = play.frame();
  CHECK(answer.request_id() == 1);
  CHECK(answer.hello().protocol() == 1);
  CHECK(answer.hello().server_time_ms() == 1'700'000'000'000);
  CHECK(answer.hello().frame_bytes_max() == 128 * 1024);
  CHECK(answer.hello().keepalive_s() == 60);
}

TEST_CASE("Session: a client of another version is told UNSUPPORTED and closed") {
  Play play;
  play.hello(2, 3);
  CHECK(play.frame().error().code() == v1::UNSUPPORTED);
  CHECK(play.session->is_over());
}

TEST_CASE("Session: whatever comes before Hello ends it") {
  Play play;
  play.send(ping(5));
  CHECK(play.frame().error().code() == v1::UNSUPPORTED);
  CHECK(play.session->is_over());
  CHECK(play.host.runs.empty());
}

TEST_CASE("Session: bytes that are no frame are answered INVALID_ARGUMENT, and end it") {
  Play play;
  play.session->on_frame("\xff\xff\xff\xff", play.now);
  CHECK(play.frame().error().code() == v1::INVALID_ARGUMENT);
  CHECK(play.session->is_over());
}

TEST_CASE("Session: a frame beyond its bound is answered TOO_LARGE, and ends it") {
  Play play;
  play.session->on_broken_framing({Errc::too_large, "a frame of 4294967295 bytes"});
  CHECK(play.frame().error().code() == v1::TOO_LARGE);
  CHECK(play.session->is_over());
}

TEST_CASE("Session: an operation it does not know is answered UNSUPPORTED, and it goes on") {
  Play play;
  play.hello();
  take_frames(*play.session);
  v1::ClientFrame unknown;
  unknown.set_request_id(9);
  unknown.GetReflection()->MutableUnknownFields(&unknown)->AddLengthDelimited(999, "new");
  play.send(unknown);
  const auto answer = play.frame();
  CHECK(answer.request_id() == 9);
  CHECK(answer.error().code() == v1::UNSUPPORTED);
  play.send(ping(10));
  CHECK(play.frame().has_pong());
}

TEST_CASE("Session: what comes behind a log-in waits for it and then has its rights") {
  Play play;
  play.hello();
  play.begin_login();
  CHECK_FALSE(play.session->can_take(play.now));
  chat::RequestOutcome outcome;
  outcome.frame.mutable_session();
  outcome.logged_in = chat::LoggedIn{user_id(1), SessionId(), "ann", 17, 20, 0};
  play.answer(std::move(outcome));
  play.post(3);
  REQUIRE(play.host.runs.size() == 1);
  CHECK(play.host.runs[0].caller.user == user_id(1));
  REQUIRE(play.attachments.attached.size() == 1);
  CHECK(play.attachments.attached[0].after == 17);
  CHECK(play.attachments.attached[0].credit_bytes == play.options.inbox_credit_bytes);
}

TEST_CASE("Session: a log-in that failed leaves the connection as it was") {
  Play play;
  play.hello();
  play.begin_login();
  chat::RequestOutcome outcome;
  outcome.frame.mutable_error()->set_code(v1::SESSION_ENDED);
  play.answer(std::move(outcome));
  CHECK(play.session->can_take(play.now));
  CHECK_FALSE(play.session->is_logged_in());
  CHECK(play.attachments.attached.empty());
}

TEST_CASE("Session: a cursor whose rows are gone is told so, and goes on behind the gap") {
  Play play;
  play.hello();
  play.begin_login();
  chat::RequestOutcome outcome;
  outcome.frame.mutable_session();
  outcome.logged_in = chat::LoggedIn{user_id(1), SessionId(), "ann", 10, 500, 100};
  take_frames(*play.session);
  play.answer(std::move(outcome));
  const auto frames = take_frames(*play.session);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].has_session());
  CHECK(frames[1].history_gap().resumed_at() == 99);
  CHECK(play.attachments.attached[0].after == 99);
}

TEST_CASE("Session: a cursor right before the first row has no gap") {
  Play play;
  play.log_in(99, 100);
  CHECK(play.attachments.attached[0].after == 99);
  CHECK(take_frames(*play.session).empty());
}

TEST_CASE("Session: reading pauses while requests_max are under way") {
  SessionOptions options;
  options.requests_max = 16;
  Play play(options);
  play.log_in();
  for (std::uint64_t id = 1; id <= 16; ++id) play.post(id);
  CHECK_FALSE(play.session->can_take(play.now));
  play.answer();
  CHECK(play.session->can_take(play.now));
}

TEST_CASE("Session: a page of history weighs as much as 64 requests") {
  Play play;
  play.log_in();
  v1::ClientFrame page;
  page.set_request_id(1);
  page.mutable_get_history();
  for (int i = 0; i < 4; ++i) play.send(page);
  CHECK_FALSE(play.session->can_take(play.now));
}

TEST_CASE("Session: reading pauses while answers are not read") {
  SessionOptions options;
  options.output_bytes_max = 1'000;
  Play play(options);
  play.log_in();
  for (std::uint64_t id = 1; id <= 3; ++id) play.post(id);
  chat::RequestOutcome large;
  large.frame.mutable_error()->set_message(std::string(2'000, 'x'));
  play.answer(std::move(large));
  CHECK_FALSE(play.session->can_take(play.now));
  take_frames(*play.session);
  CHECK(play.session->can_take(play.now));
}

TEST_CASE("Session: who is too fast is told how long to wait, and heard again after it") {
  SessionOptions options;
  options.connection.requests_per_s = 10;
  Play play(options);
  play.log_in();
  for (std::uint64_t id = 1; id <= 20; ++id) play.post(id);
  const auto refused = take_frames(*play.session);
  REQUIRE(!refused.empty());
  CHECK(refused[0].error().code() == v1::RATE_LIMITED);
  const auto wait = refused[0].error().retry_after_ms();
  CHECK(wait > 0);
  CHECK(wait <= 200);
  const auto ran = play.host.runs.size();
  CHECK(ran < 20);
  play.now += std::chrono::milliseconds(wait);
  play.post(100);
  CHECK(play.host.runs.size() == ran + 1);
}

TEST_CASE("Session: the rate of a user counts over all connections") {
  Play play({}, Rates{1'000'000, 1 << 30, 5});
  play.log_in();
  const auto elsewhere = play.admission.rate_of(user_id(1));
  while (elsewhere->requests.take(play.now, 1, 5).count() == 0) continue;
  play.post(1);
  CHECK(play.frame().error().code() == v1::RATE_LIMITED);
}

TEST_CASE("Session: who floods on regardless is not read until the next tick") {
  SessionOptions options;
  options.connection.frames_per_s = 1;
  Play play(options);
  play.hello();
  int sent = 0;
  while (play.session->can_take(play.now) && sent < 100'000) {
    play.send(ping(1));
    take_frames(*play.session);
    ++sent;
  }
  CHECK(sent < 1'000);
  play.session->tick(play.now + 100ms);
  CHECK(play.session->can_take(play.now));
}

TEST_CASE("Session: commands are held back while their partition has been silent for 800 ms") {
  Play play;
  play.log_in();
  play.attachments.confirmed = play.now;
  CHECK(play.session->can_take(play.now + 800ms));
  CHECK_FALSE(play.session->can_take(play.now + 801ms));
  CHECK_FALSE(play.session->can_take(play.now + 900ms));
  CHECK(play.counters.held_back == 1);
  play.attachments.confirmed = play.now + 950ms;
  CHECK(play.session->can_take(play.now + 1'000ms));
}

TEST_CASE("Session: a silent partition does not hold back who is not logged in") {
  Play play;
  play.hello();
  play.attachments.confirmed = SteadyTime{};
  CHECK(play.session->can_take(play.now));
}

TEST_CASE("Session: credit goes back when the socket has taken deliveries, in quarters") {
  Play play;
  play.log_in();
  const auto frame = pushed(60'000);
  play.session->on_delivery(chat::DeliverInbox{{1, 42}, frame, 1});
  play.session->settle_credit();
  CHECK(play.attachments.credit == 0);
  take_frames(*play.session);
  CHECK(play.attachments.credit == 0);  // below a quarter
  play.session->on_delivery(chat::DeliverInbox{{1, 42}, frame, 2});
  take_frames(*play.session);
  CHECK(play.attachments.credit == 2 * frame.size());
}

TEST_CASE("Session: typing is not sent to a client that is behind") {
  SessionOptions options;
  options.output_bytes_max = 1'000;
  Play play(options);
  play.log_in();
  play.session->on_delivery(chat::DeliverInbox{{1, 42}, pushed(2'000), 1});
  v1::ServerFrame typing;
  typing.mutable_typing()->set_typing(true);
  play.session->on_delivery(chat::DeliverFrame{{1, 42}, typing.SerializeAsString()});
  CHECK(take_frames(*play.session).size() == 1);
  play.session->on_delivery(chat::DeliverFrame{{1, 42}, typing.SerializeAsString()});
  CHECK(play.frame().has_typing());
}

TEST_CASE("Session: typing said again within three seconds is answered and not passed on") {
  Play play;
  play.log_in();
  v1::ClientFrame frame;
  frame.set_request_id(7);
  frame.mutable_set_typing()->set_conversation_id(std::string(16, 'c'));
  frame.mutable_set_typing()->set_typing(true);
  play.send(frame);
  REQUIRE(play.host.runs.size() == 1);
  play.answer();
  CHECK(play.frame().has_done());
  play.send(frame);
  CHECK(play.host.runs.empty());
  CHECK(play.frame().has_done());
  frame.mutable_set_typing()->set_typing(false);  // something else is news
  play.send(frame);
  CHECK(play.host.runs.size() == 1);
  play.answer();
  play.now += std::chrono::seconds(3);
  play.send(frame);
  CHECK(play.host.runs.size() == 1);
}

TEST_CASE("Session: whoever asks for presence is told of changes") {
  Play play;
  play.log_in();
  v1::ClientFrame watch;
  watch.set_request_id(3);
  watch.mutable_watch_presence();
  play.send(watch);
  chat::RequestOutcome outcome;
  outcome.frame.mutable_presence()->add_users()->set_user_id(user_id(2).str());
  play.answer(std::move(outcome));
  CHECK(play.attachments.watched == std::vector<UserId>{user_id(2)});
}

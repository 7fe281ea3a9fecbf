/// How sessions end: by others, by themselves, by time.
#include "play.h"

using namespace holdfast;
using namespace holdfast::gateway;
using namespace std::chrono_literals;

TEST_CASE("Session: a revoked session is told why, is detached and over") {
  Play play;
  play.log_in();
  play.session->on_delivery(chat::EndConnection{{1, 42}, v1::SESSION_ENDED, "revoked"});
  CHECK(play.frame().session_ended().reason() == "revoked");
  CHECK(play.session->is_over());
  CHECK(play.attachments.detached == std::vector<UserId>{user_id(1)});
  CHECK(play.counters.logged_in == 0);
}

TEST_CASE("Session: logging out is answered before the session's end is told") {
  Play play;
  play.log_in();
  v1::ClientFrame out;
  out.set_request_id(3);
  out.mutable_log_out();
  play.send(out);
  play.session->on_delivery(chat::EndConnection{{1, 42}, v1::SESSION_ENDED, "logged out"});
  CHECK(take_frames(*play.session).empty());
  CHECK_FALSE(play.session->can_take(play.now));
  play.answer();
  const auto frames = take_frames(*play.session);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].request_id() == 3);
  CHECK(frames[0].has_done());
  CHECK(frames[1].has_session_ended());
  CHECK(play.session->is_over());
}

TEST_CASE("Session: a log-out that is never answered does not keep an ended session") {
  Play play;
  play.log_in();
  v1::ClientFrame out;
  out.set_request_id(3);
  out.mutable_log_out();
  play.send(out);
  play.session->on_delivery(chat::EndConnection{{1, 42}, v1::SESSION_ENDED, "revoked"});
  play.session->tick(play.now);
  CHECK_FALSE(play.session->is_over());
  play.session->tick(play.now + 5s);
  CHECK(play.session->is_over());
}

TEST_CASE("Session: a drain lets requests under way finish, then says good-bye") {
  Play play;
  play.log_in();
  play.post(3);
  play.session->drain(750ms);
  CHECK_FALSE(play.session->can_take(play.now));
  CHECK(take_frames(*play.session).empty());
  play.answer();
  const auto frames = take_frames(*play.session);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].request_id() == 3);
  CHECK(frames[1].goodbye().reason() == "draining");
  CHECK(frames[1].goodbye().retry_after_ms() == 750);
  CHECK(play.session->is_over());
}

TEST_CASE("Session: without Hello it ends after ten seconds, without a log-in after a minute") {
  Play silent;
  silent.session->tick(silent.now + 9'999ms);
  CHECK_FALSE(silent.session->is_over());
  silent.session->tick(silent.now + 10s);
  CHECK(silent.session->is_over());

  Play nobody;
  nobody.hello();
  nobody.session->on_bytes(nobody.now + 59s);
  nobody.session->tick(nobody.now + 59s);
  CHECK_FALSE(nobody.session->is_over());
  nobody.session->tick(nobody.now + 60s);
  CHECK(nobody.session->is_over());
}

TEST_CASE("Session: silent for twice the keep-alive it ends, and any byte counts") {
  Play play;
  play.log_in();
  play.session->on_bytes(play.now + 100s);
  play.session->tick(play.now + 219s);
  CHECK_FALSE(play.session->is_over());
  play.session->tick(play.now + 220s);
  CHECK(play.frame().goodbye().reason() == "idle");
}

TEST_CASE("Session: a day on the same connection keeps the session in use") {
  Play play;
  play.log_in();
  for (int hours = 1; hours <= 49; ++hours) {
    play.session->on_bytes(play.now + std::chrono::hours(hours));
    play.session->tick(play.now + std::chrono::hours(hours));
  }
  CHECK(play.host.kept == 2);
}

TEST_CASE("Session: the operator key gives this connection operator rights, a wrong one slows the address") {
  Play play;
  play.hello();
  v1::ClientFrame frame;
  frame.set_request_id(4);
  frame.mutable_operator_log_in()->set_key("the operator key");
  play.send(frame);
  CHECK(take_frames(*play.session).back().has_done());
  play.post(5);
  CHECK(play.host.runs[0].caller.operator_rights);
  CHECK(play.host.runs[0].caller.peer_address == "192.0.2.1");

  Play wrong;
  wrong.hello();
  frame.mutable_operator_log_in()->set_key("guess");
  std::vector<v1::ErrorCode> codes;
  for (int i = 0; i < 40; ++i) {
    wrong.send(frame);
    codes.push_back(take_frames(*wrong.session).back().error().code());
  }
  CHECK(codes.front() == v1::WRONG_CREDENTIALS);
  CHECK(codes.back() == v1::LOGIN_LOCKED);
  frame.mutable_operator_log_in()->set_key("the operator key");
  wrong.send(frame);
  CHECK(wrong.frame().error().code() == v1::LOGIN_LOCKED);
}

TEST_CASE("Session: a request without an id is answered by nothing") {
  Play play;
  play.log_in();
  play.post(0);
  play.answer();
  CHECK(take_frames(*play.session).empty());
  CHECK_FALSE(play.session->has_requests());
}

TEST_CASE("Session: leaving detaches once, whatever else comes") {
  Play play;
  play.log_in();
  play.post(3);
  play.session->leave();
  play.session->leave();
  play.answer();
  play.session->on_delivery(chat::DeliverInbox{{1, 42}, pushed(10), 1});
  CHECK(take_frames(*play.session).empty());
  CHECK(play.attachments.detached.size() == 1);
}

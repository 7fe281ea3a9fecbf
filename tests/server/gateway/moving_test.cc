// Sessions and other nodes: endpoints, moving, registering anew.
#include "play.h"

using namespace holdfast;
using namespace holdfast::gateway;
using namespace std::chrono_literals;

namespace {

chat::DeliverInbox inbox(const chat::ConnectionRef& to, std::uint64_t position, std::size_t bytes = 10) {
  v1::ServerFrame frame;
  auto& item = *frame.mutable_inbox()->add_items();
  item.set_position(position);
  item.mutable_change()->mutable_posted()->set_body(std::string(bytes, 'x'));
  return {to, frame.SerializeAsString(), position};
}

void watch(Play& play, std::uint8_t whom) {
  v1::ClientFrame frame;
  frame.set_request_id(3);
  frame.mutable_watch_presence();
  play.send(frame);
  chat::RequestOutcome outcome;
  outcome.frame.mutable_presence()->add_users()->set_user_id(user_id(whom).str());
  play.answer(std::move(outcome));
  take_frames(*play.session);
}

}  // namespace

TEST_CASE("Session: the answer to a resume names the session's endpoints, and only a change is pushed") {
  Play play;
  play.host.endpoints = {"a:1", "b:1"};
  play.hello();
  play.begin_login();
  take_frames(*play.session);
  chat::RequestOutcome outcome;
  outcome.frame.mutable_session();
  outcome.logged_in = chat::LoggedIn{user_id(1), SessionId(), "ann", 0, 0, 0};
  play.answer(std::move(outcome));
  const auto reply = play.frame();
  REQUIRE(reply.session().endpoints_size() == 2);
  CHECK(reply.session().endpoints(0).address() == "a:1");

  play.session->tell_endpoints();
  CHECK(take_frames(*play.session).empty());
  play.host.endpoints = {"b:1"};
  play.session->tell_endpoints();
  const auto push = play.frame();
  CHECK(push.request_id() == 0);
  REQUIRE(push.endpoints().endpoints_size() == 1);
  CHECK(push.endpoints().endpoints(0).address() == "b:1");
  play.session->tell_endpoints();
  CHECK(take_frames(*play.session).empty());
}

TEST_CASE("Session: where there is one node, no endpoints are named") {
  Play play;
  play.log_in();
  play.session->tell_endpoints();
  CHECK(take_frames(*play.session).empty());
}

TEST_CASE("Session: told to move it is served on, and drained only when its time is over") {
  Play play;
  play.log_in();
  play.session->move({"b:1"}, 300ms, play.now + 5s);
  const auto move = play.frame().move();
  CHECK(move.targets(0).address() == "b:1");
  CHECK(move.delay_ms() == 300);
  play.post(7);
  REQUIRE(play.host.runs.size() == 1);
  play.session->tick(play.now + 4'999ms);
  play.answer();
  CHECK(play.frame().has_done());
  CHECK_FALSE(play.session->is_over());
  play.session->tick(play.now + 5s);
  CHECK(play.frame().goodbye().reason() == "draining");
  CHECK(play.session->is_over());
}

TEST_CASE("Session: its time over, it still waits for the answer under way") {
  Play play;
  play.log_in();
  play.session->move({"b:1"}, 0ms, play.now + 5s);
  play.post(7);
  take_frames(*play.session);
  play.session->tick(play.now + 5s);
  CHECK_FALSE(play.session->is_over());
  play.answer();
  const auto frames = take_frames(*play.session);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].has_done());
  CHECK(frames[1].has_goodbye());
}

TEST_CASE("Session: registers anew behind what it was given, with the credit that is left") {
  Play play;
  play.log_in(10);
  const auto first = play.attachments.attached[0].connection;
  play.session->on_delivery(inbox(first, 12, 1'000));
  const auto bytes = play.session->outbox().size() - 4;
  play.session->reattach(PartitionId(7), play.now);
  REQUIRE(play.attachments.attached.size() == 2);
  const auto& second = play.attachments.attached[1];
  CHECK(second.after == 12);
  CHECK(second.credit_bytes == play.options.inbox_credit_bytes - bytes);
  CHECK(second.connection != first);
  CHECK(connection_of(second.connection) == connection_of(first));
  CHECK(play.attachments.detached.size() == 1);  // should it be the same primary after all
  play.session->reattach(PartitionId(8), play.now);
  CHECK(play.attachments.attached.size() == 2);  // not this user's
}

TEST_CASE("Session: what a former registration still sends is shown neither twice nor out of order") {
  Play play;
  play.log_in(10);
  const auto first = play.attachments.attached[0].connection;
  play.session->on_delivery(inbox(first, 11));
  play.session->reattach(PartitionId(7), play.now);
  const auto second = play.attachments.attached[1].connection;
  play.session->on_delivery(inbox(first, 13));  // 12 was lost on the way: this would be a gap
  play.session->on_delivery(inbox(second, 12));
  play.session->on_delivery(inbox(second, 13));
  play.session->on_delivery(inbox(first, 14));
  play.session->on_delivery(inbox(second, 13));
  std::vector<std::uint64_t> shown;
  for (const auto& frame : take_frames(*play.session)) shown.push_back(frame.inbox().items(0).position());
  CHECK(shown == std::vector<std::uint64_t>{11, 12, 13});
}

TEST_CASE("Session: registering anew twice leaves one registration and all of the credit") {
  Play play;
  play.log_in(10);
  for (int i = 0; i < 3; ++i) play.session->reattach(PartitionId(7), play.now);
  REQUIRE(play.attachments.attached.size() == 4);
  CHECK(play.attachments.detached.size() == 3);
  CHECK(play.attachments.attached[3].credit_bytes == play.options.inbox_credit_bytes);
  const auto ref = play.attachments.attached[3].connection;
  play.session->on_delivery(inbox(ref, 11, 100'000));
  take_frames(*play.session);
  CHECK(play.attachments.credit > 100'000);
}

TEST_CASE("Session: credit that a former registration was owed is not given to the new one") {
  Play play;
  play.log_in(10);
  play.session->on_delivery(inbox(play.attachments.attached[0].connection, 11, 20'000));
  take_frames(*play.session);  // taken by the socket: below a quarter, so not told yet
  play.session->reattach(PartitionId(7), play.now);
  CHECK(play.attachments.attached[1].credit_bytes == play.options.inbox_credit_bytes);
  play.session->on_delivery(inbox(play.attachments.attached[1].connection, 12, 60'000));
  take_frames(*play.session);
  CHECK(play.attachments.credit == 0);  // its own 60,000 are below a quarter, too
}

TEST_CASE("Session: an end said to a former registration ends it, too") {
  Play play;
  play.log_in(10);
  const auto first = play.attachments.attached[0].connection;
  play.session->reattach(PartitionId(7), play.now);
  play.session->on_delivery(chat::EndConnection{first, v1::SESSION_ENDED, "revoked"});
  CHECK(play.frame().has_session_ended());
}

TEST_CASE("Session: whom it watches it watches again 10 to 30 s after their partition moved, once") {
  Play play;
  play.log_in();
  watch(play, 2);
  play.attachments.watched.clear();
  play.session->reattach(PartitionId(7), play.now);
  play.session->reattach(PartitionId(7), play.now);
  play.session->tick(play.now + 9'999ms);
  CHECK(play.attachments.watched.empty());
  play.session->tick(play.now + 30s);
  CHECK(play.attachments.watched == std::vector<UserId>{user_id(2)});
  play.attachments.watched.clear();
  play.session->tick(play.now + 60s);
  CHECK(play.attachments.watched.empty());
}

TEST_CASE("Session: a watch that is over is not renewed by a failover") {
  Play play;
  play.log_in();
  watch(play, 2);
  play.attachments.watched.clear();
  play.session->reattach(PartitionId(7), play.now + 299s);
  play.session->tick(play.now + 330s);
  CHECK(play.attachments.watched.empty());
}

#include "play.h"

using namespace holdfast;
using namespace holdfast::client;
using namespace holdfast::client::play;

namespace {
/// Refuses to save from some point on.
struct SickStore final : SessionStore {
  MemorySessionStore kept;
  bool sick = false;
  int saves = 0;
  Result<std::optional<SavedSession>> load() override { return kept.load(); }
  Status save(const SavedSession& session) override {
    ++saves;
    if (sick) return holdfast::Error{Errc::io, "no space"};
    return kept.save(session);
  }
  Status clear() override { return kept.clear(); }
};
}  // namespace

TEST_CASE("Session: a log-in's token is stored, and the next start resumes with it and no password") {
  MemorySessionStore store;
  {
    Play play(options_for(LogInWith{"ada", "secret"}), &store);
    play.machine.start(play.now);
    play.log_in();
    CHECK(play.machine.logins() == 1);
    play.machine.stop(play.now);
  }
  Play again(options_for(StoredOnly{}), &store);
  again.machine.start(again.now);
  CHECK(again.resume().token() == "t1");
  CHECK(again.machine.logins() == 0);
  CHECK(again.machine.resumes() == 1);
}

TEST_CASE("Session: nothing stored and no credentials ends at once") {
  MemorySessionStore store;
  Play play(options_for(StoredOnly{}), &store);
  play.machine.start(play.now);
  REQUIRE(play.heard.ended.size() == 1);
  CHECK(play.heard.ended[0].code == v1::NOT_LOGGED_IN);
}

TEST_CASE("Session: a registration is asked again under the same id when the connection goes before the answer") {
  Play play(options_for(RegisterWith{"ada", "secret88", ""}));
  play.machine.start(play.now);
  play.machine.take_wish();
  play.machine.connection_open(play.now);
  play.answer_hello(play.one().request_id());
  const auto first = play.one();
  REQUIRE(first.has_register_());
  CHECK(first.idempotency_id().size() == 16);
  play.machine.connection_lost(play.now, "cut");
  play.pass_to_deadline();
  play.machine.take_wish();
  play.machine.connection_open(play.now);
  play.answer_hello(play.one().request_id());
  CHECK(play.one().idempotency_id() == first.idempotency_id());
}

TEST_CASE("Session: a new token is saved before it is confirmed, and used from then on") {
  SickStore store;
  Play play(options_for(LogInWith{"ada", "secret"}), &store);
  play.machine.start(play.now);
  play.log_in();
  v1::ServerFrame token;
  token.mutable_token()->set_token("t2");
  token.mutable_token()->set_serial(2);
  play.say(token);
  CHECK((*store.kept.load())->token == "t2");
  const auto confirm = play.one();
  CHECK(confirm.confirm_token().serial() == 2);
  CHECK(play.reconnect().token() == "t2");
}

TEST_CASE("Session: a token that can't be saved is not confirmed, and the old one goes on") {
  SickStore store;
  Play play(options_for(LogInWith{"ada", "secret"}), &store);
  play.machine.start(play.now);
  play.log_in();
  store.sick = true;
  v1::ServerFrame token;
  token.mutable_token()->set_token("t2");
  token.mutable_token()->set_serial(2);
  play.say(token);
  CHECK(play.written().empty());
  store.sick = false;
  CHECK(play.reconnect().token() == "t1");
}

TEST_CASE("Session: revoked means ended: the store is empty, waiting requests are told, nothing reconnects") {
  MemorySessionStore store;
  Play play(options_for(LogInWith{"ada", "secret"}), &store);
  play.machine.start(play.now);
  play.log_in();
  int closed = 0;
  play.machine.request(play.now, ask::get_account(),
                       [&](const Reply& r) { closed += r.failure->cause == Failure::Cause::closed; }, {});
  play.written();
  v1::ServerFrame ended;
  ended.mutable_session_ended()->set_code(v1::SESSION_ENDED);
  ended.mutable_session_ended()->set_reason("revoked");
  play.say(ended);
  CHECK(closed == 1);
  CHECK_FALSE(*store.load());
  CHECK(play.heard.log.back() == "ended");
  CHECK(play.machine.take_wish().close);
  CHECK(play.machine.next_deadline() == SteadyTime::max());
}

TEST_CASE("Session: a stored session that has ended falls back to the password, if there is one") {
  MemorySessionStore store;
  SavedSession saved;
  saved.token = "old";
  REQUIRE(store.save(saved));
  Play play(options_for(LogInWith{"ada", "secret"}), &store);
  play.machine.start(play.now);
  play.machine.take_wish();
  play.machine.connection_open(play.now);
  const auto frames = play.written();
  play.answer_hello(frames[0].request_id());
  play.answer_error(frames[1].request_id(), v1::SESSION_ENDED);
  const auto login = play.one();
  REQUIRE(login.has_log_in());
  play.say(Play::session(login.request_id(), "t9", 0));
  CHECK((*store.load())->token == "t9");
}

TEST_CASE("Session: an operator's connection asks for its rights again after a reconnect") {
  Play play(options_for(OperatorWith{"key"}));
  play.machine.start(play.now);
  for (int i = 0; i < 2; ++i) {
    play.machine.take_wish();
    play.machine.connection_open(play.now);
    play.answer_hello(play.one().request_id());
    const auto login = play.one();
    CHECK(login.operator_log_in().key() == "key");
    v1::ServerFrame done;
    done.set_request_id(login.request_id());
    done.mutable_done();
    play.say(done);
    CHECK(play.machine.online());
    play.machine.connection_lost(play.now, "cut");
    play.pass_to_deadline();
  }
}

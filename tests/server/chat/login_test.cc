#include <algorithm>
#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "tests/support/fake_backend.h"

using namespace holdfast;
using namespace holdfast::chat;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

v1::Error failed_login(FakeBackend& backend, const std::string& username, const std::string& password = "wrong one") {
  const RequestOutcome outcome = backend.run({}, login(backend, username, password));
  CHECK_FALSE(outcome.logged_in);
  return outcome.frame.error();
}

/// Fails until the name is locked, waiting as told; returns every answer on the way.
std::vector<std::string> fail_until_locked(FakeBackend& backend, const std::string& username) {
  std::vector<std::string> told;
  for (int tries = 0; tries < 50; ++tries) {
    const v1::Error error = failed_login(backend, username);
    told.push_back(error.ShortDebugString());
    if (error.code() == v1::LOGIN_LOCKED) return told;
    backend.advance(std::chrono::milliseconds(error.retry_after_ms()));
  }
  return told;
}

}  // namespace

TEST_CASE("Register: makes an account with a session, and says so on the bus") {
  FakeBackend backend;
  v1::ClientFrame frame = registration(backend, "anna", "correct horse");
  frame.set_request_id(17);
  frame.mutable_register_()->set_email("anna@example.org");
  const RequestOutcome made = backend.run({}, frame);
  REQUIRE(made.logged_in);
  CHECK(made.frame.request_id() == 17);
  CHECK(made.frame.session().username() == "anna");
  CHECK_FALSE(made.frame.session().token().empty());
  const UserId user = made.logged_in->user;
  RuleFixture& home = backend.home(user);
  REQUIRE(home.all_events.size() == 2);
  CHECK(home.all_events[0].account_created().username() == "anna");
  CHECK(home.all_events[1].address_set().address() == "anna@example.org");
  const auto mailbox = home.stored<state::Mailbox>(keys::mailbox(user));
  REQUIRE(mailbox->cursors_size() == 1);
  CHECK(mailbox->cursors(0).session() == made.frame.session().session_id());
  const auto session = home.stored<state::Session>(keys::session(user, made.logged_in->session));
  CHECK(session->token_hash() == token_hash(made.frame.session().token()));
}

TEST_CASE(
    "Register: a repetition with the same id gets the same session, not a second device, and a token that works") {
  FakeBackend backend;
  const v1::ClientFrame frame = registration(backend, "anna", "correct horse");
  const RequestOutcome first = backend.run({}, frame);
  const RequestOutcome second = backend.run({}, frame);
  REQUIRE(second.logged_in);
  CHECK(second.logged_in->user == first.logged_in->user);
  CHECK(second.logged_in->session == first.logged_in->session);
  const auto account = backend.home(first.logged_in->user).stored<state::Account>(keys::account(first.logged_in->user));
  CHECK(account->sessions_size() == 1);
  CHECK(backend.run({}, resumption(second.frame.session().token())).logged_in);
  // Nobody saw the first token, so it isn't one any more; its use is no theft either.
  CHECK(backend.run({}, resumption(first.frame.session().token())).frame.error().code() == v1::SESSION_ENDED);
  CHECK(backend.run({}, resumption(second.frame.session().token())).logged_in);
}

TEST_CASE("Register: a taken name is taken, also with the same id and another password, and after it was deleted") {
  FakeBackend backend;
  v1::ClientFrame frame = registration(backend, "anna", "correct horse");
  const Caller anna = caller_after(backend.run({}, frame));
  CHECK(backend.run({}, registration(backend, "anna", "other password")).frame.error().code() == v1::ALREADY_EXISTS);
  frame.mutable_register_()->set_password("other password");
  CHECK(backend.run({}, frame).frame.error().code() == v1::ALREADY_EXISTS);

  v1::ClientFrame deletion;
  deletion.set_idempotency_id(backend.fresh_id().str());
  deletion.mutable_delete_account()->set_password("correct horse");
  CHECK(backend.run(anna, deletion).frame.has_done());
  CHECK(backend.run({}, registration(backend, "anna", "correct horse")).frame.error().code() == v1::ALREADY_EXISTS);
  CHECK(failed_login(backend, "anna", "correct horse").code() == v1::WRONG_CREDENTIALS);
}

TEST_CASE("LogIn: each one is a device; a repetition is the same one; one that was ended doesn't come back") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  const v1::ClientFrame frame = login(backend, "anna", "correct horse");
  const RequestOutcome first = backend.run({}, frame);
  const RequestOutcome second = backend.run({}, frame);
  REQUIRE(second.logged_in);
  CHECK(second.logged_in->session == first.logged_in->session);
  CHECK(second.logged_in->session != device.caller.session);
  CHECK(backend.run({}, resumption(second.frame.session().token())).logged_in);

  v1::ClientFrame log_out;
  log_out.mutable_log_out();
  CHECK(backend.run(caller_after(second), log_out).frame.has_done());
  CHECK(backend.run({}, frame).frame.error().code() == v1::SESSION_ENDED);
}

TEST_CASE("LogIn: an unknown name and a wrong password get the same answers all the way to the lock") {
  FakeBackend known;
  FakeBackend unknown;
  new_user(known, "anna");
  new_user(unknown, "berta");
  const auto told_of_known = fail_until_locked(known, "anna");
  CHECK(told_of_known == fail_until_locked(unknown, "anna"));
  CHECK(told_of_known.size() > 10);
  // And both paid for a hash, each time that a password was looked at.
  CHECK(known.verified_against.size() == unknown.verified_against.size());
  CHECK(known.verified_against.size() == 10);
}

TEST_CASE("LogIn: failures slow the next try, then lock the name; even the right password waits") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  for (int i = 0; i < 3; ++i) CHECK(failed_login(backend, "anna").code() == v1::WRONG_CREDENTIALS);
  v1::Error slowed = failed_login(backend, "anna", "correct horse");
  CHECK(slowed.code() == v1::RATE_LIMITED);
  CHECK(slowed.retry_after_ms() == 1000);
  backend.advance(seconds(1));
  CHECK(failed_login(backend, "anna").code() == v1::WRONG_CREDENTIALS);
  CHECK(failed_login(backend, "anna").retry_after_ms() == 2000);

  fail_until_locked(backend, "anna");
  const v1::Error locked = failed_login(backend, "anna", "correct horse");
  CHECK(locked.code() == v1::LOGIN_LOCKED);
  CHECK(locked.retry_after_ms() == 15 * 60 * 1000);
  const auto& events = backend.home(*device.caller.user).all_events;
  const auto locks = std::count_if(events.begin(), events.end(), [](const auto& e) { return e.has_login_locked(); });
  CHECK(locks == 1);
  // Live sessions never notice.
  CHECK(backend.run({}, resumption(device.token)).logged_in);

  backend.advance(minutes(15));
  CHECK(backend.run({}, login(backend, "anna", "correct horse")).logged_in);
  for (int i = 0; i < 3; ++i) CHECK(failed_login(backend, "anna").code() == v1::WRONG_CREDENTIALS);
}

TEST_CASE("LogIn: many guesses at once are counted one by one") {
  FakeBackend backend;
  new_user(backend, "anna");
  std::map<v1::ErrorCode, int> told;
  for (int i = 0; i < 20; ++i) {
    const auto count = [&](RequestOutcome outcome) { ++told[outcome.frame.error().code()]; };
    run_request(backend, {}, login(backend, "anna", i == 19 ? "correct horse" : "wrong one"), count, nullptr);
  }
  backend.settle();
  CHECK(told[v1::WRONG_CREDENTIALS] == 3);
  CHECK(told[v1::RATE_LIMITED] == 17);
}

TEST_CASE("LogIn: a password that is changed while it is checked lets nobody in") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  std::optional<RequestOutcome> outcome;
  run_request(backend, {}, login(backend, "anna", "correct horse"), [&](RequestOutcome o) { outcome = o; }, nullptr);
  RuleFixture& home = backend.home(*device.caller.user);
  const std::string key = keys::account(*device.caller.user);
  auto account = *home.stored<state::Account>(key);
  backend.verify_password("", "", [&](const Result<bool>&) {  // in the queue between BeginLogin and FinishLogin
    account.set_password_hash("another");
    home.rows[key] = account.SerializeAsString();
  });
  backend.settle();
  REQUIRE(outcome);
  CHECK(outcome->frame.error().code() == v1::RETRY);
}

TEST_CASE("LogIn: a full password queue asks to come again") {
  FakeBackend backend;
  new_user(backend, "anna");
  backend.password_pool_full = true;
  const v1::Error error = failed_login(backend, "anna", "correct horse");
  CHECK(error.code() == v1::RETRY);
  CHECK(error.retry_after_ms() > 0);
}

TEST_CASE("LogIn: beyond the most devices the one unused for longest ends, and is told") {
  FakeBackend backend;
  const Device first = new_user(backend, "anna");
  const UserId user = *first.caller.user;
  RuleFixture& home = backend.home(user);
  home.limits.sessions_of_a_user_max = 3;
  const RequestOutcome second = backend.run({}, login(backend, "anna", "correct horse"));
  backend.advance(std::chrono::hours(48));
  backend.run({}, resumption(first.token));  // seen: touched
  backend.run({}, login(backend, "anna", "correct horse"));
  backend.run({}, login(backend, "anna", "correct horse"));
  const auto account = home.stored<state::Account>(keys::account(user));
  CHECK(account->sessions_size() == 3);
  CHECK(home.stored<state::Mailbox>(keys::mailbox(user))->cursors_size() == 3);
  CHECK(backend.run({}, resumption(first.token)).logged_in);
  CHECK(backend.run({}, resumption(second.frame.session().token())).frame.error().code() == v1::SESSION_ENDED);
  REQUIRE(home.all_effects.size() == 1);
  CHECK(std::get<SessionGone>(home.all_effects[0]).session == second.logged_in->session);
}

TEST_CASE("Log-ins: what is malformed is named") {
  FakeBackend backend;
  v1::ClientFrame frame = login(backend, "Anna", "correct horse");
  CHECK(backend.run({}, frame).frame.error().message() == "username: 1 to 64 of [a-z0-9._-]");
  frame = registration(backend, "anna", "short");
  CHECK(backend.run({}, frame).frame.error().message() == "password: 8 to 1024 bytes");
  frame = registration(backend, "anna", "correct horse");
  frame.clear_idempotency_id();
  CHECK(backend.run({}, frame).frame.error().code() == v1::INVALID_ARGUMENT);
  frame.set_idempotency_id(make_uuid7(backend.now() - std::chrono::hours(8 * 24), backend.random()).str());
  CHECK(backend.run({}, frame).frame.error().code() == v1::STALE_ID);
  frame.set_idempotency_id(make_uuid7(backend.now() + minutes(11), backend.random()).str());
  CHECK(backend.run({}, frame).frame.error().code() == v1::INVALID_ARGUMENT);
}

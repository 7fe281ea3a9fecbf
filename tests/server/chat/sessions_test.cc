#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "tests/support/fake_backend.h"

using namespace holdfast;
using namespace holdfast::chat;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

constexpr hours kDay{24};

v1::ErrorCode resume_code(FakeBackend& backend, const std::string& token) {
  const RequestOutcome outcome = backend.run({}, resumption(token));
  CHECK(outcome.logged_in.has_value() != outcome.frame.has_error());
  return outcome.frame.error().code();
}

v1::ClientFrame confirmation(std::uint32_t serial) {
  v1::ClientFrame frame;
  frame.mutable_confirm_token()->set_serial(serial);
  return frame;
}

/// Ages the token, resumes with it and gives what is pushed.
v1::TokenPush take_offer(FakeBackend& backend, const std::string& token) {
  backend.advance(8 * kDay);
  backend.pushed.clear();
  CHECK(resume_code(backend, token) == v1::ERROR_UNSPECIFIED);
  REQUIRE(backend.pushed.size() == 1);
  return backend.pushed[0].token();
}

state::Session stored_session(FakeBackend& backend, const Caller& caller) {
  return *backend.home(*caller.user).stored<state::Session>(keys::session(*caller.user, caller.session));
}

}  // namespace

TEST_CASE("Resume: writes nothing, hashes nothing, and goes on after the client's cursor") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  RuleFixture& home = backend.home(*device.caller.user);
  state::Mailbox mailbox = *home.stored<state::Mailbox>(keys::mailbox(*device.caller.user));
  mailbox.set_head(40);
  mailbox.set_first(11);
  home.rows[keys::mailbox(*device.caller.user)] = mailbox.SerializeAsString();
  const RowMap before = home.rows;

  const RequestOutcome outcome = backend.run({}, resumption(device.token, 25));
  REQUIRE(outcome.logged_in);
  CHECK(outcome.logged_in->cursor == 25);
  CHECK(outcome.logged_in->inbox_head == 40);
  CHECK(outcome.logged_in->inbox_first == 11);
  CHECK(outcome.logged_in->username == "anna");
  CHECK(outcome.frame.session().token().empty());
  CHECK(home.rows == before);
  CHECK(backend.verified_against.empty());
  CHECK(backend.pushed.empty());
  CHECK(backend.run({}, resumption(device.token, 99)).frame.session().cursor() == 40);
}

TEST_CASE("Resume: positions of an earlier generation count up to the backup, and the client is told") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  RuleFixture& home = backend.home(*device.caller.user);
  state::Mailbox mailbox = *home.stored<state::Mailbox>(keys::mailbox(*device.caller.user));
  backend.restored = {9, 1'001};
  mailbox.set_head(1'007);  // seven came in this generation
  home.rows[keys::mailbox(*device.caller.user)] = mailbox.SerializeAsString();
  const auto resumed_with = [&](std::uint64_t cursor, std::uint64_t generation) {
    auto frame = resumption(device.token, cursor);
    frame.mutable_resume()->set_generation(generation);
    const RequestOutcome outcome = backend.run({}, std::move(frame));
    REQUIRE(outcome.logged_in);
    CHECK(outcome.frame.session().generation() == 9);
    CHECK(outcome.frame.session().cursor() == outcome.logged_in->cursor);
    return *outcome.logged_in;
  };
  // What it had seen before the backup it has; what it saw after that is none of ours, however far it came.
  CHECK(resumed_with(25, 7).cursor == 25);
  CHECK(resumed_with(900, 7).cursor == 900);
  CHECK(resumed_with(1'003, 7).cursor == 1'000);
  CHECK(resumed_with(900, 7).reset_to == 9);
  // Its own generation, and who knows of none.
  CHECK(resumed_with(1'003, 9).cursor == 1'003);
  CHECK(resumed_with(1'003, 9).reset_to == 0);
  CHECK(resumed_with(1'003, 0).reset_to == 0);
}

TEST_CASE("Resume: garbage is told without asking anybody") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  CHECK(resume_code(backend, "garbage") == v1::SESSION_ENDED);
  std::string forged = device.token;
  forged.back() = static_cast<char>(forged.back() ^ 1);
  CHECK(resume_code(backend, forged) == v1::SESSION_ENDED);
}

TEST_CASE("Tokens: an old one is replaced in two phases, and both work until the client confirms") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  const v1::TokenPush offer = take_offer(backend, device.token);
  CHECK(offer.serial() == 2);
  // The client crashed before it stored the new one: the old one still works, and no other is offered at once.
  backend.pushed.clear();
  CHECK(resume_code(backend, device.token) == v1::ERROR_UNSPECIFIED);
  CHECK(backend.pushed.empty());
  // It had stored it after all.
  CHECK(backend.run(device.caller, confirmation(2)).frame.has_done());
  CHECK(backend.run(device.caller, confirmation(2)).frame.has_done());
  CHECK(stored_session(backend, device.caller).serial() == 2);
  CHECK(resume_code(backend, offer.token()) == v1::ERROR_UNSPECIFIED);
  CHECK(backend.run(device.caller, confirmation(3)).frame.error().code() == v1::PRECONDITION_FAILED);
}

TEST_CASE("Tokens: a client that lost what it was offered is offered another one later") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  const v1::TokenPush lost = take_offer(backend, device.token);
  backend.advance(hours(2));
  backend.pushed.clear();
  CHECK(resume_code(backend, device.token) == v1::ERROR_UNSPECIFIED);
  REQUIRE(backend.pushed.size() == 1);
  CHECK(backend.pushed[0].token().serial() == 3);
  CHECK(backend.run(device.caller, confirmation(lost.serial())).frame.error().code() == v1::PRECONDITION_FAILED);
  CHECK(backend.run(device.caller, confirmation(3)).frame.has_done());
  CHECK(resume_code(backend, backend.pushed[0].token().token()) == v1::ERROR_UNSPECIFIED);
}

TEST_CASE("Tokens: using the offered one confirms it") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  const v1::TokenPush offer = take_offer(backend, device.token);
  CHECK(resume_code(backend, offer.token()) == v1::ERROR_UNSPECIFIED);
  CHECK(stored_session(backend, device.caller).serial() == 2);
  CHECK(stored_session(backend, device.caller).next_serial() == 0);
}

TEST_CASE("Tokens: no crash at any step of a replacement locks the client out or looks like theft") {
  // The server loses what was under way after each number of steps; the client comes back with what it has.
  for (std::size_t steps = 0; steps < 6; ++steps) {
    for (const bool client_stored_it : {false, true}) {
      FakeBackend backend;
      const Device device = new_user(backend, "anna");
      backend.advance(8 * kDay);
      std::string held = device.token;
      const auto push = [&](const v1::ServerFrame& frame) {
        if (client_stored_it) held = frame.token().token();
      };
      run_request(backend, {}, resumption(held), [](const RequestOutcome&) {}, push);
      backend.settle(steps);
      // Again, and now what the use of the new token asks for may be lost.
      run_request(backend, {}, resumption(held), [](const RequestOutcome&) {}, push);
      backend.settle(steps);
      CHECK(resume_code(backend, held) == v1::ERROR_UNSPECIFIED);
      backend.advance(hours(48));
      CHECK(resume_code(backend, held) == v1::ERROR_UNSPECIFIED);
    }
  }
}

TEST_CASE("Tokens: a superseded one is a retry within a minute, and theft later") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  const v1::TokenPush offer = take_offer(backend, device.token);
  backend.run(device.caller, confirmation(2));
  backend.advance(seconds(59));
  CHECK(resume_code(backend, device.token) == v1::TOKEN_SUPERSEDED);
  CHECK(resume_code(backend, offer.token()) == v1::ERROR_UNSPECIFIED);

  backend.advance(seconds(2));
  CHECK(resume_code(backend, device.token) == v1::SESSION_ENDED);
  CHECK(resume_code(backend, offer.token()) == v1::SESSION_ENDED);  // the session is over, for the thief too
  const auto& effects = backend.home(*device.caller.user).all_effects;
  REQUIRE(effects.size() == 1);
  CHECK(std::get<SessionGone>(effects[0]).session == device.caller.session);
}

TEST_CASE("Tokens: one from before the superseded one is theft too, but an offer that was never taken is not") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  const v1::TokenPush abandoned = take_offer(backend, device.token);
  const v1::TokenPush second = take_offer(backend, device.token);
  backend.run(device.caller, confirmation(second.serial()));
  backend.advance(hours(1));
  CHECK(resume_code(backend, abandoned.token()) == v1::SESSION_ENDED);
  CHECK(resume_code(backend, second.token()) == v1::ERROR_UNSPECIFIED);
  const v1::TokenPush third = take_offer(backend, second.token());
  backend.run(device.caller, confirmation(third.serial()));
  CHECK(resume_code(backend, device.token) == v1::TOKEN_SUPERSEDED);  // it may have been on its way for so long
  CHECK(resume_code(backend, third.token()) == v1::ERROR_UNSPECIFIED);
  backend.advance(seconds(61));
  CHECK(resume_code(backend, device.token) == v1::SESSION_ENDED);
  CHECK(resume_code(backend, third.token()) == v1::SESSION_ENDED);
}

TEST_CASE("Tokens: after a rotated key those signed with the old one work, and are replaced when used") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  Caller op;
  op.operator_rights = true;
  v1::ClientFrame rotate;
  rotate.mutable_rotate_token_key();
  CHECK(backend.run({}, rotate).frame.error().code() == v1::PERMISSION_DENIED);
  CHECK(backend.run(op, rotate).frame.has_done());
  CHECK(resume_code(backend, device.token) == v1::ERROR_UNSPECIFIED);
  REQUIRE(backend.pushed.size() == 1);
  CHECK(verify_token(backend.token_keys(), backend.pushed[0].token().token())->key_id == 2);
}

TEST_CASE("Sessions: 60 days without use end them; one that is connected all the time stays, with a fresh token") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  const Device other = new_user(backend, "berta");
  for (int day = 0; day < 61; ++day) {
    backend.advance(kDay);
    keep_session(backend, *other.caller.user, other.caller.session,
                 [&](const v1::ServerFrame& frame) { backend.pushed.push_back(frame); });
    backend.settle();
  }
  CHECK(resume_code(backend, device.token) == v1::SESSION_ENDED);
  CHECK(resume_code(backend, other.token) == v1::ERROR_UNSPECIFIED);
  CHECK(backend.pushed.size() > 1);
}

TEST_CASE("Devices: are listed, and a revoked one is out") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  v1::ClientFrame again = login(backend, "anna", "correct horse");
  again.mutable_log_in()->set_device_name("phone");
  const RequestOutcome phone = backend.run({}, again);
  v1::ClientFrame list;
  list.mutable_list_devices();
  const v1::DevicesReply devices = backend.run(device.caller, list).frame.devices();
  REQUIRE(devices.devices_size() == 2);
  CHECK(devices.devices(0).current());
  CHECK(devices.devices(1).name() == "phone");

  v1::ClientFrame revoke;
  revoke.mutable_revoke_device()->set_session_id(phone.frame.session().session_id());
  CHECK(backend.run(device.caller, revoke).frame.has_done());
  CHECK(backend.run(device.caller, revoke).frame.has_done());
  CHECK(resume_code(backend, phone.frame.session().token()) == v1::SESSION_ENDED);
  CHECK(backend.run(device.caller, list).frame.devices().devices_size() == 1);
  RuleFixture& home = backend.home(*device.caller.user);
  CHECK(home.stored<state::Mailbox>(keys::mailbox(*device.caller.user))->cursors_size() == 1);
  CHECK(home.all_events.back().session_ended().reason() == "revoked");
  // A stranger's session is not found, whatever the id.
  const Device stranger = new_user(backend, "berta");
  revoke.mutable_revoke_device()->set_session_id(device.caller.session.str());
  CHECK(backend.run(stranger.caller, revoke).frame.error().code() == v1::NOT_FOUND);
  CHECK(resume_code(backend, device.token) == v1::ERROR_UNSPECIFIED);
  revoke.mutable_revoke_device()->set_session_id("short");
  CHECK(backend.run(stranger.caller, revoke).frame.error().message() == "session_id: an id has 16 bytes");
}

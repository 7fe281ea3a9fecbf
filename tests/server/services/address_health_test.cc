#include "server/services/address_health.h"

#include "tests/server/services/ways_back_world.h"

namespace holdfast::services {
namespace {

using Done = command::IntentDone;

struct World : WaysBackWorld {
  std::vector<v1::EmailFailing> told;  ///< to connected devices

  /// What became of a mail; the code as a relay would give it.
  void done(const chat::Caller& caller, const IntentId& id, Done::Outcome outcome, std::uint32_t code) {
    chat::RuleFixture& home = backend.home(*caller.user);
    command::Command command;
    command.set_user(caller.user->str());
    command.mutable_intent_done()->set_intent(id.str());
    command.mutable_intent_done()->set_outcome(outcome);
    command.mutable_intent_done()->set_code(code);
    home.run(command);
    for (const chat::Effect& effect : home.effects)
      if (const auto* tell = std::get_if<chat::TellUsers>(&effect)) {
        CHECK(tell->users == std::vector<UserId>{*caller.user});
        told.push_back(tell->frame.email_failing());
      }
    run_bus();
  }
  /// A reset is asked for, mailed, and that comes to this. False: no mail was to be sent.
  bool reset_mail(const chat::Caller& caller, Done::Outcome outcome, std::uint32_t code) {
    ask_reset("anna");
    const auto all = mails(caller, "password_reset");
    if (all.empty()) return false;
    for (const auto& [id, intent] : all) done(caller, id, outcome, code);
    return true;
  }
  bool refused(const chat::Caller& caller) { return reset_mail(caller, Done::NEVER, 550); }
  bool taken(const chat::Caller& caller) { return reset_mail(caller, Done::DONE, 250); }

  bool is_found_by(const std::string& address) {
    const std::string hash = backend.mail_key().address_hash(address);
    return backend.home(*UserId::from_bytes(hash)).rows.contains(keys::address(hash));
  }
  v1::AccountReply shown(const chat::Caller& caller) {
    v1::ClientFrame frame;
    frame.mutable_get_account();
    return ask(caller, frame).account();
  }
  /// With the mail that verifies the address out of the way.
  chat::Caller anna() {
    const auto caller = verified_user("anna", "anna@inbox.test");
    for (const auto& [id, intent] : mails(caller)) done(caller, id, Done::DONE, 250);
    return caller;
  }
};

}  // namespace

TEST_CASE("Addresses that refuse mail: after three in a row one is used no more, and its owner is told") {
  World world;
  const auto anna = world.anna();
  REQUIRE(world.refused(anna));
  REQUIRE(world.refused(anna));
  CHECK(world.account(anna).email_verified());
  CHECK(world.told.empty());
  REQUIRE(world.refused(anna));
  CHECK_FALSE(world.account(anna).email_verified());
  CHECK(world.shown(anna).email_failing());
  CHECK(world.shown(anna).email() == "anna@inbox.test");
  REQUIRE(world.told.size() == 1);
  CHECK(world.told.front().email() == "anna@inbox.test");
  CHECK_FALSE(world.is_found_by("anna@inbox.test"));
  CHECK(world.count_events([](const log::Event& event) { return event.has_address_failing(); }) == 1);
  CHECK_FALSE(world.refused(anna));  // nothing is mailed there
}

TEST_CASE("Addresses that refuse mail: one that takes a mail in between is good") {
  World world;
  const auto anna = world.anna();
  for (int i = 0; i < 2; ++i) {
    world.backend.advance(std::chrono::hours(2));  // as often as a reset may be asked for
    REQUIRE(world.refused(anna));
    REQUIRE(world.refused(anna));
    REQUIRE(world.taken(anna));
  }
  CHECK(world.account(anna).email_verified());
  CHECK(world.account(anna).mails_refused() == 0);
}

TEST_CASE("Addresses that refuse mail: a relay that is down or wants us to come later counts for nothing") {
  World world;
  const auto anna = world.anna();
  for (int i = 0; i < 4; ++i) REQUIRE(world.reset_mail(anna, Done::LATER, 451));
  CHECK(world.account(anna).mails_refused() == 0);
}

TEST_CASE("Addresses that refuse mail: another address starts anew, and so does this one once it is verified again") {
  World world;
  const auto anna = world.anna();
  for (int i = 0; i < 3; ++i) REQUIRE(world.refused(anna));
  v1::ClientFrame again;
  again.mutable_resend_verification();
  REQUIRE_FALSE(world.ask(anna, again).has_error());
  REQUIRE_FALSE(world.verify(world.link(anna, "verify_address")).has_error());
  CHECK_FALSE(world.shown(anna).email_failing());
  CHECK(world.is_found_by("anna@inbox.test"));

  world.backend.advance(std::chrono::hours(2));
  for (int i = 0; i < 3; ++i) REQUIRE(world.refused(anna));
  v1::ClientFrame other;
  other.mutable_set_email()->set_password("correct horse");
  other.mutable_set_email()->set_email("new@inbox.test");
  REQUIRE_FALSE(world.ask(anna, other).has_error());
  CHECK_FALSE(world.shown(anna).email_failing());
  CHECK(world.account(anna).mails_refused() == 0);
}

TEST_CASE("Addresses that refuse mail: what goes to an address that was replaced says nothing about the new one") {
  World world;
  const auto anna = world.anna();
  world.ask_reset("anna");
  const auto to_old = world.mails(anna, "password_reset");
  v1::ClientFrame other;
  other.mutable_set_email()->set_password("correct horse");
  other.mutable_set_email()->set_email("new@inbox.test");
  REQUIRE_FALSE(world.ask(anna, other).has_error());
  for (const auto& [id, intent] : to_old) world.done(anna, id, Done::NEVER, 550);
  CHECK(world.account(anna).mails_refused() == 0);
}

}  // namespace holdfast::services

#include "server/services/addresses.h"

#include "tests/server/services/ways_back_world.h"

namespace holdfast::services {
namespace {

using World = WaysBackWorld;

v1::ClientFrame address_change(const std::string& email) {
  v1::ClientFrame frame;
  frame.mutable_set_email()->set_password("correct horse");
  frame.mutable_set_email()->set_email(email);
  return frame;
}

/// Who can be found by the address.
std::size_t found_by(World& world, const std::string& address) {
  const std::string hash = world.backend.mail_key().address_hash(address);
  const auto row = world.backend.home(*UserId::from_bytes(hash)).stored<state::Address>(keys::address(hash));
  return row ? static_cast<std::size_t>(row->users_size()) : 0;
}

}  // namespace

TEST_CASE("An address: registered with, it gets a mail whose link verifies it once") {
  World world;
  const auto anna = world.user("anna", "anna@inbox.test");
  REQUIRE(world.mails(anna).size() == 1);
  const std::string token = world.link(anna, "verify_address");
  CHECK_FALSE(world.account(anna).email_verified());
  CHECK(found_by(world, "anna@inbox.test") == 0);
  v1::ClientFrame frame;
  frame.mutable_verify_address()->set_token(token);
  CHECK_FALSE(world.ask({}, frame).has_error());
  CHECK(world.account(anna).email_verified());
  CHECK(found_by(world, "anna@inbox.test") == 1);
  CHECK(world.verify(token).error().code() == v1::PRECONDITION_FAILED);
  CHECK(world.use(token, "battery staple").error().code() == v1::PRECONDITION_FAILED);  // it is for nothing else
}

TEST_CASE("An address: another one is verified anew, the old one is told, and finds nobody any more") {
  World world;
  const auto anna = world.verified_user("anna", "old@inbox.test");
  world.backend.advance(std::chrono::minutes(1));
  REQUIRE_FALSE(world.ask(anna, address_change("new@inbox.test")).has_error());
  CHECK_FALSE(world.account(anna).email_verified());
  CHECK(found_by(world, "old@inbox.test") == 0);
  REQUIRE(world.mails(anna, "address_changed").size() == 1);
  CHECK(world.mails(anna, "address_changed").front().second.mail().to() == "old@inbox.test");
  CHECK(world.mails(anna, "verify_address").back().second.mail().to() == "new@inbox.test");
  CHECK_FALSE(world.verify(world.link(anna, "verify_address")).has_error());
  CHECK(found_by(world, "new@inbox.test") == 1);
}

TEST_CASE("An address: one that was never verified is not told that it was replaced, and its link is void") {
  World world;
  const auto anna = world.user("anna", "typo@inbox.test");
  const std::string to_stranger = world.link(anna, "verify_address");
  world.backend.advance(std::chrono::minutes(1));
  REQUIRE_FALSE(world.ask(anna, address_change("anna@inbox.test")).has_error());
  CHECK(world.mails(anna, "address_changed").empty());
  CHECK(world.verify(to_stranger).error().code() == v1::PRECONDITION_FAILED);
  CHECK_FALSE(world.verify(world.link(anna, "verify_address")).has_error());
}

TEST_CASE("An address: set again while it is verified, it stays so, and no mail is sent") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  const std::size_t before = world.mails(anna).size();
  REQUIRE_FALSE(world.ask(anna, address_change("anna@inbox.test")).has_error());
  CHECK(world.account(anna).email_verified());
  CHECK(world.mails(anna).size() == before);
}

TEST_CASE("An address: given by the operator who provisions the user, it is verified, and replaces the one before") {
  World world;
  const auto provision = [&world](const std::vector<std::string>& emails) {
    v1::ClientFrame frame;
    for (const char* name : {"app-1", "app-2"}) frame.mutable_provision_users()->add_usernames(name);
    for (const auto& email : emails) frame.mutable_provision_users()->add_emails(email);
    chat::Caller boss;
    boss.operator_rights = true;
    return world.ask(boss, frame);
  };
  const v1::ProvisionReply made = provision({"one@inbox.test", ""}).provisioned();
  REQUIRE(made.users_size() == 2);
  chat::Caller first, second;
  first.user = UserId::from_bytes(made.users(0).user_id());
  second.user = UserId::from_bytes(made.users(1).user_id());
  CHECK(world.account(first).email_verified());
  CHECK(found_by(world, "one@inbox.test") == 1);
  CHECK(world.account(second).email().empty());
  CHECK(world.mails(first).empty());  // nothing is to be verified

  REQUIRE_FALSE(provision({"new@inbox.test", ""}).has_error());
  CHECK(world.account(first).email() == "new@inbox.test");
  CHECK(found_by(world, "one@inbox.test") == 0);
  CHECK(found_by(world, "new@inbox.test") == 1);
  CHECK(world.mails(first, "address_changed").size() == 1);
  REQUIRE_FALSE(provision({}).has_error());
  CHECK(world.account(first).email() == "new@inbox.test");

  CHECK(provision({"one@inbox.test"}).error().code() == v1::INVALID_ARGUMENT);  // whose?
  CHECK(provision({"no address", ""}).provisioned().users(0).error().code() == v1::INVALID_ARGUMENT);
  CHECK_FALSE(provision({"no address", ""}).provisioned().users(1).has_error());
}

TEST_CASE("An address: gone with its account, whatever stood for it") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  world.ask_reset("anna");
  const std::string token = world.link(anna, "password_reset");
  v1::ClientFrame frame;
  frame.mutable_delete_account()->set_password("correct horse");
  REQUIRE_FALSE(world.ask(anna, frame).has_error());
  CHECK(found_by(world, "anna@inbox.test") == 0);
  CHECK(world.run_timers(anna).empty());
  CHECK(world.use(token, "battery staple").error().code() == v1::PRECONDITION_FAILED);
  CHECK_FALSE(world.backend.home(*anna.user).rows.contains(keys::secrets(*anna.user)));
}

TEST_CASE("ResendVerification: a new link, the one before is void, and not more than five an hour") {
  World world;
  const auto anna = world.user("anna", "anna@inbox.test");
  const std::string first = world.link(anna, "verify_address");
  v1::ClientFrame again;
  again.mutable_resend_verification();
  world.backend.advance(std::chrono::minutes(1));
  REQUIRE_FALSE(world.ask(anna, again).has_error());
  CHECK(world.verify(first).error().code() == v1::PRECONDITION_FAILED);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(world.ask(anna, again).has_error());
  const v1::ServerFrame refused = world.ask(anna, again);
  CHECK(refused.error().code() == v1::RATE_LIMITED);
  CHECK(refused.error().retry_after_ms() > 0);
  world.backend.advance(std::chrono::hours(1));
  CHECK_FALSE(world.ask(anna, again).has_error());
  REQUIRE_FALSE(world.verify(world.link(anna, "verify_address")).has_error());
  CHECK(world.ask(anna, again).error().code() == v1::PRECONDITION_FAILED);
}

TEST_CASE("An address: at most sixteen accounts are found by one") {
  World world;
  for (int i = 0; i < 18; ++i) world.verified_user("user" + std::to_string(i), "all@inbox.test");
  CHECK(found_by(world, "all@inbox.test") == 16);
}

}  // namespace holdfast::services

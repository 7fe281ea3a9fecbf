#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "tests/support/fake_backend.h"

using namespace holdfast;
using namespace holdfast::chat;
using std::chrono::hours;

namespace {

v1::ClientFrame fresh(FakeBackend& backend) {
  v1::ClientFrame frame;
  frame.set_idempotency_id(backend.fresh_id().str());
  return frame;
}

v1::ClientFrame password_change(FakeBackend& backend, const std::string& from, const std::string& to) {
  v1::ClientFrame frame = fresh(backend);
  frame.mutable_change_password()->set_old_password(from);
  frame.mutable_change_password()->set_new_password(to);
  return frame;
}

v1::ClientFrame status(FakeBackend& backend, const std::string& username, v1::AccountStatus wish, std::uint64_t for_s) {
  v1::ClientFrame frame = fresh(backend);
  frame.mutable_set_account_status()->set_username(username);
  frame.mutable_set_account_status()->set_status(wish);
  frame.mutable_set_account_status()->set_suspended_for_s(for_s);
  frame.mutable_set_account_status()->set_reason("spam");
  return frame;
}

Caller an_operator() {
  Caller caller;
  caller.operator_rights = true;
  caller.peer_address = "127.0.0.1:9";
  return caller;
}

v1::ErrorCode resume_code(FakeBackend& backend, const std::string& token) {
  return backend.run({}, resumption(token)).frame.error().code();
}
v1::ErrorCode login_code(FakeBackend& backend, const std::string& name, const std::string& password) {
  return backend.run({}, login(backend, name, password)).frame.error().code();
}

}  // namespace

TEST_CASE("ChangePassword: ends all other sessions, and a repetition gets the same answer") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna", "old password");
  const RequestOutcome phone = backend.run({}, login(backend, "anna", "old password"));
  const v1::ClientFrame change = password_change(backend, "old password", "new password");
  CHECK(backend.run(device.caller, change).frame.has_done());
  CHECK(backend.run(device.caller, change).frame.has_done());  // though the old password is wrong by now
  CHECK(resume_code(backend, phone.frame.session().token()) == v1::SESSION_ENDED);
  CHECK(resume_code(backend, device.token) == v1::ERROR_UNSPECIFIED);
  CHECK(login_code(backend, "anna", "old password") == v1::WRONG_CREDENTIALS);
  CHECK(login_code(backend, "anna", "new password") == v1::ERROR_UNSPECIFIED);
}

TEST_CASE("ChangePassword: a wrong one changes nothing and counts as a failed log-in") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  for (int i = 0; i < 3; ++i) {
    const v1::ClientFrame change = password_change(backend, "a wrong one", "new password");
    CHECK(backend.run(device.caller, change).frame.error().code() == v1::WRONG_CREDENTIALS);
  }
  const v1::ClientFrame right = password_change(backend, "correct horse", "new password");
  CHECK(backend.run(device.caller, right).frame.error().code() == v1::RATE_LIMITED);
  CHECK(login_code(backend, "anna", "correct horse") == v1::RATE_LIMITED);
  backend.advance(std::chrono::seconds(1));
  CHECK(backend.run(device.caller, right).frame.has_done());
}

TEST_CASE("ChangePassword: of two at once with the same old password one is told to try again") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  std::vector<v1::ServerFrame> answers;
  for (const char* wish : {"first password", "second password"}) {
    const auto keep = [&](const RequestOutcome& outcome) { answers.push_back(outcome.frame); };
    run_request(backend, device.caller, password_change(backend, "correct horse", wish), keep, nullptr);
  }
  backend.settle();
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].has_done());
  CHECK(answers[1].error().code() == v1::RETRY);
  CHECK(login_code(backend, "anna", "first password") == v1::ERROR_UNSPECIFIED);
}

TEST_CASE("SetEmail: asks for the password, and a new address is unverified") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  v1::ClientFrame set = fresh(backend);
  set.mutable_set_email()->set_email("anna@example.org");
  set.mutable_set_email()->set_password("a wrong one");
  CHECK(backend.run(device.caller, set).frame.error().code() == v1::WRONG_CREDENTIALS);
  set.mutable_set_email()->set_password("correct horse");
  CHECK(backend.run(device.caller, set).frame.has_done());
  v1::ClientFrame get;
  get.mutable_get_account();
  const v1::AccountReply account = backend.run(device.caller, get).frame.account();
  CHECK(account.email() == "anna@example.org");
  CHECK_FALSE(account.email_verified());
  CHECK(account.username() == "anna");
}

TEST_CASE("DeleteAccount: leaves the name as a tombstone and nothing else, and tells every conversation") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  const UserId user = *device.caller.user;
  RuleFixture& home = backend.home(user);
  const auto talk = home.fresh<ConversationId>();
  const auto group = home.fresh<ConversationId>();
  for (const auto& conversation : {talk, group}) home.rows[keys::list(user, conversation)] = "";
  home.rows[keys::inbox(user, 1)] = "";
  home.rows[keys::head(user, group)] = "";
  home.rows[keys::blocks(user)] = "";
  const UserId neighbour = home.fresh_user();
  home.rows[keys::inbox(neighbour, 1)] = "";
  home.all_events.clear();

  v1::ClientFrame deletion = fresh(backend);
  CHECK(backend.run(device.caller, deletion).frame.error().code() == v1::UNSUPPORTED);  // says nothing
  deletion.mutable_delete_account()->set_password("a wrong one");
  CHECK(backend.run(device.caller, deletion).frame.error().code() == v1::WRONG_CREDENTIALS);
  deletion.mutable_delete_account()->set_password("correct horse");
  CHECK(backend.run(device.caller, deletion).frame.has_done());

  std::set<keys::Family> left;
  for (const auto& [key, value] : home.rows) left.insert(keys::decode(key)->family);
  CHECK(left == std::set{keys::Family::name, keys::Family::inbox, keys::Family::request});
  CHECK(home.rows.contains(keys::inbox(neighbour, 1)));
  CHECK(home.stored<state::Name>(keys::name("anna"))->deleted());
  std::set<std::string> told;
  for (const log::Event& event : home.all_events)
    if (event.has_member_deleted()) told.insert(event.member_deleted().conversation());
  CHECK(told == std::set{talk.str(), group.str()});
  CHECK(std::get<SessionGone>(home.all_effects.back()).session == device.caller.session);
  CHECK(resume_code(backend, device.token) == v1::SESSION_ENDED);

  v1::ClientFrame get;
  get.mutable_get_user()->set_user_id(user.str());
  const Device other = new_user(backend, "berta");
  CHECK(backend.run(other.caller, get).frame.error().code() == v1::NOT_FOUND);
}

TEST_CASE("Suspension: closes connections, keeps sessions, and passes with time") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  CHECK(backend.run(an_operator(), status(backend, "anna", v1::SUSPENDED, 3600)).frame.has_done());
  const RuleFixture& home = backend.home(*device.caller.user);
  CHECK(std::get<SessionGone>(home.all_effects.back()).code == v1::ACCOUNT_SUSPENDED);
  const log::OperatorActed& acted = home.all_events.back().operator_acted();
  CHECK(acted.target() == "anna");
  CHECK(acted.reason() == "spam");
  CHECK(acted.peer() == "127.0.0.1:9");
  const v1::Error error = backend.run({}, resumption(device.token)).frame.error();
  CHECK(error.code() == v1::ACCOUNT_SUSPENDED);
  CHECK(error.retry_after_ms() == 3'600'000);
  CHECK(login_code(backend, "anna", "correct horse") == v1::ACCOUNT_SUSPENDED);
  CHECK(login_code(backend, "anna", "a wrong one") == v1::WRONG_CREDENTIALS);  // only who knows it is told
  backend.advance(hours(1));
  CHECK(resume_code(backend, device.token) == v1::ERROR_UNSPECIFIED);
}

TEST_CASE("Suspension: without an end it lasts until it is lifted") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  backend.run(an_operator(), status(backend, "anna", v1::SUSPENDED, 0));
  backend.advance(hours(24 * 50));
  CHECK(resume_code(backend, device.token) == v1::ACCOUNT_SUSPENDED);
  CHECK(backend.run(an_operator(), status(backend, "anna", v1::ACTIVE, 0)).frame.has_done());
  CHECK(resume_code(backend, device.token) == v1::ERROR_UNSPECIFIED);
}

TEST_CASE("Ban: ends the sessions for good; lifting it asks for a new log-in") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  CHECK(backend.run(device.caller, status(backend, "anna", v1::BANNED, 0)).frame.error().code() ==
        v1::PERMISSION_DENIED);
  CHECK(backend.run(an_operator(), status(backend, "nobody", v1::BANNED, 0)).frame.error().code() == v1::NOT_FOUND);
  CHECK(backend.run(an_operator(), status(backend, "anna", v1::BANNED, 0)).frame.has_done());
  CHECK(resume_code(backend, device.token) == v1::ACCOUNT_BANNED);
  CHECK(login_code(backend, "anna", "correct horse") == v1::ACCOUNT_BANNED);
  backend.run(an_operator(), status(backend, "anna", v1::ACTIVE, 0));
  CHECK(resume_code(backend, device.token) == v1::SESSION_ENDED);
  CHECK(login_code(backend, "anna", "correct horse") == v1::ERROR_UNSPECIFIED);
}

TEST_CASE("Provision: many users at once over all partitions, again the same ones, and nobody else's account") {
  FakeBackend backend;
  new_user(backend, "owner");
  v1::ClientFrame frame = fresh(backend);
  for (int i = 0; i < 50; ++i) frame.mutable_provision_users()->add_usernames("load-" + std::to_string(i));
  for (const char* bad : {"owner", "load-3", "Not A Name"}) frame.mutable_provision_users()->add_usernames(bad);
  CHECK(backend.run({}, frame).frame.error().code() == v1::PERMISSION_DENIED);

  const v1::ProvisionReply first = backend.run(an_operator(), frame).frame.provisioned();
  REQUIRE(first.users_size() == 53);
  for (int i = 0; i < 50; ++i) {
    CHECK_FALSE(first.users(i).has_error());
    CHECK(first.users(i).username() == "load-" + std::to_string(i));
    CHECK(resume_code(backend, first.users(i).token()) == v1::ERROR_UNSPECIFIED);
  }
  CHECK(first.users(50).error().code() == v1::ALREADY_EXISTS);
  CHECK(first.users(50).token().empty());
  CHECK(first.users(51).error().code() == v1::INVALID_ARGUMENT);
  CHECK(first.users(52).error().code() == v1::INVALID_ARGUMENT);

  const v1::ProvisionReply again = backend.run(an_operator(), frame).frame.provisioned();
  for (int i = 0; i < 50; ++i) {
    CHECK(again.users(i).user_id() == first.users(i).user_id());
    CHECK(again.users(i).session_id() == first.users(i).session_id());
    CHECK(resume_code(backend, again.users(i).token()) == v1::ERROR_UNSPECIFIED);
  }
  frame.set_idempotency_id(backend.fresh_id().str());
  const v1::ProvisionReply more = backend.run(an_operator(), frame).frame.provisioned();
  CHECK(more.users(0).user_id() == first.users(0).user_id());
  CHECK(more.users(0).session_id() != first.users(0).session_id());
  CHECK(resume_code(backend, again.users(0).token()) == v1::ERROR_UNSPECIFIED);

  int audited = 0;
  for (std::uint16_t p = 0; p < backend.partitions(); ++p)
    for (const log::Event& event : backend.partition(PartitionId(p)).all_events)
      if (event.has_operator_acted()) ++audited;
  CHECK(audited == 3 * backend.partitions());
  CHECK(login_code(backend, "load-0", "") == v1::WRONG_CREDENTIALS);
}

/// Plays: devices, passwords, deletion, and what operators do.
#include <catch2/catch.hpp>

#include "tests/integration/person.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/shared_server.h"

namespace holdfast {
namespace {

namespace ask = client::ask;
using client::LogInWith;
using testing::fresh_name;
using testing::Person;
using testing::RawClient;
using testing::shared_server;
using testing::Stage;

v1::ClientFrame resume_with(const std::string& token) {
  v1::ClientFrame frame;
  frame.mutable_resume()->set_token(token);
  return frame;
}

v1::ClientFrame login_with(const std::string& name, const std::string& password) {
  v1::ClientFrame frame;
  frame.mutable_log_in()->set_username(name);
  frame.mutable_log_in()->set_password(password);
  return frame;
}

/// What the server says to this frame on a new connection.
v1::ServerFrame asked_anew(v1::ClientFrame frame) {
  RawClient client(shared_server().port());
  client.hello();
  return client.ask(std::move(frame));
}

std::unique_ptr<RawClient> make_operator() {
  auto client = std::make_unique<RawClient>(shared_server().port());
  client->hello();
  v1::ClientFrame key;
  key.mutable_operator_log_in()->set_key(shared_server().operator_key());
  REQUIRE(client->ask(key).has_done());
  return client;
}

}  // namespace

TEST_CASE("Accounts: a registration that is asked again is the same account, another's name is taken") {
  const std::string name = fresh_name("ada");
  v1::ClientFrame frame;
  frame.mutable_register_()->set_username(name);
  frame.mutable_register_()->set_password(RawClient::kPassword);
  frame.set_idempotency_id(testing::fresh_id());
  const auto first = asked_anew(frame).session();
  const auto again = asked_anew(frame).session();
  CHECK(first.user_id() == again.user_id());
  CHECK(first.session_id() == again.session_id());
  frame.set_idempotency_id(testing::fresh_id());
  CHECK(asked_anew(frame).error().code() == v1::ALREADY_EXISTS);
}

TEST_CASE("Accounts: a revoked device is refused at once, and its token is good for nothing") {
  Stage stage(shared_server());
  const std::string name = fresh_name("ada");
  Person phone(stage, name);
  Person laptop(stage, name, Person::Device{.credentials = LogInWith{name, Person::kPassword}});
  stage.until("the laptop is in", [&] { return laptop.client().online(); });
  const auto saved = laptop.store().load();
  const std::string token = (*saved)->token;
  const SessionId laptop_session = laptop.client().session().session;
  REQUIRE(phone.ask(ask::list_devices()).devices().devices_size() == 2);

  phone.ask(ask::revoke_device(laptop_session));
  CHECK(asked_anew(resume_with(token)).error().code() == v1::SESSION_ENDED);
  stage.until("the laptop is told", [&] { return laptop.ended(); });
  CHECK(laptop.ending()->code == v1::SESSION_ENDED);
  CHECK_FALSE(laptop.store().load()->has_value());
  CHECK(phone.ask(ask::list_devices()).devices().devices_size() == 1);
  CHECK(phone.refused(ask::revoke_device(*SessionId::from_bytes(std::string(16, 's')))) == v1::NOT_FOUND);
}

TEST_CASE("Accounts: log-out ends the session that asks") {
  RawClient client(shared_server().port());
  client.register_as(fresh_name("ada"));
  v1::ClientFrame frame;
  frame.mutable_log_out();
  CHECK(client.ask(frame).has_done());
  CHECK(client.read_frame().session_ended().code() == v1::SESSION_ENDED);
  CHECK(client.read_to_end().empty());
  CHECK(asked_anew(resume_with(client.token)).error().code() == v1::SESSION_ENDED);
}

TEST_CASE("Accounts: a changed password ends the other sessions and is the one that counts") {
  Stage stage(shared_server());
  const std::string name = fresh_name("ada");
  Person phone(stage, name);
  Person laptop(stage, name, Person::Device{.credentials = LogInWith{name, Person::kPassword}});
  stage.until("the laptop is in", [&] { return laptop.client().online(); });
  const std::string new_password = "an even better one";
  CHECK(phone.refused(ask::change_password("not it", new_password)) == v1::WRONG_CREDENTIALS);
  phone.ask(ask::change_password(Person::kPassword, new_password));
  stage.until("the laptop is out", [&] { return laptop.ended() || laptop.client().logins() > 1; });
  CHECK(phone.ask(ask::list_devices()).devices().devices_size() == 1);
  CHECK(asked_anew(login_with(name, Person::kPassword)).error().code() == v1::WRONG_CREDENTIALS);
  CHECK(asked_anew(login_with(name, new_password)).has_session());
}

TEST_CASE("Accounts: the e-mail address asks for the password") {
  Stage stage(shared_server());
  Person ada(stage, fresh_name("ada"));
  CHECK(ada.refused(ask::set_email("not it", "ada@example.org")) == v1::WRONG_CREDENTIALS);
  ada.ask(ask::set_email(Person::kPassword, "ada@example.org"));
  const auto account = ada.ask(ask::get_account()).account();
  CHECK(account.email() == "ada@example.org");
  CHECK_FALSE(account.email_verified());
  CHECK(account.username() == ada.name());
}

TEST_CASE("Accounts: a deleted account leaves its conversations, and its name is not given away") {
  Stage stage(shared_server());
  const std::string name = fresh_name("ada");
  Person bob(stage, fresh_name("bob")), eve(stage, fresh_name("eve"));
  Person ada(stage, name);
  const ConversationId talk = ada.direct_with(bob);
  const auto group = *ConversationId::from_bytes(
      ada.ask(ask::create_group("ada's", {bob.id(), eve.id()})).conversation().conversation_id());
  const auto said = ada.say(talk, "remember me");
  bob.hears(talk, said);
  bob.hears(group, 1);
  const auto saved = ada.store().load();
  const std::string token = (*saved)->token;
  ada.ask(ask::delete_account(Person::kPassword));
  stage.until("ada's session ends", [&] { return ada.ended(); });
  CHECK(asked_anew(resume_with(token)).error().code() == v1::SESSION_ENDED);
  CHECK(asked_anew(login_with(name, Person::kPassword)).error().code() == v1::WRONG_CREDENTIALS);
  v1::ClientFrame again;
  again.mutable_register_()->set_username(name);
  again.mutable_register_()->set_password(Person::kPassword);
  CHECK(asked_anew(again).error().code() == v1::ALREADY_EXISTS);
  CHECK(bob.refused(ask::get_user(name)) == v1::NOT_FOUND);

  CHECK(bob.hears(group, 2).member_left().user_id() == ada.id().bytes());
  CHECK(bob.hears(group, 3).role_changed().role() == v1::OWNER);
  stage.until("the author is taken out of what bob keeps", [&] {
    const auto page = bob.ask(ask::history(talk, {.from = said, .backward = false, .limit = 1})).history();
    return page.changes(0).author().empty();
  });
  stage.until("nobody is there to write to", [&] {
    v1::ClientFrame post = testing::post_frame(talk.str(), "are you there?");
    const auto answer = std::make_shared<std::optional<client::Reply>>();
    bob.client().request(post, [answer](const client::Reply& reply) { *answer = reply; });
    stage.until("an answer", [&] { return answer->has_value(); });
    return (*answer)->failure && (*answer)->failure->code == v1::PRECONDITION_FAILED;
  });
}

TEST_CASE("Operators: suspension closes and refuses, and lets the session go on when it is lifted") {
  Stage stage(shared_server());
  const std::string name = fresh_name("ada");
  RawClient ada(shared_server().port());
  ada.register_as(name);
  auto boss = make_operator();
  CHECK(boss->ask(ask::set_account_status({name, v1::SUSPENDED, 3'600, "loud"})).has_done());
  CHECK(ada.read_frame().session_ended().code() == v1::ACCOUNT_SUSPENDED);
  CHECK(ada.read_to_end().empty());
  const auto refused = asked_anew(resume_with(ada.token)).error();
  CHECK(refused.code() == v1::ACCOUNT_SUSPENDED);
  CHECK(refused.retry_after_ms() > 3'000'000);
  CHECK(asked_anew(login_with(name, RawClient::kPassword)).error().code() == v1::ACCOUNT_SUSPENDED);
  CHECK(boss->ask(ask::set_account_status({name, v1::ACTIVE, 0, "quiet again"})).has_done());
  CHECK(asked_anew(resume_with(ada.token)).has_session());
  CHECK(boss->refused(ask::set_account_status({"no.such.user", v1::BANNED, 0, ""})).code() == v1::NOT_FOUND);
}

TEST_CASE("Operators: a ban ends all sessions") {
  const std::string name = fresh_name("mallory");
  RawClient mallory(shared_server().port());
  mallory.register_as(name);
  auto boss = make_operator();
  CHECK(boss->ask(ask::set_account_status({name, v1::BANNED, 0, "spam"})).has_done());
  CHECK(mallory.read_frame().session_ended().code() == v1::ACCOUNT_BANNED);
  CHECK(asked_anew(resume_with(mallory.token)).error().code() == v1::ACCOUNT_BANNED);
  CHECK(asked_anew(login_with(name, RawClient::kPassword)).error().code() == v1::ACCOUNT_BANNED);
  CHECK(boss->ask(ask::set_account_status({name, v1::ACTIVE, 0, "a mistake"})).has_done());
  CHECK(asked_anew(resume_with(mallory.token)).error().code() == v1::SESSION_ENDED);
  CHECK(asked_anew(login_with(name, RawClient::kPassword)).has_session());
}

TEST_CASE("Operators: provisioning makes users with sessions, whole and in order") {
  const std::string taken = fresh_name("taken");
  RawClient owner(shared_server().port());
  owner.register_as(taken);
  auto boss = make_operator();
  std::vector<std::string> names;
  for (int i = 0; i < 450; ++i) names.push_back(fresh_name("load"));
  names.push_back(taken);
  names.push_back("Not A Name");
  names.push_back(names.front());
  v1::ClientFrame frame = ask::provision_users(names, "load");
  frame.set_idempotency_id(testing::fresh_id());
  const auto reply = boss->ask(frame).provisioned();
  REQUIRE(reply.users_size() == 453);
  for (int i = 0; i < 450; ++i) {
    CHECK(reply.users(i).username() == names[static_cast<std::size_t>(i)]);
    CHECK_FALSE(reply.users(i).has_error());
    CHECK(reply.users(i).user_id().size() == 16);
  }
  CHECK(reply.users(450).error().code() == v1::ALREADY_EXISTS);
  CHECK(reply.users(451).error().code() == v1::INVALID_ARGUMENT);
  CHECK(reply.users(452).error().code() == v1::INVALID_ARGUMENT);
  const auto session = asked_anew(resume_with(reply.users(449).token())).session();
  CHECK(session.user_id() == reply.users(449).user_id());

  // The same request gives the same sessions, another one more of them.
  const auto again = boss->ask(frame).provisioned();
  CHECK(again.users(7).session_id() == reply.users(7).session_id());
  CHECK(asked_anew(resume_with(again.users(7).token())).has_session());
  frame.set_idempotency_id(testing::fresh_id());
  const auto more = boss->ask(frame).provisioned();
  CHECK(more.users(7).user_id() == reply.users(7).user_id());
  CHECK(more.users(7).session_id() != reply.users(7).session_id());
  CHECK(asked_anew(resume_with(again.users(7).token())).has_session());

  const std::vector<std::string> crowd(501, "x");
  CHECK(boss->refused(ask::provision_users(crowd, "load")).code() == v1::TOO_LARGE);
}

TEST_CASE("Operators: after a rotation of the key sessions get new tokens, and the old ones work until confirmed") {
  RawClient ada(shared_server().port());
  ada.register_as(fresh_name("ada"));
  auto boss = make_operator();
  CHECK(boss->ask(ask::rotate_token_key()).has_done());
  RawClient resumed(shared_server().port());
  resumed.hello();
  REQUIRE(resumed.ask(resume_with(ada.token)).has_session());
  const auto offered = resumed.await_push([](const auto& frame) { return frame.has_token(); }).token();
  CHECK(asked_anew(resume_with(ada.token)).has_session());  // not confirmed: both work
  v1::ClientFrame confirm;
  confirm.mutable_confirm_token()->set_serial(offered.serial() + 1);
  CHECK(resumed.refused(confirm).code() == v1::PRECONDITION_FAILED);
  confirm.mutable_confirm_token()->set_serial(offered.serial());
  CHECK(resumed.ask(confirm).has_done());
  CHECK(resumed.ask(confirm).has_done());  // asked again
  CHECK(asked_anew(resume_with(ada.token)).error().code() == v1::TOKEN_SUPERSEDED);
  CHECK(asked_anew(resume_with(offered.token())).has_session());
}

}  // namespace holdfast

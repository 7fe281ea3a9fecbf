#include "server/services/resets.h"

#include "server/services/flows.h"
#include "tests/server/services/ways_back_world.h"

namespace holdfast::services {
namespace {

using std::chrono::minutes;
using World = WaysBackWorld;

bool is_reset_asked(const log::Event& event) { return event.has_reset_asked(); }

v1::ClientFrame password_change(const std::string& from, const std::string& to) {
  v1::ClientFrame frame;
  frame.mutable_change_password()->set_old_password(from);
  frame.mutable_change_password()->set_new_password(to);
  return frame;
}

}  // namespace

TEST_CASE("RequestPasswordReset: the same answer, before anything is looked up, whoever there is") {
  World world;
  world.verified_user("anna", "anna@inbox.test");
  world.user("berta", "berta@inbox.test");
  std::set<std::string> answers;
  for (const char* name : {"anna", "berta", "nobody"}) {
    v1::ClientFrame frame;
    frame.mutable_request_password_reset()->set_username(name);
    std::optional<v1::ServerFrame> answer;
    services::run_request(
        world.backend, {}, frame, [&](chat::RequestOutcome outcome) { answer = outcome.frame; }, nullptr);
    REQUIRE(answer);  // nothing was asked of any partition yet
    answers.insert(answer->SerializeAsString());
    world.backend.settle();
  }
  for (const char* address : {"anna@inbox.test", "berta@inbox.test", "nobody@inbox.test"})
    answers.insert(world.ask_reset_by_address(address).SerializeAsString());
  CHECK(answers.size() == 1);
  CHECK(world.count_events(is_reset_asked) == 2);  // of the one verified: by name and by address
}

TEST_CASE("RequestPasswordReset: what can be no name and no address is refused by what is wrong") {
  World world;
  CHECK(world.ask_reset("No Such").error().code() == v1::INVALID_ARGUMENT);
  CHECK(world.ask_reset_by_address("nowhere").error().code() == v1::INVALID_ARGUMENT);
  CHECK(world.ask_reset("").error().code() == v1::INVALID_ARGUMENT);
}

TEST_CASE("A reset: the link sets the password once, ends every session, and logs nobody in") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  REQUIRE_FALSE(world.log_in("anna", "correct horse").has_error());
  const std::string before = world.account(anna).password_hash();
  world.ask_reset("anna");
  const std::string token = world.link(anna, "password_reset");
  CHECK(world.account(anna).password_hash() == before);
  CHECK(world.account(anna).sessions_size() == 2);
  CHECK(world.link_is_good(token));

  CHECK_FALSE(world.use(token, "battery staple").has_error());
  CHECK(world.account(anna).sessions_size() == 0);
  CHECK_FALSE(world.link_is_good(token));
  CHECK(world.use(token, "third password").error().code() == v1::PRECONDITION_FAILED);
  CHECK(world.mails(anna, "password_changed").size() == 1);
  CHECK(world.log_in("anna", "correct horse").error().code() == v1::WRONG_CREDENTIALS);
  CHECK(world.log_in("anna", "battery staple").has_session());
}

TEST_CASE("A reset: no row and no event has the secret, nor what it hashes to") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  world.ask_reset("anna");
  const std::string token = world.link(anna, "password_reset");
  const std::string secret = LinkToken::parse(token)->secret;
  REQUIRE_FALSE(world.use(token, "battery staple").has_error());
  for (std::uint16_t p = 0; p < world.backend.partitions(); ++p) {
    for (const auto& [key, value] : world.backend.partition(PartitionId(p)).rows) {
      CHECK((key + value).find(secret) == std::string::npos);
      CHECK((key + value).find(chat::secret_hash(secret)) == std::string::npos);
    }
    for (const log::Event& event : world.backend.partition(PartitionId(p)).all_events)
      CHECK(event.SerializeAsString().find(secret) == std::string::npos);
  }
}

TEST_CASE("A reset: a newer one, a log-in, another password and another address void it") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  const auto fresh_link = [&] {
    world.backend.advance(std::chrono::hours(2));  // the count of asking begins anew
    world.ask_reset("anna");
    const std::string token = world.link(anna, "password_reset");
    REQUIRE(world.link_is_good(token));
    return token;
  };
  const std::string first = fresh_link();
  world.backend.advance(minutes(1));
  world.ask_reset("anna");
  CHECK_FALSE(world.link_is_good(first));
  CHECK(world.link_is_good(world.link(anna, "password_reset")));

  const std::string second = fresh_link();
  REQUIRE(world.log_in("anna", "correct horse").has_session());
  CHECK_FALSE(world.link_is_good(second));
  const std::string third = fresh_link();
  REQUIRE_FALSE(world.ask(anna, password_change("correct horse", "battery staple")).has_error());
  CHECK_FALSE(world.link_is_good(third));
  const std::string fourth = fresh_link();
  v1::ClientFrame moved;
  moved.mutable_set_email()->set_password("battery staple");
  moved.mutable_set_email()->set_email("new@inbox.test");
  REQUIRE_FALSE(world.ask(anna, moved).has_error());
  CHECK_FALSE(world.link_is_good(fourth));
  CHECK(world.use(fourth, "another one").error().code() == v1::PRECONDITION_FAILED);
}

TEST_CASE("A reset: after its time it is void, and an event says so") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  world.ask_reset("anna");
  const std::string token = world.link(anna, "password_reset");
  world.backend.advance(minutes(30) - std::chrono::milliseconds(1));
  CHECK(world.link_is_good(token));
  world.backend.advance(std::chrono::milliseconds(1));
  CHECK_FALSE(world.link_is_good(token));
  CHECK(world.use(token, "battery staple").error().code() == v1::PRECONDITION_FAILED);
  CHECK(world.run_timers(anna).empty());  // a mail that waited so long is not sent
  CHECK(world.count_events([](const log::Event& event) {
    return event.has_secret_expired() && event.secret_expired().kind() == log::SecretExpired::RESET;
  }) == 1);
}

TEST_CASE("A reset: its mail is not begun once it is void") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  world.ask_reset("anna");
  REQUIRE(world.mails(anna, "password_reset").size() == 1);
  REQUIRE(world.log_in("anna", "correct horse").has_session());
  world.run_timers(anna);
  CHECK(world.mails(anna, "password_reset").empty());
  CHECK(world.count_events([](const log::Event& event) {
    return event.has_intent_ended() && event.intent_ended().what() == "mail password_reset" &&
           event.intent_ended().outcome() == log::IntentEnded::UNWANTED;
  }) == 1);
}

TEST_CASE("A reset: asked for more than five times an hour, by name or by address, it is not mailed") {
  World world;
  world.verified_user("anna", "anna@inbox.test");
  for (int i = 0; i < 8; ++i) CHECK_FALSE(world.ask_reset("anna").has_error());
  CHECK(world.count_events(is_reset_asked) == 5);
  world.backend.advance(std::chrono::hours(1));
  for (int i = 0; i < 8; ++i) CHECK_FALSE(world.ask_reset_by_address("anna@inbox.test").has_error());
  CHECK(world.count_events(is_reset_asked) == 10);
}

TEST_CASE("A reset: asked for by an address, it goes to everybody who verified it, in whatever letters") {
  World world;
  const auto anna = world.verified_user("anna", "both@inbox.test");
  const auto berta = world.verified_user("berta", "both@inbox.test");
  const auto carla = world.user("carla", "both@inbox.test");
  world.ask_reset_by_address("Both@Inbox.test");
  CHECK(world.mails(anna, "password_reset").size() == 1);
  CHECK(world.mails(berta, "password_reset").size() == 1);
  CHECK(world.mails(carla, "password_reset").empty());
}

TEST_CASE("A reset: one that is asked for again by a repetition does not bring a used link back") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  command::Command ask;
  ask.mutable_ask_reset()->set_username("anna");
  ask.mutable_ask_reset()->set_intent(world.backend.home(*anna.user).fresh<IntentId>().str());
  world.backend.home(*anna.user).run(ask);
  world.backend.home(*anna.user).run(ask);
  CHECK(world.count_events(is_reset_asked) == 1);
  const std::string token = world.link(anna, "password_reset");
  REQUIRE_FALSE(world.use(token, "battery staple").has_error());
  world.backend.home(*anna.user).run(ask);
  CHECK_FALSE(world.link_is_good(token));
}

TEST_CASE("A reset: a link that is forged is refused, and no partition is asked") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  world.ask_reset("anna");
  auto parsed = *LinkToken::parse(world.link(anna, "password_reset"));
  const std::string verification = world.backend.mail_key().secret("verify", parsed.intent);
  for (const std::string& secret : {std::string(32, 'x'), verification}) {
    const std::string forged = LinkToken{parsed.user, parsed.intent, secret}.str();
    std::optional<v1::ServerFrame> answer;
    run_task(use_reset_link(world.backend, forged, {"battery staple", ""}),
             [&](v1::ServerFrame frame) { answer = frame; });
    REQUIRE(answer);  // by itself
    CHECK(answer->error().code() == v1::PRECONDITION_FAILED);
  }
  CHECK_FALSE(world.link_is_good("nonsense"));
}

TEST_CASE(
    "A reset: of two uses at the same time exactly one wins, and a repeated command is answered as the first time") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  world.ask_reset("anna");
  const std::string token = world.link(anna, "password_reset");
  std::vector<v1::ServerFrame> answers;
  for (const char* password : {"battery staple", "horse battery"})
    run_task(use_reset_link(world.backend, token, {password, ""}),
             [&](v1::ServerFrame frame) { answers.push_back(std::move(frame)); });
  world.backend.settle();
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].has_error() != answers[1].has_error());

  world.backend.advance(std::chrono::hours(2));
  world.ask_reset("anna");
  command::Command use;
  use.set_user(anna.user->str());
  use.set_idempotency_id(world.backend.fresh_id().str());
  use.mutable_use_reset()->set_intent(world.mails(anna, "password_reset").back().first.str());
  use.mutable_use_reset()->set_new_hash("hash of last words");
  CHECK_FALSE(world.backend.home(*anna.user).run(use).frame().has_error());
  CHECK_FALSE(world.backend.home(*anna.user).run(use).frame().has_error());
  use.set_idempotency_id(world.backend.fresh_id().str());
  CHECK(world.backend.home(*anna.user).run(use).frame().error().code() == v1::PRECONDITION_FAILED);
}

TEST_CASE("A reset: lifts a lock; and the mail about a lock has a link, once an hour, to verified addresses only") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  const auto berta = world.user("berta", "berta@inbox.test");
  const auto lock = [&](const std::string& name) {
    for (int i = 0; i < 20; ++i) {
      world.log_in(name, "wrong one");
      world.backend.advance(std::chrono::seconds(200));
      if (world.log_in(name, "wrong one").error().code() == v1::LOGIN_LOCKED) return;
    }
    FAIL("never locked");
  };
  lock("berta");
  lock("nobody");
  lock("anna");
  REQUIRE(world.mails(anna, "login_locked").size() == 1);
  CHECK(world.mails(berta, "login_locked").empty());
  CHECK(world.account(anna).sessions_size() == 1);  // live sessions go on
  CHECK_FALSE(world.use(world.link(anna, "login_locked"), "battery staple").has_error());
  CHECK(world.log_in("anna", "battery staple").has_session());
  lock("anna");
  CHECK(world.mails(anna, "login_locked").size() == 1);
  world.backend.advance(std::chrono::hours(1));
  lock("anna");
  CHECK(world.mails(anna, "login_locked").size() == 2);
}

TEST_CASE("A reset: a full password pool says to come again, and the link stays good") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  world.ask_reset("anna");
  const std::string token = world.link(anna, "password_reset");
  world.backend.password_pool_full = true;
  CHECK(world.use(token, "battery staple").error().code() == v1::RETRY);
  world.backend.password_pool_full = false;
  CHECK_FALSE(world.use(token, "battery staple").has_error());
}

TEST_CASE("A reset: a password that anybody would guess is refused before it is hashed, and the link stays good") {
  World world;
  const auto anna = world.verified_user("annamaria", "anna@inbox.test");
  world.ask_reset("annamaria");
  const std::string token = world.link(anna, "password_reset");
  world.backend.password_pool_full = true;  // would say RETRY
  CHECK(world.use(token, "Password1!").error().code() == v1::INVALID_ARGUMENT);
  CHECK(world.use(token, "AnnaMaria77").error().code() == v1::INVALID_ARGUMENT);
  world.backend.password_pool_full = false;
  CHECK(world.link_is_good(token));
  CHECK_FALSE(world.use(token, "battery staple").has_error());
}

TEST_CASE("ResetPassword: an operator mails a link, or learns why that is no use; who and why stand in the log") {
  World world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  world.user("berta", "berta@inbox.test");
  chat::Caller caller;
  v1::ClientFrame frame;
  frame.mutable_reset_password()->set_username("anna");
  frame.mutable_reset_password()->set_reason("phoned in");
  CHECK(world.ask(caller, frame).error().code() == v1::PERMISSION_DENIED);
  caller.operator_rights = true;
  caller.peer_address = "192.0.2.1";
  CHECK_FALSE(world.ask(caller, frame).has_error());
  CHECK(world.mails(anna, "password_reset").size() == 1);
  CHECK(world.count_events([](const log::Event& event) {
    return event.operator_acted().operation() == "reset_password" && event.operator_acted().target() == "anna" &&
           event.operator_acted().reason() == "phoned in" && event.operator_acted().peer() == "192.0.2.1";
  }) == 1);
  frame.mutable_reset_password()->set_username("berta");
  CHECK(world.ask(caller, frame).error().code() == v1::PRECONDITION_FAILED);
  frame.mutable_reset_password()->set_username("nobody");
  CHECK(world.ask(caller, frame).error().code() == v1::NOT_FOUND);
}

}  // namespace holdfast::services

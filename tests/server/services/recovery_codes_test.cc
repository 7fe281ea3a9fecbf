#include "server/services/recovery_codes.h"

#include "tests/server/services/ways_back_world.h"

namespace holdfast::services {
namespace {

using World = WaysBackWorld;

struct Desk : World {
  chat::Caller anna = user("anna");

  std::string give(const std::string& username = "anna") {
    chat::Caller clerk;
    clerk.operator_rights = true;
    v1::ClientFrame frame;
    frame.mutable_recover_account()->set_username(username);
    frame.mutable_recover_account()->set_reason("came with a passport");
    const v1::ServerFrame answer = ask(clerk, frame);
    CHECK(answer.has_recovery());
    return answer.recovery().code();
  }
  v1::ErrorCode recover(const std::string& code, const std::string& username = "anna",
                        const std::string& password = "battery staple") {
    return finish(use_recovery_code(backend, username, code, {password, ""})).error().code();
  }
};

}  // namespace

TEST_CASE("A recovery code: sets a password once, as it was told or as it was typed") {
  Desk desk;
  std::string code = desk.give();
  CHECK(code.size() == 23);
  for (char& c : code) c = static_cast<char>(c == '-' ? ' ' : std::tolower(c));
  CHECK(desk.recover(code) == v1::ERROR_UNSPECIFIED);
  CHECK(desk.account(desk.anna).sessions_size() == 0);
  CHECK(desk.log_in("anna", "battery staple").has_session());
  CHECK(desk.recover(code) == v1::PRECONDITION_FAILED);
}

TEST_CASE("A recovery code: a wrong one and a wrong name are refused alike, and cost no hash") {
  Desk desk;
  const std::string code = desk.give();
  desk.user("berta");
  desk.backend.password_pool_full = true;  // would say RETRY
  CHECK(desk.recover("00000-00000-00000-00000") == v1::PRECONDITION_FAILED);
  CHECK(desk.recover(code, "berta") == v1::PRECONDITION_FAILED);
  CHECK(desk.recover(code, "nobody") == v1::PRECONDITION_FAILED);
  CHECK(desk.recover(code) == v1::RETRY);
  CHECK(desk.recover(code, "anna", "Password1!") == v1::INVALID_ARGUMENT);
}

TEST_CASE("A recovery code: voided by a newer one, by a log-in and by time; no row has it") {
  Desk desk;
  const std::string first = desk.give(), second = desk.give();
  CHECK(desk.recover(first) == v1::PRECONDITION_FAILED);
  for (const auto& [key, value] : desk.backend.home(*desk.anna.user).rows)
    CHECK(value.find(second) == std::string::npos);
  REQUIRE(desk.log_in("anna", "correct horse").has_session());
  CHECK(desk.recover(second) == v1::PRECONDITION_FAILED);
  const std::string third = desk.give();
  desk.backend.advance(std::chrono::hours(24));
  CHECK(desk.recover(third) == v1::PRECONDITION_FAILED);
}

TEST_CASE("A recovery code: its use is told to a verified address, and who gave it stands in the log") {
  Desk desk;
  const auto berta = desk.verified_user("berta", "berta@inbox.test");
  REQUIRE(desk.recover(desk.give("berta"), "berta") == v1::ERROR_UNSPECIFIED);
  CHECK(desk.mails(berta, "recovery_used").size() == 1);
  CHECK(desk.mails(berta, "password_changed").empty());
  CHECK(desk.count_events([](const log::Event& event) {
    return event.operator_acted().operation() == "recover_account" && event.operator_acted().target() == "berta" &&
           event.operator_acted().reason() == "came with a passport";
  }) == 1);
}

TEST_CASE("A stolen session: its owner is told, if the address is verified") {
  Desk desk;
  const auto berta = desk.verified_user("berta", "berta@inbox.test");
  command::Command end;
  end.set_user(berta.user->str());
  end.mutable_end_session()->set_session(berta.session.str());
  end.mutable_end_session()->set_reason("a token was used after it had been replaced");
  end.mutable_end_session()->set_stolen(true);
  desk.backend.home(*berta.user).run(end);
  desk.run_bus();
  CHECK(desk.mails(berta, "session_stolen").size() == 1);
}

}  // namespace holdfast::services

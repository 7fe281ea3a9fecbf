// The way back into an account over real processes: the link in a mail, the pages, the old sessions, the log-in.
#include <catch2/catch.hpp>

#include "tests/integration/outbox.h"
#include "tests/integration/raw_client.h"
#include "tests/support/browser.h"
#include "tests/support/child.h"

namespace holdfast::testing {
namespace {

std::string wait_for_token(const ServerProcess& server, const std::string& page) {
  return testing::wait_for_token({&server}, page);
}
HttpAnswer post(const ServerProcess& server, const std::string& page, const std::string& body,
                const std::string& site = "same-origin") {
  return post_form(server.http_port(), page, body, site);
}

v1::ServerFrame ask(const ServerProcess& server, v1::ClientFrame frame) {
  RawClient client(server.port());
  client.hello();
  return client.ask(std::move(frame));
}

v1::ServerFrame register_anna(RawClient& client) {
  client.hello();
  v1::ClientFrame frame;
  frame.mutable_register_()->set_username("anna");
  frame.mutable_register_()->set_password("correct horse");
  frame.mutable_register_()->set_email("anna@inbox.test");
  return client.ask(frame);
}

v1::ClientFrame login(const std::string& password) {
  v1::ClientFrame frame;
  frame.mutable_log_in()->set_username("anna");
  frame.mutable_log_in()->set_password(password);
  return frame;
}

}  // namespace

TEST_CASE("Ways back: a mailed link, opened in a browser, sets the password; the old session is dead") {
  if (!can_run_browser()) return;
  const ServerProcess server;
  RawClient phone(server.port());
  const v1::ServerFrame registered = register_anna(phone);
  REQUIRE(registered.has_session());
  const std::string base = "http://127.0.0.1:" + std::to_string(server.http_port());

  Browser browser;
  browser.open(base + "/verify?t=" + wait_for_token(server, "/verify"));
  CHECK(browser.text("strong") == "anna@inbox.test");
  browser.click("button");
  browser.await_text("h1", "Thank you");

  browser.open(base + "/reset");
  browser.type("#who", "anna");
  browser.click("button");
  browser.await_text("h1", "Look into your mail");
  const std::string token = wait_for_token(server, "/reset");
  browser.open(base + "/reset?t=" + token);
  browser.type("#password", "password123");
  browser.click("button");
  CHECK(comes_true([&] { return browser.has("[role=alert]"); }));
  browser.type("#password", "battery staple");
  browser.click("button");
  browser.await_text("h1", "Your password is changed");
  browser.open(base + "/reset?t=" + token);
  CHECK(browser.text("h1") == "This link does not work any more");

  v1::ClientFrame resume;
  resume.mutable_resume()->set_token(registered.session().token());
  CHECK(ask(server, resume).error().code() == v1::SESSION_ENDED);
  CHECK(ask(server, login("correct horse")).error().code() == v1::WRONG_CREDENTIALS);
  CHECK(ask(server, login("battery staple")).has_session());
}

TEST_CASE("Ways back: the link outlives a kill of the server, and no line of its log has the token") {
  ServerProcess server;
  {
    RawClient phone(server.port());
    REQUIRE(register_anna(phone).has_session());
  }
  CHECK(post(server, "/verify", "t=" + wait_for_token(server, "/verify"), "cross-site").status == 403);
  CHECK(post(server, "/verify", "t=" + wait_for_token(server, "/verify")).status == 200);
  v1::ClientFrame frame;
  frame.mutable_request_password_reset()->set_email("anna@inbox.test");
  CHECK(ask(server, frame).has_done());
  const std::string token = wait_for_token(server, "/reset");
  server.kill_hard();
  server.start();
  CHECK(http_get(server.http_port(), "/reset?t=" + token).status == 200);
  CHECK(post(server, "/reset", "t=" + token + "&password=battery+staple").status == 200);
  CHECK(post(server, "/reset", "t=" + token + "&password=battery+staple").status == 410);
  CHECK(ask(server, login("battery staple")).has_session());
  const Ended ended = server.stop();
  CHECK((ended.out + ended.err).find(token) == std::string::npos);
  CHECK((ended.out + ended.err).find("anna@inbox.test") == std::string::npos);
}

TEST_CASE("Ways back: holdfastctl gives a code that works once, and says why a link can't be mailed") {
  const ServerProcess server;
  {
    RawClient phone(server.port());
    REQUIRE(register_anna(phone).has_session());
  }
  const auto ctl = [&](std::vector<std::string> words) {
    std::vector<std::string> command{program("holdfastctl"), "--server", "127.0.0.1:" + std::to_string(server.port()),
                                     "--operator-key", (server.data() / "operator.key").string()};
    command.insert(command.end(), words.begin(), words.end());
    return run_program(command);
  };
  const Ended unreachable = ctl({"users", "reset", "anna", "--reason", "phoned"});
  CHECK(unreachable.exit_code == 1);
  CHECK(unreachable.err.find("no verified address") != std::string::npos);
  Ended given = ctl({"users", "recover", "anna", "--reason", "came in person"});
  REQUIRE(given.exit_code == 0);
  given.out.pop_back();
  const std::string body = "username=anna&code=" + given.out + "&password=battery+staple";
  CHECK(post(server, "/recover", body).status == 200);
  CHECK(post(server, "/recover", body).status == 422);
  CHECK(ask(server, login("battery staple")).has_session());
  const Ended wave = ctl({"incident", "reset", "--all"});
  CHECK(wave.exit_code == 0);
  CHECK(wave.out.find("1 accounts: 0 to be mailed, 1 without") != std::string::npos);
}

}  // namespace holdfast::testing

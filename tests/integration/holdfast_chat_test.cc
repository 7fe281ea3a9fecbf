/// holdfast-chat and holdfastctl as people and scripts run them, against the running server.
#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>

#include "tests/integration/raw_client.h"
#include "tests/integration/shared_server.h"
#include "tests/support/process.h"

namespace holdfast {
namespace {

using testing::contents_of;
using testing::Ended;
using testing::fresh_name;
using testing::program;
using testing::run_program;
using testing::ScratchFolder;
using testing::shared_server;

/// People at one computer: their sessions, and what they type.
class Desk {
 public:
  Desk() { std::ofstream(folder_.path() / "password") << "a good password\n"; }

  /// `how`: the rest of the command line, in the shell's words. `typed` is standard input.
  Ended chat(const std::string& user, const std::string& how, const std::string& typed) {
    std::ofstream(folder_.path() / "typed") << typed;
    const std::string state = (folder_.path() / "state").string();
    return run_program({"/bin/sh", "-c",
                        program("holdfast-chat") + " --timeout " + seconds + " --state " + state + " --user " + user +
                            " " + how + " < " + (folder_.path() / "typed").string()});
  }
  void enroll(const std::string& user) {
    const auto ended = chat(user, server() + " --register --password-file " + password(), "");
    INFO(ended.out << ended.err);
    REQUIRE(ended.exit_code == 0);
  }
  std::string seconds = "20";  ///< for --timeout
  std::string password() const { return (folder_.path() / "password").string(); }
  static std::string server() { return "-s 127.0.0.1:" + std::to_string(shared_server().port()); }
  static std::string server(const std::string& scheme) {
    return "-s " + scheme + "://localhost:" + std::to_string(shared_server().port()) + " --tls-ca " +
           shared_server().certificate().string();
  }
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }

 private:
  ScratchFolder folder_;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Registers and talks over one transport; the other side is on plain TCP.
void talks_over(const std::string& server) {
  Desk desk;
  const std::string ada = fresh_name("talker");
  const std::string bo = fresh_name("talker");
  desk.enroll(bo);
  const auto sent =
      desk.chat(ada, server + " --register --password-file " + desk.password() + " --to " + bo, "first\nsecond\n");
  INFO(sent.out << sent.err);
  REQUIRE(sent.exit_code == 0);
  const auto got = desk.chat(bo, Desk::server() + " --json --wait 2", "");
  INFO(got.out << got.err);
  CHECK(got.exit_code == 0);
  CHECK(has(got.out, "\"resumed\":true"));
  CHECK(got.out.find("\"body\":\"first\"") < got.out.find("\"body\":\"second\""));
}

}  // namespace

TEST_CASE("holdfast-chat: two talk over plain TCP") { talks_over(Desk::server()); }
TEST_CASE("holdfast-chat: two talk over TLS") { talks_over(Desk::server("holdfasts")); }
TEST_CASE("holdfast-chat: two talk over WebSocket and TLS") { talks_over(Desk::server("wss")); }
TEST_CASE("holdfast-chat: two talk over WebSocket") {
  talks_over("-s ws://127.0.0.1:" + std::to_string(shared_server().port()));
}

TEST_CASE("holdfast-chat: every command of a script is answered, and a refused one shows in the exit code") {
  Desk desk;
  const std::string ada = fresh_name("talker");
  const std::string bo = fresh_name("talker");
  desk.enroll(ada);
  desk.enroll(bo);
  const auto good =
      desk.chat(ada, Desk::server() + " --json",
                "/open " + bo +
                    "\nhello\n/edit 2 hello there\n/react 2 ok\n/reply 2 and more\n/delete 5\n"
                    "/unreact 2 ok\n/history\n/group \"our team\" " +
                    bo + "\n/rename the team\n/who\n/role " + bo + " admin\n/remove " + bo + "\n/add " + bo +
                    "\n/mute\n/unmute\n/pin\n/unpin\n/list\n/me\n"
                    "/devices\n/block " +
                    bo + "\n/blocks\n/unblock " + bo + "\n/leave\n");
  INFO(good.out << good.err);
  CHECK(good.exit_code == 0);
  CHECK_FALSE(has(good.out, "\"event\":\"error\""));
  CHECK(has(good.out, "\"body\":\"hello there\""));
  CHECK(has(good.out, "\"name\":\"#the team\""));

  const auto bad = desk.chat(ada, Desk::server() + " --json --to " + bo, "/edit 99 no such message\nafterwards\n");
  CHECK(bad.exit_code == 1);
  CHECK(has(bad.out, "\"event\":\"error\""));
  CHECK(has(bad.out, "\"event\":\"sent\""));
}

TEST_CASE("holdfast-chat: the exit code tells a wrong password, a missing one and nobody there apart from success") {
  Desk desk;
  const std::string ada = fresh_name("talker");
  desk.enroll(ada);
  std::ofstream(desk.file("wrong")) << "another password\n";
  Desk other_computer;
  const auto wrong = other_computer.chat(ada, Desk::server() + " --password-file " + desk.file("wrong"), "");
  CHECK(wrong.exit_code == 3);
  CHECK(has(wrong.out, "WRONG_CREDENTIALS"));
  CHECK(desk.chat(ada, Desk::server() + " --no-such-option", "").exit_code == 2);
  const auto missing = desk.chat(fresh_name("talker"), Desk::server(), "");
  CHECK(missing.exit_code == 2);
  desk.seconds = "0.2";
  CHECK(desk.chat(ada, Desk::server() + " --wait 1", "").exit_code == 4);
  CHECK(desk.chat(ada, "-s 127.0.0.1:1 --password-file " + desk.password(), "").exit_code == 3);
}

TEST_CASE("holdfast-chat: logging out ends the session, and the next start wants a password") {
  Desk desk;
  const std::string ada = fresh_name("talker");
  desk.enroll(ada);
  CHECK(desk.chat(ada, Desk::server(), "/logout\n").exit_code == 0);
  CHECK(desk.chat(ada, Desk::server(), "").exit_code == 2);
  CHECK(desk.chat(ada, Desk::server() + " --password-file " + desk.password(), "").exit_code == 0);
}

TEST_CASE("holdfastctl: suspends and restores, provisions, rotates, and refuses a wrong key") {
  Desk desk;
  const std::string ada = fresh_name("talker");
  desk.enroll(ada);
  const auto ctl = [](std::vector<std::string> words) {
    std::vector<std::string> command{program("holdfastctl"), "-s",
                                     "127.0.0.1:" + std::to_string(shared_server().port()), "-k",
                                     (shared_server().data() / "operator.key").string()};
    command.insert(command.end(), words.begin(), words.end());
    return run_program(command);
  };
  CHECK(ctl({"users", "suspend", ada, "--for", "1h", "--reason", "test"}).exit_code == 0);
  const auto out = desk.chat(ada, Desk::server(), "");
  CHECK(out.exit_code == 3);
  CHECK(has(out.out, "ACCOUNT_SUSPENDED"));
  CHECK(ctl({"users", "restore", ada}).exit_code == 0);
  CHECK(desk.chat(ada, Desk::server() + " --password-file " + desk.password(), "").exit_code == 0);

  const auto made =
      ctl({"users", "provision", fresh_name("talker"), fresh_name("talker"), "--out", desk.file("tokens")});
  CHECK(made.exit_code == 0);
  const std::string tokens = contents_of(desk.file("tokens"));
  CHECK(std::count(tokens.begin(), tokens.end(), '\n') == 2);
  CHECK((std::filesystem::status(desk.file("tokens")).permissions() & std::filesystem::perms::others_read) ==
        std::filesystem::perms::none);
  CHECK(ctl({"users", "provision", "Not A Name"}).exit_code == 1);
  CHECK(ctl({"users", "suspend", ada, "--for", "soon"}).exit_code == 2);
  CHECK(ctl({"keys", "rotate"}).exit_code == 0);
  CHECK(ctl({"-k", desk.password(), "keys", "rotate"}).exit_code != 0);
}

}  // namespace holdfast

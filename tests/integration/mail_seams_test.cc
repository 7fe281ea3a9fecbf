/// Exactly once as far as SMTP allows: the node that sends is killed at every step of the sending, and what the relay has
/// is counted by Message-ID. None is missing, and one comes twice only where the relay had taken it and nobody knew.
#include <stdlib.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "base/hex.h"
#include "server/mail/seams.h"
#include "tests/integration/raw_client.h"
#include "tests/support/cluster_process.h"
#include "tests/support/http_get.h"
#include "tests/support/requests.h"
#include "tests/support/smtp_server.h"

namespace holdfast::testing {
namespace {

namespace seams = mail::seams;

struct Step {
  std::string_view seam;
  std::size_t times;  ///< that the relay is handed the mail
};
constexpr Step kSteps[] = {{seams::kArmed, 1},   {seams::kDecided, 1}, {seams::kBegun, 1},    {seams::kMade, 1},
                           {seams::kOffered, 1}, {seams::kData, 1},    {seams::kAccepted, 2}, {seams::kTaken, 2},
                           {seams::kHeard, 2},   {seams::kEnded, 1}};

/// base/seam.h: every server that is started meanwhile looks there.
class Seams {
 public:
  Seams() { ::setenv("HOLDFAST_SEAMS", folder_.path().c_str(), 1); }
  ~Seams() { ::unsetenv("HOLDFAST_SEAMS"); }
  Seams(const Seams&) = delete;
  Seams& operator=(const Seams&) = delete;

  void kill_at(const ServerProcess& server, std::string_view seam) const {
    const auto file = folder_.path() / std::to_string(server.pid());
    write_file(file.string() + ".new", std::string(seam));
    std::filesystem::rename(file.string() + ".new", file);
  }

 private:
  ScratchFolder folder_;
};

/// A relay that takes everything, at once or slowly.
struct PostOffice {
  explicit PostOffice(const std::string& behaviour = "take") : relay(behaviour) {}
  SmtpServer relay;

  std::string config() const {
    return "[mail]\nrelays = \"smtp://127.0.0.1:" + std::to_string(relay.port()) +
           "\"\nfrom = \"chat@inbox.test\"\n[fallback]\nmode = \"content\"\ndelay_s = 1\n";
  }
  /// How often each Message-ID came to this user.
  std::map<std::string, std::size_t> got(const std::string& name) const {
    std::map<std::string, std::size_t> times;
    for (const std::string& mail : relay.mails()) {
      if (mail.find("To: <" + name + "@inbox.test>") == std::string::npos) continue;
      const auto from = mail.find("Message-ID: ");
      REQUIRE(from != std::string::npos);
      ++times[mail.substr(from, mail.find('\r', from) - from)];
    }
    return times;
  }
};

/// Somebody with a verified address and no device.
UserId away(const ServerProcess& server, const std::string& name) {
  const Ended made = ctl(server, {"users", "provision", name + "=" + name + "@inbox.test"});
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  const auto id = made.out.find('\t');
  const auto bytes = from_hex(made.out.substr(id + 1, 2 * UserId::kBytes));
  REQUIRE(bytes);
  return *UserId::from_bytes(*bytes);
}

void say_hello(RawClient& speaker, const UserId& to) {
  const v1::ServerFrame opened = speaker.ask(requests::open_direct(to));
  REQUIRE(opened.has_conversation());
  REQUIRE(speaker.ask(post_frame(opened.conversation().conversation_id(), "hello")).has_change());
}

/// That a mail was sent, and is not tried again, is a line of the journal.
void await_sent(const ServerProcess& server, const std::string& name) {
  Ended journal;
  const bool sent = eventually([&] {
    journal = ctl(server, {"audit", "--user", name});
    return journal.out.find("mail done") != std::string::npos;
  });
  INFO(journal.out << journal.err << server.log());
  REQUIRE(sent);
}

void check_mails(const PostOffice& mails, const std::string& name, const Step& step) {
  const auto got = mails.got(name);
  CAPTURE(step.seam);
  REQUIRE(got.size() == 1);
  CHECK(got.begin()->second == step.times);
}

}  // namespace

TEST_CASE("Mails: a node killed at any step of the sending, and started again, sends each mail, once if it can") {
  const Seams seams;
  const PostOffice mails;
  struct Scene {
    Step step;
    std::unique_ptr<ServerProcess> server;
    std::string name;
  };
  std::vector<Scene> scenes;
  for (const Step& step : kSteps) {
    Scene scene{step,
                std::make_unique<ServerProcess>(ServerOptions{.config = mails.config(), .workers = 1, .partitions = 2}),
                "anna" + std::to_string(scenes.size())};
    const UserId anna = away(*scene.server, scene.name);
    RawClient ben(scene.server->port());
    ben.register_as("ben");
    seams.kill_at(*scene.server, step.seam);
    say_hello(ben, anna);
    scenes.push_back(std::move(scene));
  }
  for (const Scene& scene : scenes) {
    CAPTURE(scene.step.seam);
    CHECK(scene.server->wait_for_end().signal == SIGKILL);
    scene.server->start();
  }
  for (const Scene& scene : scenes) {
    await_sent(*scene.server, scene.name);
    check_mails(mails, scene.name, scene.step);
  }
}

TEST_CASE("Mails: of three nodes the one killed at a step of the sending leaves the mail to another, once if it can") {
  const Seams seams;
  const PostOffice mails;
  ClusterProcess cluster({.storage_config = mails.config()});
  for (const Step& step : kSteps) {
    CAPTURE(step.seam);
    const std::string name = fresh_name("anna");
    const UserId anna = away(cluster.node(0), name);
    const unsigned sends = cluster.primary_of(partition_of(anna, 8)), stays = (sends + 1) % cluster.size();
    RawClient ben(cluster.node(stays).port());
    ben.register_as(fresh_name("ben"));
    seams.kill_at(cluster.node(sends), step.seam);
    say_hello(ben, anna);
    CHECK(cluster.node(sends).wait_for_end().signal == SIGKILL);
    await_sent(cluster.node(stays), name);
    check_mails(mails, name, step);
    cluster.node(sends).start();
    cluster.await_in_sync(3);
  }
}

TEST_CASE("Mails: a node that is told to stop ends the mail under way before another node begins it") {
  const PostOffice mails("slow");
  ClusterProcess cluster({.storage_config = mails.config()});
  const UserId anna = away(cluster.node(0), "anna");
  const unsigned sends = cluster.primary_of(partition_of(anna, 8)), stays = (sends + 1) % cluster.size();
  RawClient ben(cluster.node(stays).port());
  ben.register_as("ben");
  say_hello(ben, anna);
  cluster.await("the relay has the mail, and has not said so", [&] { return !mails.relay.mails().empty(); });
  cluster.node(sends).ask_to_stop();
  const Ended ended = cluster.node(sends).wait_for_end();
  INFO(ended.err);
  CHECK(ended.exit_code == 0);
  await_sent(cluster.node(stays), "anna");
  check_mails(mails, "anna", {"none", 1});
}

}  // namespace holdfast::testing

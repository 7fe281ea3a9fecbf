// One link, used on two nodes at the same moment, while the node that decides is killed; and the sessions on all of them.
#include <catch2/catch.hpp>
#include <future>

#include "base/time.h"
#include "tests/integration/outbox.h"
#include "tests/integration/raw_client.h"
#include "tests/support/cluster_process.h"

namespace holdfast::testing {
namespace {

constexpr unsigned kNodes = 3;

/// Anna, with a verified address and a device on each node.
struct World {
  ClusterProcess cluster;
  std::vector<std::unique_ptr<RawClient>> devices;
  std::vector<std::string> tokens;  ///< of their sessions
  UserId anna;

  World() {
    for (unsigned i = 0; i < kNodes; ++i) {
      devices.push_back(std::make_unique<RawClient>(cluster.node(i).port()));
      devices.back()->hello();
      v1::ClientFrame enter;
      if (i == 0) {
        enter.mutable_register_()->set_username("anna");
        enter.mutable_register_()->set_password("correct horse");
        enter.mutable_register_()->set_email("anna@inbox.test");
      } else {
        enter = login("correct horse");
      }
      const v1::ServerFrame entered = devices.back()->ask(enter);
      INFO(entered.ShortDebugString());
      REQUIRE(entered.has_session());
      tokens.push_back(entered.session().token());
      anna = *UserId::from_bytes(entered.session().user_id());
    }
    REQUIRE(post_form(cluster.node(0).http_port(), "/verify", "t=" + token("/verify")).status == 200);
  }

  static v1::ClientFrame login(const std::string& password) {
    v1::ClientFrame frame;
    frame.mutable_log_in()->set_username("anna");
    frame.mutable_log_in()->set_password(password);
    return frame;
  }
  std::string token(const std::string& page) {
    std::vector<const ServerProcess*> all;
    for (unsigned i = 0; i < kNodes; ++i) all.push_back(&cluster.node(i));
    return wait_for_token(all, page);
  }
  std::string reset_token() {
    v1::ClientFrame frame;
    frame.mutable_request_password_reset()->set_username("anna");
    REQUIRE(devices[0]->ask(frame).has_done());
    return token("/reset");
  }
  std::future<HttpAnswer> uses(const std::string& link, unsigned node, const std::string& password) {
    const std::uint16_t port = cluster.node(node).http_port();
    return std::async(std::launch::async,
                      [=] { return post_form(port, "/reset", "t=" + link + "&password=" + password); });
  }
  v1::ServerFrame ask_at(unsigned node, v1::ClientFrame frame) {
    RawClient client(cluster.node(node).port());
    client.hello();
    return client.ask(std::move(frame));
  }
};

bool is_end(const v1::ServerFrame& frame) { return frame.has_session_ended(); }

}  // namespace

TEST_CASE("Ways back: of two uses of a link on two nodes, while the primary is killed, exactly one sets the password") {
  World world;
  const std::string link = world.reset_token();
  const unsigned primary = world.cluster.primary_of(partition_of(world.anna, 8));
  const unsigned one = (primary + 1) % kNodes, other = (primary + 2) % kNodes;
  auto first = world.uses(link, one, "violet+harbour+one");
  auto second = world.uses(link, other, "violet+harbour+two");
  world.cluster.node(primary).kill_hard();
  const int of_first = first.get().status, of_second = second.get().status;
  CAPTURE(of_first, of_second);
  REQUIRE((of_first == 200) != (of_second == 200));
  CHECK(std::max(of_first, of_second) == 410);  // the other one is told that the link was used
  world.cluster.await_moved_from(primary);
  const std::string won = of_first == 200 ? "violet harbour one" : "violet harbour two";
  const std::string lost = of_first == 200 ? "violet harbour two" : "violet harbour one";
  CHECK(world.ask_at(one, World::login(won)).has_session());
  CHECK(world.ask_at(other, World::login(lost)).error().code() == v1::WRONG_CREDENTIALS);
  for (const std::string& token : world.tokens) {
    v1::ClientFrame resume;
    resume.mutable_resume()->set_token(token);
    CHECK(world.ask_at(one, resume).error().code() == v1::SESSION_ENDED);
  }
}

TEST_CASE("Ways back: a used link ends the sessions on every node") {
  World world;
  const std::string link = world.reset_token();
  REQUIRE(world.uses(link, 0, "violet+harbour+one").get().status == 200);
  for (auto& device : world.devices) CHECK(device->await_push(is_end).session_ended().code() == v1::SESSION_ENDED);
}

TEST_CASE("figures: from the answer to a reset until the sessions on three nodes have ended", "[.figures]") {
  World world;
  const std::string link = world.reset_token();
  REQUIRE(world.uses(link, 0, "violet+harbour+one").get().status == 200);
  const SteadyTime answered = steady_now();
  for (unsigned i = 0; i < kNodes; ++i) {
    world.devices[i]->await_push(is_end);
    const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(steady_now() - answered);
    WARN("node " << i + 1 << ": " << after.count() << " ms");
  }
}

}  // namespace holdfast::testing

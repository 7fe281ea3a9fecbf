/// A cluster grows: by a node more, and out of a single node's data.
#include <catch2/catch.hpp>

#include "base/random.h"
#include "tests/integration/cluster_crowd.h"
#include "tests/integration/raw_client.h"

namespace holdfast {
namespace {

namespace ask = client::ask;
using testing::ClusterProcess;
using testing::Crowd;
using testing::fresh_name;
using testing::post_frame;
using testing::RawClient;
using testing::ScratchFolder;
using testing::ServerProcess;

/// What a node that was alone knew: people, their sessions, and what they said.
struct Before {
  std::string token, user, talk;
  std::uint64_t last = 0;
  std::string history;  ///< as it was answered, serialized
};

Before live_alone(const std::filesystem::path& data) {
  ServerProcess alone({.config = "[storage]\ndisk_reserve_bytes = 1000000\n", .data = data});
  RawClient ada(alone.port()), bob(alone.port());
  ada.register_as(fresh_name("early"));
  bob.register_as(fresh_name("early"));
  Before before{ada.token, ada.user_id, {}, 0, {}};
  before.talk = ada.ask(ask::open_direct(*UserId::from_bytes(bob.user_id))).conversation().conversation_id();
  for (int i = 0; i < 30; ++i) before.last = ada.ask(post_frame(before.talk, "early")).change().number();
  const auto page = ada.ask(ask::history(*ConversationId::from_bytes(before.talk), {.from = 0}));
  before.history = page.history().SerializeAsString();
  if (const auto ended = alone.stop(); ended.exit_code != 0) FAIL(ended.err);
  return before;
}

/// Her token is good at this node, and everything is there.
void check_kept(ServerProcess& node, const Before& before) {
  RawClient ada(node.port());
  ada.hello();
  v1::ClientFrame resume;
  resume.mutable_resume()->set_token(before.token);
  const auto session = ada.ask(std::move(resume));
  INFO(session.ShortDebugString());
  REQUIRE(session.has_session());
  CHECK(session.session().user_id() == before.user);
  const auto page = ada.ask(ask::history(*ConversationId::from_bytes(before.talk), {.from = 0}));
  INFO(page.ShortDebugString().substr(0, 300));
  CHECK(page.history().SerializeAsString() == before.history);
}

std::size_t copies_at(ClusterProcess& cluster, unsigned index) {
  const NodeId id = cluster.id_of(index);
  std::size_t copies = 0;
  for (const auto& [partition, config] : cluster.partitions())
    for (const auto& member : config.in_sync()) copies += member.node() == id.value;
  return copies;
}

}  // namespace

TEST_CASE("Cluster grow: a fourth node joins under traffic, gets its share, and nobody notices") {
  ClusterProcess cluster;
  Crowd crowd(cluster);
  const std::uint64_t resumes = crowd.resumes();
  crowd.talk(60);
  crowd.until_said(0.3);
  cluster.add_node();
  cluster.await("the fourth has copies", [&] {
    crowd.talk(1);
    crowd.until_said(1);
    return copies_at(cluster, 3) >= 4;
  });
  cluster.await_in_sync(3);
  cluster.await_even();
  crowd.talk(20);
  crowd.check_all_came();
  CHECK(crowd.resumes() == resumes);
}

TEST_CASE("Cluster grow: a node that was alone becomes the first of three, and all it knew is everybody's") {
  ScratchFolder folder;
  const Before before = live_alone(folder.path() / "data");
  ClusterProcess cluster({.nodes = 0});
  cluster.add_node(folder.path() / "data");
  cluster.await_in_sync(1);
  check_kept(cluster.node(0), before);
  cluster.add_node();
  cluster.add_node();
  cluster.await_in_sync(3);
  for (unsigned i = 0; i < 3; ++i) check_kept(cluster.node(i), before);
  cluster.node(0).kill_hard();
  cluster.await_moved_from(0);
  for (unsigned i = 1; i < 3; ++i) check_kept(cluster.node(i), before);
}

TEST_CASE("Cluster grow: a node killed at any moment of becoming a cluster goes on where it was") {
  ScratchFolder folder;
  const Before before = live_alone(folder.path() / "data");
  ClusterProcess cluster({.nodes = 0});
  const auto config = folder.path() / "holdfast.toml";
  testing::write_file(config, "partitions = 8\n" + cluster.config_of("n1", testing::free_port()));
  SystemRandom random;
  for (int i = 0; i < 12; ++i) {
    // It starts within a tenth of a second or so.
    const auto after_ms = 5 + random.below(i < 6 ? 60 : 250);
    INFO("killed after " << after_ms << " ms");
    const auto ended =
        testing::run_program({"/usr/bin/timeout", "--signal=KILL", "0." + std::to_string(1'000 + after_ms).substr(1),
                              testing::program("holdfastd"), "--config", config, "--data", folder.path() / "data",
                              "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"});
    INFO(ended.err);
    REQUIRE(ended.signal == 9);
  }
  cluster.add_node(folder.path() / "data");
  cluster.await_in_sync(1);
  check_kept(cluster.node(0), before);
  cluster.add_node();
  for (unsigned killed = 0; killed < 2; ++killed) {  // while the second is being filled, and then that one
    cluster.node(killed).kill_hard();
    cluster.node(killed).start();
  }
  cluster.add_node();
  cluster.await_in_sync(3);
  for (unsigned i = 0; i < 3; ++i) check_kept(cluster.node(i), before);
}

}  // namespace holdfast

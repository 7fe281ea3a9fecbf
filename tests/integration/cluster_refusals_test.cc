/// What does not belong is refused with its cause, and nothing of the cluster changes.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/random.h"
#include "failover/io/etcd_config_store.h"
#include "server/greeting.h"
#include "tests/integration/cluster_crowd.h"
#include "tests/integration/raw_client.h"
#include "tests/support/http_get.h"
#include "tools/holdfast-chaos/shim/settings.h"

namespace holdfast {
namespace {

using Catch::Matchers::Contains;
using testing::Bystanders;
using testing::ClusterProcess;
using testing::Ended;
using testing::free_port;
using testing::program;
using testing::run_program;
using testing::ScratchFolder;
using testing::write_file;

/// Runs; tests leave it as it was, and look.
ClusterProcess& shared_cluster() {
  static ClusterProcess cluster({.nodes = 2});
  return cluster;
}

/// A node that is to be refused: its folder, and how it is started.
struct Stranger {
  ScratchFolder folder;
  std::string before_config = "partitions = 8\n";
  std::vector<std::string> environment = {};

  std::filesystem::path data() const { return folder.path() / "data"; }
  Ended start(const std::string& config) const {
    write_file(folder.path() / "holdfast.toml", before_config + config);
    std::vector<std::string> command = {"/usr/bin/env"};
    command.insert(command.end(), environment.begin(), environment.end());
    command.insert(command.end(),
                   {program("holdfastd"), "--config", folder.path() / "holdfast.toml", "--data", data(), "--listen",
                    "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--workers", "1"});
    return run_program(command);
  }
};

/// `text` with its first `what` replaced.
std::string with(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

void check_refused(ClusterProcess& cluster, const Stranger& stranger, const std::string& config,
                   const std::vector<std::string>& causes) {
  const auto rows = cluster.lasting_rows();
  const Ended ended = stranger.start(config);
  INFO(ended.err);
  CHECK(ended.exit_code == 1);
  for (const std::string& cause : causes) CHECK_THAT(ended.err, Contains(cause));
  CHECK(cluster.lasting_rows() == rows);
}

/// A data directory whose node founded a cluster of its own, under another prefix.
void found_another(ClusterProcess& cluster, const Stranger& stranger) {
  const std::string config =
      with(cluster.config_of("founder", free_port()), cluster.store_address(), cluster.etcd().address("another"));
  testing::ServerProcess founder({.config = config, .data = stranger.data()});
  const Ended ended = founder.stop();
  INFO(ended.err);
  REQUIRE(ended.exit_code == 0);
}

std::string random_bytes(std::size_t count) {
  SystemRandom random;
  std::vector<std::uint8_t> bytes(count);
  random.fill(bytes);
  return {bytes.begin(), bytes.end()};
}

/// What a node says to these bytes on its port for other nodes, until it hangs up.
std::string say_to_peer_port(std::uint16_t port, const std::string& bytes) {
  const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{20, 0};
  ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(peer, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
  (void)!::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::shutdown(peer, SHUT_WR);
  std::string answer;
  std::array<char, 4096> some;
  ssize_t got = 0;
  while ((got = ::recv(peer, some.data(), some.size(), 0)) > 0)
    answer.append(some.data(), static_cast<std::size_t>(got));
  INFO("it hangs up");
  CHECK((got == 0 || errno == ECONNRESET));
  ::close(peer);
  return answer;
}

}  // namespace

TEST_CASE("Cluster refusals: a node under the name of one that runs") {
  ClusterProcess& cluster = shared_cluster();
  Stranger stranger;
  check_refused(
      cluster, stranger, cluster.config_of("n1", free_port()),
      {"a node called 'n1' runs already", "127.0.0.1:" + std::to_string(cluster.peer_port(0)), "cluster.node_name"});
}

TEST_CASE("Cluster refusals: another number of partitions") {
  ClusterProcess& cluster = shared_cluster();
  Stranger stranger;
  stranger.before_config = "partitions = 16\n";
  check_refused(cluster, stranger, cluster.config_of("n9", free_port()), {"8 partitions", "16", "partitions = 8"});
}

TEST_CASE("Cluster refusals: a store that nobody answers for") {
  ClusterProcess& cluster = shared_cluster();
  Stranger stranger;
  const std::string nowhere = "127.0.0.1:" + std::to_string(free_port());
  check_refused(cluster, stranger,
                with(cluster.config_of("n9", free_port()), cluster.store_address(), "etcd://" + nowhere + "/test"),
                {"etcd", "can't be reached", nowhere});
}

TEST_CASE("Cluster refusals: data of another cluster, and data of a cluster without its store") {
  ClusterProcess& cluster = shared_cluster();
  Stranger stranger;
  found_another(cluster, stranger);
  check_refused(cluster, stranger, cluster.config_of("n9", free_port()),
                {"belongs to cluster ", "the configuration store holds cluster ", "cluster.store"});
  check_refused(cluster, stranger, "", {"belongs to cluster ", "--join"});
}

TEST_CASE("Cluster refusals: a node that was alone, with data, for a cluster that has its own") {
  ClusterProcess& cluster = shared_cluster();
  Stranger stranger;
  {
    testing::ServerProcess alone({.config = "[storage]\ndisk_reserve_bytes = 1000000\n", .data = stranger.data()});
    testing::RawClient(alone.port()).register_as(testing::fresh_name("alone"));
    REQUIRE(alone.stop().exit_code == 0);
  }
  check_refused(cluster, stranger, cluster.config_of("n9", free_port()), {"alone", "an empty data directory"});
}

TEST_CASE("Cluster refusals: a certificate of another authority") {
  ClusterProcess& cluster = shared_cluster();
  Stranger stranger;
  testing::Certificates others;
  check_refused(
      cluster, stranger,
      with(cluster.config_of("n9", free_port()), cluster.certificates().lines_for("n9"), others.lines_for("n9")),
      {"certificate"});
}

TEST_CASE("Cluster refusals: a clock that is off") {
  ClusterProcess& cluster = shared_cluster();
  Stranger stranger;
  const chaos::shim::Settings off{.clock_offset_s = 60};
  const auto file = stranger.folder.path() / "shim";
  write_file(file, std::string(reinterpret_cast<const char*>(&off), sizeof off));
  stranger.environment = {"LD_PRELOAD=" + program("libholdfast_chaos_shim.so"), "HOLDFAST_CHAOS_SHIM=" + file.string()};
  check_refused(cluster, stranger, cluster.config_of("n9", free_port()), {"clock"});
}

TEST_CASE("Cluster refusals: a node that no other can dial where it says") {
  ClusterProcess& cluster = shared_cluster();
  const std::string nowhere = "127.0.0.1:" + std::to_string(free_port());
  Stranger stranger;
  const std::string config = cluster.config_of("n9", free_port());
  check_refused(cluster, stranger, config + "peer_address = \"" + nowhere + "\"\n",
                {"its peer_address " + nowhere + " can't be reached from node ", "Connection refused",
                 "set cluster.peer_address"});
  INFO("and one whose address leads to a node that is there");
  const std::string taken = "127.0.0.1:" + std::to_string(cluster.peer_port(0));
  check_refused(cluster, stranger, config + "peer_address = \"" + taken + "\"\n",
                {"its peer_address " + taken + " can't be reached from node ", "set cluster.peer_address"});
}

TEST_CASE("Cluster refusals: rows in the store that are none of ours, and rows that can't be read") {
  ClusterProcess& cluster = shared_cluster();
  auto& etcd = cluster.etcd();
  const std::string prefix = std::string("/") + ClusterProcess::kPrefix + "/";
  Bystanders people(cluster.node(0).port());
  const auto logged_at_all = [&](const std::string& what) {
    cluster.await(what.c_str(), [&] {
      return cluster.node(0).log().find(what) != std::string::npos &&
             cluster.node(1).log().find(what) != std::string::npos;
    });
  };
  INFO("somebody else's are named and left alone");
  etcd.etcdctl({"put", prefix + "part/lunch", "soup"});
  logged_at_all("part/lunch");
  people.go_on();
  INFO("ours that can't be read are named, and what was known of them stays");
  const auto epochs = cluster.partitions();
  const std::string kept = cluster.rows().rows.at("part/3").value;
  etcd.etcdctl({"put", prefix + "part/3", "garbage"});
  logged_at_all("part/3 can't be read");
  for (int i = 0; i < 20; ++i) people.go_on();
  CHECK(cluster.rows().rows.at("part/lunch").value == "soup");
  CHECK(cluster.rows().rows.at("part/3").value == "garbage");
  INFO("a node that joins meanwhile says which row it can't read");
  etcd.etcdctl({"put", prefix + "cluster/partitions", "many"});
  Stranger stranger;
  check_refused(cluster, stranger, cluster.config_of("n9", free_port()), {"cluster/partitions", "many"});
}

TEST_CASE("Cluster refusals: garbage on the port for other nodes") {
  ClusterProcess cluster({.nodes = 1});
  ClusterProcess plain({.nodes = 1, .plaintext = true});
  for (ClusterProcess* one : {&cluster, &plain}) {
    Bystanders people(one->node(0).port());
    const auto rows = one->lasting_rows();
    for (const std::size_t size : {0UL, 1UL, 100UL, 70'000UL}) {
      say_to_peer_port(one->peer_port(0), random_bytes(size));
      say_to_peer_port(one->peer_port(0), std::string(size, '\xff'));
    }
    say_to_peer_port(one->peer_port(0), "GET / HTTP/1.1\r\n\r\n");
    people.go_on();
    CHECK(one->lasting_rows() == rows);
  }
}

TEST_CASE("Cluster refusals: a node of another cluster, and one with another number of partitions, at the peer port") {
  ClusterProcess cluster({.nodes = 1, .plaintext = true});
  const auto rows = cluster.lasting_rows();
  failover::PeerLinksOptions links;
  links.own.set_cluster(std::string(32, 'a'));
  links.own.set_node(77);
  links.own.set_store_id(random_bytes(StoreId::kBytes));
  links.own.set_boot_id(random_bytes(16));
  links.own.set_version("test");
  links.own.set_partitions(8);
  const std::map<NodeId, HostPort> members{{cluster.id_of(0), {"127.0.0.1", cluster.peer_port(0)}}};
  auto greeted = greet_members(links, members);
  REQUIRE_FALSE(greeted);
  CHECK_THAT(greeted.error().message, Contains("the cluster") && Contains(std::string(32, 'a')));

  links.own.set_cluster(rows.at("cluster/uuid"));
  links.own.set_partitions(16);
  greeted = greet_members(links, members);
  REQUIRE_FALSE(greeted);
  CHECK_THAT(greeted.error().message, Contains("the partition count") && Contains("16") && Contains("8"));

  links.own.set_partitions(8);
  CHECK(greet_members(links, members));

  // An earlier life of its own is registered where it listens now: that it can't be both is no word of the others.
  links.listen = {"127.0.0.1", free_port()};
  const auto own_address = [&](std::uint16_t port) { return HostPort{"127.0.0.1", port}.str(); };
  CHECK(greet_members(links, {{NodeId(5), links.listen}}, own_address));
  for (int i = 0; i < 5; ++i) {
    auto with_own = members;
    with_own.emplace(NodeId(5), links.listen);
    CHECK(greet_members(links, with_own, own_address));
  }

  const HostPort nobody{"127.0.0.1", free_port()};
  greeted = greet_members(links, {{NodeId(5), nobody}});
  REQUIRE_FALSE(greeted);
  CHECK_THAT(greeted.error().message, Contains(nobody.str()) && Contains("can be reached") && Contains("firewall"));
  CHECK(cluster.lasting_rows() == rows);
}

TEST_CASE(
    "Cluster refusals: a member that no other can dial says at which address, is not ready, and takes no clients") {
  ClusterProcess cluster({.nodes = 1});
  const std::string nowhere = "127.0.0.1:" + std::to_string(free_port());
  ScratchFolder data;
  const std::string config = cluster.config_of("n9", free_port());
  REQUIRE(testing::ServerProcess({.config = config, .data = data.path()}).stop().exit_code == 0);
  testing::ServerProcess lost({.config = config + "peer_address = \"" + nowhere + "\"\n", .data = data.path()});
  cluster.await("it says so", [&] { return lost.log().find("out_of_reach") != std::string::npos; });
  CHECK_THAT(lost.log(), Contains(nowhere) && Contains("cluster.peer_address"));
  const auto ready = testing::http_get(lost.admin_port(), "/readyz");
  CHECK(ready.status == 503);
  CHECK_THAT(ready.body, Contains(nowhere));
  CHECK_THAT(say_to_peer_port(lost.port(), ""), Contains("no more connections"));  // and goes to another node
}

TEST_CASE("Cluster refusals: nobody joins while etcd is full, and those who are there go on") {
  ClusterProcess cluster({.nodes = 1, .etcd_quota_bytes = 4 * 1024 * 1024});
  Bystanders people(cluster.node(0).port());
  auto filling = failover::EtcdConfigStore::open(cluster.etcd().address("somebody-elses"));
  REQUIRE(filling);
  Result<bool> put = true;
  for (int i = 0; put && i < 20; ++i)
    put = (*filling)->transact({}, {{"row" + std::to_string(i), std::string(1'000'000, 'x')}});
  REQUIRE_FALSE(put);
  REQUIRE(put.error().code == Errc::storage_full);
  Stranger stranger;
  check_refused(cluster, stranger, cluster.config_of("n9", free_port()), {"etcd", "full"});
  for (int i = 0; i < 20; ++i) people.go_on();
}

}  // namespace holdfast

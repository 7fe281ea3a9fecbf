/// A node that was away for longer than the log reaches back gets whole copies, and is in sync again (FAILOVER 2.9).
#include <catch2/catch.hpp>

#include "clients/cpp/ask.h"
#include "storage/log_store.h"
#include "storage/rocksdb_database.h"
#include "tests/integration/raw_client.h"
#include "tests/support/cluster_process.h"

namespace holdfast {
namespace {

namespace ask = client::ask;
using testing::ClusterProcess;
using testing::ClusterProcessOptions;
using testing::fresh_name;
using testing::post_frame;
using testing::RawClient;

constexpr const char* kTrimmedSoon = "log_keep_entries = 8\nflush_bytes = 65536\n";
constexpr unsigned kPartitions = 4;

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

/// Two who talk in a direct conversation. It, and they, lie in some of the partitions.
struct Talk {
  RawClient ada, bob;
  std::string where;
  std::uint64_t number = 0;

  Talk(std::uint16_t here, std::uint16_t there) : ada(here), bob(there) {
    ada.register_as(fresh_name("fill"));
    bob.register_as(fresh_name("fill"));
    where = ada.ask(ask::open_direct(*UserId::from_bytes(bob.user_id))).conversation().conversation_id();
  }
  void say(const std::string& body) {
    const auto said = ada.ask(post_frame(where, body));
    INFO(said.ShortDebugString());
    REQUIRE(said.has_change());
    number = said.change().number();
  }
};

std::unique_ptr<Database> log_of(testing::ServerProcess& node) {
  RocksOptions options;
  options.path = (node.data() / "log").string();
  options.profile = RocksProfile::log;
  auto opened = open_rocksdb(options);
  REQUIRE(opened);
  return std::move(*opened);
}

/// With both stopped: their logs are the same history (H10).
void check_same_history(testing::ServerProcess& one, testing::ServerProcess& other) {
  const auto a = log_of(one), b = log_of(other);
  const LogReader ours(*a), theirs(*b);
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    const PartitionId partition(p);
    const Seq last = std::min(ours.bounds(partition).value().second, theirs.bounds(partition).value().second);
    INFO("partition " << p << " up to " << last.value);
    const auto mine = ours.chain_at(partition, last), its = theirs.chain_at(partition, last);
    REQUIRE(mine);
    REQUIRE(its);
    CHECK(*mine == *its);
  }
}

}  // namespace

TEST_CASE("Cluster: a node that was away for longer than the log reaches back is filled, and in sync again") {
  ClusterProcessOptions options;
  options.plaintext = true;
  options.partitions = kPartitions;
  options.storage_config = kTrimmedSoon;
  ClusterProcess cluster(options);
  std::vector<std::unique_ptr<Talk>> talks;
  for (int i = 0; i < 6; ++i) talks.push_back(std::make_unique<Talk>(cluster.node(0).port(), cluster.node(1).port()));
  for (auto& talk : talks) talk->say("before");

  cluster.node(2).kill_hard();
  cluster.await_moved_from(2);
  const std::string body(60'000, 'x');
  for (int round = 0; round < 12; ++round)
    for (auto& talk : talks) talk->say(body);
  cluster.node(2).start();
  cluster.await_in_sync(3);
  const std::string log = cluster.node(2).log();
  INFO(cluster.logs());
  CHECK(count(log, "snapshot_installed") >= 1);
  for (auto& talk : talks) talk->say("after");
  for (unsigned i = 0; i < 3; ++i) cluster.node(i).kill_hard();
  check_same_history(cluster.node(0), cluster.node(2));
  check_same_history(cluster.node(1), cluster.node(2));
}

}  // namespace holdfast

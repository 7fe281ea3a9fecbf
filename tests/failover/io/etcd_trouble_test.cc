// EtcdConfigStore when etcd's members die, freeze, refuse or are not there.
#include "tests/failover/io/etcd_world.h"

namespace holdfast::failover {
namespace {

using std::chrono::milliseconds;

/// Writes a row until it is known that it was written.
void put_at_last(EtcdConfigStore& store, const std::string& key) {
  for (int tries = 0; tries < 50; ++tries) {
    const auto row = store.get(key);
    if (row && row->revision > 0) return;
    if (!row) continue;
    const auto written = store.transact({{key, 0}}, {{key, "x"}});
    if (!written) CHECK((written.error().code == Errc::retry_later || written.error().code == Errc::outcome_unknown));
  }
  FAIL("can't be written: " << key);
}

TEST_CASE("EtcdConfigStore: after the leader of three was killed, reads and transactions work again") {
  testing::EtcdCluster cluster({.members = 3});
  const auto store = open_store(cluster.address());
  put_at_last(*store, "before");
  const unsigned leader = cluster.leader();
  cluster.kill(leader);
  put_at_last(*store, "after");
  const auto rows = store->list("");
  REQUIRE(rows);
  CHECK(rows->rows.size() == 2);

  SECTION("and a majority that is lost is said to be, until it is back") {
    const unsigned second = cluster.leader();
    cluster.kill(second);
    const auto refused = store->list("");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::retry_later);
    const auto unwritten = store->transact({}, {{"never or later", "x"}});
    REQUIRE_FALSE(unwritten);
    cluster.start(second);
    put_at_last(*store, "again");
  }
}

TEST_CASE("EtcdConfigStore: reads go past a frozen member") {
  testing::EtcdCluster cluster({.members = 3});
  const unsigned leader = cluster.leader(), follower = (leader + 1) % 3;
  const auto store = open_store("etcd://" + cluster.endpoint(follower) + "/test");
  put_at_last(*store, "a");
  for (const unsigned frozen : {follower, leader}) {
    const auto asked = open_store(cluster.address());
    CHECK(asked->get("a")->value == "x");
    cluster.pause(frozen);
    for (int i = 0; i < 3; ++i) CHECK(until_reached([&] { return asked->get("a"); })->value == "x");
    cluster.resume(frozen);
  }
}

TEST_CASE("EtcdConfigStore: of a transaction that a frozen member took, the outcome is unknown") {
  testing::EtcdCluster cluster;
  const auto store = open_store(cluster.address(), {.transaction_timeout = milliseconds(200)});
  put_at_last(*store, "a");
  const auto revision = store->get("a")->revision;
  cluster.pause(0);
  const auto outcome = store->transact({{"a", revision}}, {{"a", "y"}});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == Errc::outcome_unknown);
  CHECK_THAT(outcome.error().message, Catch::Matchers::Contains("too slowly"));
  cluster.resume(0);
  // What forces an answer (FAILOVER 2.6): a write that compares the same revision. One of the two took effect.
  const auto forced = until_reached([&] { return store->transact({{"a", revision}}, {{"a", "no-op"}}); });
  REQUIRE(forced);
  const auto row = store->get("a");
  CHECK(row->revision > revision);
  CHECK(row->value == (*forced ? "no-op" : "y"));
}

TEST_CASE(
    "EtcdConfigStore: a transaction of unknown outcome may be applied later (the premise of the union, FAILOVER 2.6)") {
  testing::EtcdCluster cluster({.members = 3});
  // The leader takes it into its log and can't commit it while the others are frozen. They are back before the leader
  // would give up; should the machine be too slow for that, the next round shows it.
  bool shown = false;
  for (int round = 0; round < 10 && !shown; ++round) {
    const unsigned leader = cluster.leader(), one = (leader + 1) % 3, other = (leader + 2) % 3;
    const auto store =
        open_store("etcd://" + cluster.endpoint(leader) + "/test", {.transaction_timeout = milliseconds(150)});
    const std::string key = "row" + std::to_string(round);
    if (!until_reached([&] { return store->get(key); })) continue;
    cluster.pause(one);
    cluster.pause(other);
    const auto outcome = store->transact({{key, 0}}, {{key, "late"}});
    cluster.resume(one);
    cluster.resume(other);
    if (outcome) continue;
    if (outcome.error().code == Errc::retry_later) continue;
    CHECK(outcome.error().code == Errc::outcome_unknown);
    const auto everywhere = open_store(cluster.address());
    const auto row = until_reached([&] { return everywhere->get(key); });
    shown = row && row->value == "late";
  }
  CHECK(shown);
}

TEST_CASE("EtcdConfigStore: where nothing listens, calls end with their deadline, and nothing was written") {
  std::string address;
  {
    testing::EtcdCluster gone;
    address = gone.address();
  }
  const EtcdOptions options{.transaction_timeout = milliseconds(200), .read_timeout = milliseconds(200)};
  const auto store = open_store(address, options);
  const auto begin = std::chrono::steady_clock::now();
  const auto read = store->get("a");
  REQUIRE_FALSE(read);
  CHECK(read.error().code == Errc::retry_later);
  CHECK(read.error().message.find("can't be reached") != std::string::npos);
  CHECK(store->list("").error().code == Errc::retry_later);
  CHECK(store->transact({}, {{"a", "x"}}).error().code == Errc::retry_later);
  CHECK(store->transact({{}, {}, {{"a", "x"}}, {}}).error().code == Errc::retry_later);
  // A watch can be ended all the same.
  store->watch("", [] {});
  store->unwatch();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

TEST_CASE("EtcdConfigStore: a store that began before etcd, or saw it restart, finds it") {
  testing::EtcdCluster cluster;
  cluster.kill(0);
  const auto store = open_store(cluster.address(), {.read_timeout = milliseconds(100)});
  CHECK(store->get("a").error().code == Errc::retry_later);
  cluster.start(0);
  CHECK(until_reached([&] { return store->get("a"); }));
  CHECK(*until_reached([&] { return store->transact({}, {{"a", "x"}}); }));
}

TEST_CASE("EtcdConfigStore: a login is needed where etcd has users, and a wrong one is refused with what to do") {
  testing::EtcdCluster cluster;
  cluster.etcdctl({"user", "add", "root:s3cret@"});
  cluster.etcdctl({"user", "grant-role", "root", "root"});
  cluster.etcdctl({"auth", "enable"});

  const auto anybody = open_store(cluster.address());
  for (const auto& refused : {anybody->transact({}, {{"a", "x"}}).error(), anybody->get("a").error()}) {
    CHECK(refused.code == Errc::permission_denied);
    CHECK(refused.message.find("user:password@") != std::string::npos);
  }
  const auto wrong = open_store("etcd://root:guess@" + cluster.endpoint(0) + "/test");
  const auto refused = wrong->transact({}, {{"a", "x"}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::permission_denied);
  CHECK(refused.error().message.find("wrong user or password") != std::string::npos);
  CHECK(refused.error().message.find("guess") == std::string::npos);

  const auto right = open_store("etcd://root:s3cret%40@" + cluster.endpoint(0) + "/test");
  CHECK(*right->transact({{}, {}, {{"node/1", "x"}}, {}}));
  Hints hints;
  right->watch("", hints.changed());
  REQUIRE(hints.until([&] { return hints.count() == 1; }));
  CHECK(*right->transact({}, {{"a", "x"}}));
  CHECK(hints.until([&] { return hints.count() == 2; }));
  // A restart forgets all logins: the store logs in again by itself.
  cluster.kill(0);
  cluster.start(0);
  CHECK(until_reached([&] { return right->get("a"); })->value == "x");
  CHECK(*until_reached([&] { return right->transact({}, {{"a", "y"}}); }));
}

TEST_CASE("EtcdConfigStore: a user and password do no harm where etcd has no users") {
  const auto store = open_store("etcd://me:secret@" + shared_etcd().endpoint(0) + "/nousers");
  CHECK(*store->transact({{"a", 0}}, {{"a", "x"}}));
}

TEST_CASE("EtcdConfigStore: TLS works with the right certificates, and says what is wrong with others") {
  const TempDirectory files;
  const auto tls = testing::make_etcd_certificate(files.path(), "member");
  const auto stranger = testing::make_etcd_certificate(files.path(), "stranger");
  testing::EtcdCluster cluster({.tls = tls});
  EtcdOptions options{.ca_file = tls.ca_file, .certificate_file = tls.certificate_file, .key_file = tls.key_file};
  options.read_timeout = options.transaction_timeout = milliseconds(500);
  CHECK(*until_reached([&] { return open_store(cluster.address(), options)->transact({{"a", 0}}, {{"a", "x"}}); }));

  const auto error_with = [&](const EtcdOptions& wrong, const std::string& address) {
    const auto answer = open_store(address, wrong)->get("a");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::retry_later);
    return answer.error().message;
  };
  auto unbelieving = options;
  unbelieving.ca_file = stranger.ca_file;
  CHECK_THAT(error_with(unbelieving, cluster.address()), Catch::Contains("certificate verify failed"));
  auto unknown = options;
  unknown.certificate_file = stranger.certificate_file;
  unknown.key_file = stranger.key_file;
  CHECK_THAT(error_with(unknown, cluster.address()), Catch::Contains("trust ours"));
  CHECK_THAT(error_with(options, "etcd://" + cluster.endpoint(0)), Catch::Contains("etcds://"));

  auto missing = options;
  missing.ca_file = files / "nowhere.pem";
  CHECK(EtcdConfigStore::open(cluster.address(), missing).error().code == Errc::not_found);
  auto half = options;
  half.key_file.clear();
  CHECK(EtcdConfigStore::open(cluster.address(), half).error().code == Errc::invalid_argument);
  CHECK(open_store(cluster.address(), options)->get("a")->value == "x");
}

}  // namespace
}  // namespace holdfast::failover

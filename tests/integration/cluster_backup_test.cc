/// A cluster that is backed up under traffic, destroyed, restored and grown again; and one that goes on with a third of
/// itself.
#include <catch2/catch.hpp>

#include <fstream>
#include <future>

#include "failover/io/etcd_config_store.h"
#include "tests/integration/cluster_crowd.h"
#include "tests/integration/raw_client.h"

namespace holdfast {
namespace {

namespace ask = client::ask;
using testing::ClusterProcess;
using testing::Crowd;
using testing::Ended;
using testing::fresh_name;
using testing::Person;
using testing::post_frame;
using testing::program;
using testing::RawClient;
using testing::run_program;
using testing::ScratchFolder;
using testing::ServerProcess;
using testing::Stage;

constexpr const char* kAlone = "[storage]\ndisk_reserve_bytes = 1000000\n";

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// The same, with somebody at the keyboard.
Ended ctl_typing(ServerProcess& node, const std::string& typed, const std::string& arguments) {
  return run_program({"/bin/sh", "-c",
                      "printf '" + typed + "' | '" + program("holdfastctl") +
                          "' --admin 127.0.0.1:" + std::to_string(node.admin_port()) + " --operator-key '" +
                          (node.data() / "operator.key").string() + "' " + arguments});
}

Ended offline(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program("holdfastctl"));
  return run_program(arguments);
}

void flip_a_bit_in(const std::filesystem::path& file) {
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  REQUIRE(bytes);
  const auto at = static_cast<std::streamoff>(std::filesystem::file_size(file) / 2);
  bytes.seekg(at);
  const char was = static_cast<char>(bytes.get());
  bytes.seekp(at);
  bytes.put(static_cast<char>(was ^ 0x10));
}

v1::ServerFrame resume(RawClient& client, const std::string& token, std::uint64_t cursor, std::uint64_t generation) {
  v1::ClientFrame frame;
  frame.mutable_resume()->set_token(token);
  frame.mutable_resume()->set_cursor(cursor);
  frame.mutable_resume()->set_generation(generation);
  return client.ask(std::move(frame));
}

/// All that was said in a conversation, by number.
std::map<std::uint64_t, std::string> history_of(Person& who, const ConversationId& conversation) {
  std::map<std::uint64_t, std::string> all;
  for (std::uint64_t from = 1;;) {
    const auto page = who.ask(ask::history(conversation, {.from = from, .backward = false, .limit = 500})).history();
    for (const auto& change : page.changes()) all[change.number()] = change.posted().body();
    if (!page.more() || page.changes().empty()) return all;
    from = page.changes(page.changes_size() - 1).number() + 1;
  }
}

}  // namespace

TEST_CASE("Backup: a node that is alone is backed up, verified, and restored; a damaged backup is refused") {
  ScratchFolder folder;
  const auto backup = folder.path() / "backup", data = folder.path() / "restored";
  std::string token, talk, history;
  {
    ServerProcess alone({.config = kAlone});
    RawClient ada(alone.port()), bob(alone.port());
    ada.register_as(fresh_name("ada"));
    bob.register_as(fresh_name("bob"));
    token = ada.token;
    talk = ada.ask(ask::open_direct(*UserId::from_bytes(bob.user_id))).conversation().conversation_id();
    for (int i = 0; i < 30; ++i) ada.ask(post_frame(talk, "kept"));
    history = ada.ask(ask::history(*ConversationId::from_bytes(talk), {.from = 0})).history().SerializeAsString();
    const auto made = ctl(alone, {"backup", backup});
    INFO(made.out << made.err);
    REQUIRE(made.exit_code == 0);
    CHECK(contains(made.out, "8 partitions"));
    const auto again = ctl(alone, {"backup", backup});
    CHECK(again.exit_code == 2);
    CHECK(contains(again.err, "is there already"));
    ada.ask(post_frame(talk, "not in the backup"));
  }
  CHECK(offline({"backup", "--verify", backup}).exit_code == 0);

  const auto restored = offline({"restore", backup, "--data", data});
  INFO(restored.out << restored.err);
  REQUIRE(restored.exit_code == 0);
  const auto twice = offline({"restore", backup, "--data", data});
  CHECK(twice.exit_code == 1);
  CHECK(contains(twice.err, "is not empty"));
  {
    ServerProcess alone({.config = kAlone, .data = data});
    RawClient ada(alone.port());
    ada.hello();
    const auto session = resume(ada, token, 0, 0);
    INFO(session.ShortDebugString());
    REQUIRE(session.has_session());
    CHECK(session.session().generation() > 1);
    CHECK(ada.ask(ask::history(*ConversationId::from_bytes(talk), {.from = 0})).history().SerializeAsString() ==
          history);
    CHECK(ada.ask(post_frame(talk, "after")).has_change());
  }
  flip_a_bit_in(backup / "partition-3");
  const auto damaged = offline({"backup", "--verify", backup});
  CHECK(damaged.exit_code == 1);
  CHECK(contains(damaged.err, "partition-3"));
  const auto refused = offline({"restore", backup, "--data", folder.path() / "other"});
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "partition-3"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "other"));
}

namespace {

/// Two on different nodes who talk.
struct Couple {
  std::unique_ptr<Person> a, b;
  ConversationId conversation;
};

std::vector<Couple> couples_of(Stage& stage, ClusterProcess& cluster) {
  std::vector<Couple> couples;
  const auto ports = cluster.ports();
  const auto person = [&](std::size_t port) {
    const std::string name = fresh_name("couple");
    const Person::Device device{.credentials = client::RegisterWith{name, Person::kPassword, ""},
                                .sends_ahead = 8,
                                .port = ports[port % ports.size()]};
    auto made = std::make_unique<Person>(stage, name, device);
    stage.until("the registration", [&] { return made->client().online(); });
    return made;
  };
  for (std::size_t i = 0; i < ports.size(); ++i) {
    Couple couple{person(i), person(i + 1), {}};
    couple.conversation = couple.a->direct_with(*couple.b);
    couples.push_back(std::move(couple));
  }
  return couples;
}

std::size_t acknowledged(const std::vector<Couple>& couples) {
  std::size_t sum = 0;
  for (const Couple& couple : couples) sum += couple.a->acknowledged() + couple.b->acknowledged();
  return sum;
}

void talk(const std::vector<Couple>& couples, int times, const std::string& what) {
  for (int i = 0; i < times; ++i) {
    for (const Couple& couple : couples) {
      couple.a->mutter(couple.conversation, what);
      couple.b->mutter(couple.conversation, what);
    }
  }
}

/// Backs up while they talk.
Ended back_up_under_traffic(Stage& stage, ClusterProcess& cluster, const std::vector<Couple>& couples,
                            const std::filesystem::path& folder) {
  auto backup = std::async(std::launch::async, [&] { return ctl(cluster.node(0), {"backup", folder}); });
  std::size_t said = acknowledged(couples);
  stage.until("the backup is made", [&] {
    if (acknowledged(couples) + 10 > said) {
      talk(couples, 2, "meanwhile");
      said += 4 * couples.size();
    }
    return backup.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
  stage.until("all is acknowledged", [&] { return acknowledged(couples) == said; });
  return backup.get();
}

/// Machines, disks, and what etcd knew.
void destroy(ClusterProcess& cluster) {
  for (unsigned i = 0; i < cluster.size(); ++i) cluster.node(i).kill_hard();
  for (unsigned i = 0; i < cluster.size(); ++i) std::filesystem::remove_all(cluster.node(i).data());
  const auto store = failover::EtcdConfigStore::open(cluster.store_address());
  REQUIRE(store);
  failover::Transaction forget;
  for (const auto& [key, row] : cluster.rows().rows) forget.removes.push_back(key);
  const auto done = (*store)->transact(forget);
  REQUIRE(done);
  REQUIRE(cluster.rows().rows.empty());
}

}  // namespace

TEST_CASE(
    "Backup: what was backed up under traffic is restored, grown to three again, and clients are told to read anew") {
  ScratchFolder folder;
  const auto backup = folder.path() / "backup";
  ClusterProcess cluster;
  Stage stage(cluster.ports(), [&] { return cluster.logs(); });
  const auto couples = couples_of(stage, cluster);
  talk(couples, 20, "before");
  stage.until("all is acknowledged", [&] { return acknowledged(couples) == couples.size() * 40; });
  const auto made = back_up_under_traffic(stage, cluster, couples, backup);
  INFO(made.out << made.err);
  REQUIRE(made.exit_code == 0);

  std::vector<std::map<std::uint64_t, std::string>> old;
  for (const Couple& couple : couples) {
    for (int i = 0; i < 40; ++i) couple.a->say(couple.conversation, "after the backup");
    couple.b->hears(couple.conversation, couple.a->newest(couple.conversation));
    old.push_back(history_of(*couple.a, couple.conversation));
  }
  destroy(cluster);
  const auto restored = offline({"restore", backup, "--data", cluster.node(0).data()});
  INFO(restored.out << restored.err);
  REQUIRE(restored.exit_code == 0);
  for (unsigned i = 0; i < 3; ++i) cluster.node(i).start();
  cluster.await_in_sync(3);

  for (std::size_t i = 0; i < couples.size(); ++i) {
    const Couple& couple = couples[i];
    for (Person* who : {couple.a.get(), couple.b.get()}) {
      stage.until("they are told that history was reset",
                  [&] { return !who->resets.empty() && who->client().online(); });
      CHECK(who->resets.size() == 1);
      CHECK(who->client().logins() == 1);
    }
    // What was backed up is what was said up to then, each once: whoever posts next gets the number behind it.
    const auto kept = history_of(*couple.a, couple.conversation);
    CHECK(kept.size() >= 41);
    CHECK(kept.size() <= old[i].size() - 40);
    CHECK(kept.rbegin()->first == kept.size());
    for (const auto& [number, body] : kept) CHECK(old[i].at(number) == body);
    CHECK(history_of(*couple.b, couple.conversation) == kept);
    const std::uint64_t number = couple.b->say(couple.conversation, "in the new life");
    CHECK(number == kept.size() + 1);
    // Their cursors lay far beyond the restored end, and they hear it all the same.
    CHECK(couple.a->hears(couple.conversation, number).posted().body() == "in the new life");
    CHECK(couple.b->hears(couple.conversation, number).posted().body() == "in the new life");
    for (Person* who : {couple.a.get(), couple.b.get()})
      for (const auto& [heard, change] : who->changes(couple.conversation))
        if (heard <= kept.size()) CHECK(kept.at(heard) == change.posted().body());
  }
  CHECK(ctl(cluster.node(1), {"verify"}).exit_code == 0);
  // They are told once: the next time they come back with positions of the new generation.
  cluster.node(0).kill_hard();
  cluster.await_moved_from(0);
  for (const Couple& couple : couples) {
    couple.a->say(couple.conversation, "again");
    CHECK(couple.a->resets.size() == 1);
  }
}

TEST_CASE("Backup: a cluster whose configuration store has lost everything is not founded anew by who founded it") {
  ClusterProcess cluster({.nodes = 1});
  cluster.node(0).kill_hard();
  const auto store = failover::EtcdConfigStore::open(cluster.store_address());
  REQUIRE(store);
  failover::Transaction forget;
  for (const auto& [key, row] : cluster.rows().rows) forget.removes.push_back(key);
  REQUIRE((*store)->transact(forget));
  const auto ended = cluster.node(0).start_and_fail();
  INFO(ended.err);
  CHECK(ended.exit_code == 1);
  CHECK(contains(ended.err, "the configuration store is empty"));
  CHECK(cluster.rows().rows.empty());
}

TEST_CASE("Unsafe recover: with two of three disks gone the third goes on, says so, and fills new copies") {
  ClusterProcess cluster;
  Crowd crowd(cluster);
  crowd.talk(20);
  crowd.check_all_came();
  const auto needless = ctl(cluster.node(0), {"unsafe-recover", "3", "--yes-i-may-lose-data"});
  CHECK(needless.exit_code == 1);
  CHECK(contains(needless.out, "there is nothing to recover"));

  cluster.wipe(1);
  cluster.wipe(2);
  cluster.await("the two are gone", [&] { return !cluster.registration_of(1) && !cluster.registration_of(2); });
  for (const char* typed : {"", "no\\n", "3\\n", "3\\nyes\\n"}) {
    const auto refused = ctl_typing(cluster.node(0), typed, "unsafe-recover 3");
    INFO(refused.out << refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(contains(refused.err, "nothing was done"));
    CHECK(contains(refused.out, "gone: n"));  // both, or the second: when the first died the two others left it out
  }
  for (const auto& [partition, config] : cluster.partitions()) CHECK(config.min_isr() == 2);
  const auto one = ctl_typing(cluster.node(0), "3\\nlose data\\n", "unsafe-recover 3");
  INFO(one.out << one.err);
  CHECK(one.exit_code == 0);
  CHECK(cluster.partitions().at(3).min_isr() == 1);

  const auto recovered = ctl(cluster.node(0), {"unsafe-recover", "--all", "--yes-i-may-lose-data"});
  INFO(recovered.out << recovered.err << cluster.logs());
  REQUIRE(recovered.exit_code == 0);
  CHECK(contains(ctl(cluster.node(0), {"events"}).out, "unsafe_recovered n1"));
  CHECK(contains(cluster.node(0).log(), "unsafe_recovered"));
  crowd.talk(5);
  crowd.check_all_came();

  cluster.node(1).start();
  cluster.node(2).start();
  cluster.await_in_sync(3);
  for (const auto& [partition, config] : cluster.partitions()) CHECK(config.min_isr() == 2);
  crowd.talk(5);
  crowd.check_all_came();
  CHECK(ctl(cluster.node(0), {"verify"}).exit_code == 0);
}

}  // namespace holdfast

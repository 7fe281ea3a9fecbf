// A copy that the log can't fill comes as a whole, from the primary's databases into the learner's (FAILOVER 2.9).
#include "server/snapshots.h"

#include <catch2/catch.hpp>

#include "storage/memory_database.h"
#include "storage/state_batch.h"
#include "storage/state_store.h"
#include "tests/storage/entries.h"

namespace holdfast {
namespace {

constexpr PartitionId kPartition(5);
constexpr NodeId kPrimary(1), kLearner(2);
constexpr std::uint64_t kEntries = 3000;  // several pieces of rows

StoreId store_of(NodeId node) { return *StoreId::from_bytes(std::string(16, static_cast<char>('a' + node.value))); }
failover::Member member(NodeId node) { return {node, store_of(node)}; }

/// One node with one partition: its databases, and what a worker does for a copy, each at once.
struct Node {
  const NodeId id;
  SteadyTime& now;
  MemoryDatabase log, state;
  LogStore log_store{log};
  chat::Limits limits;
  FillRate rate{1'000'000'000};
  std::unique_ptr<Copy> copy;
  std::unique_ptr<Snapshots> snapshots;
  std::vector<std::function<void()>> jobs;  ///< of other threads
  std::vector<peer::Replication> out;
  std::optional<failover::Reconfiguration> reconfiguration;
  std::size_t parts_sent = 0;

  Node(NodeId n, SteadyTime& time) : id(n), now(time) {}

  void start(const failover::Recovered& recovered) {
    PartitionOptions options;
    options.id = kPartition;
    copy = std::make_unique<Copy>(options, limits, member(id), Copy::Found{recovered, {}});
    SnapshotsHost host;
    host.copy = [this](PartitionId) -> Copy& { return *copy; };
    host.send = [this](NodeId, const peer::Frame& frame) {
      parts_sent += frame.replication().has_snapshot_part() ? 1 : 0;
      out.push_back(frame.replication());
    };
    host.blocking = [this](std::function<void()> job) { jobs.push_back(std::move(job)); };
    host.call = [](const std::function<void()>& then) { then(); };
    host.replaced = [](PartitionId, Seq) {};
    host.lower_floor = [](PartitionId, Seq) -> Status { return Ok{}; };
    host.now = [this] { return now; };
    host.log = &log;
    host.state = &state;
    host.rate = &rate;
    snapshots = std::make_unique<Snapshots>(std::move(host));
  }

  void configure(std::uint64_t epoch, std::uint64_t revision) {
    failover::PartitionRow row;
    row.revision = revision;
    row.config.set_epoch(epoch);
    row.config.set_min_isr(1);
    row.config.mutable_primary()->set_node(kPrimary.value);
    row.config.mutable_primary()->set_store_id(store_of(kPrimary).str());
    *row.config.add_in_sync() = row.config.primary();
    row.config.add_replicas(kPrimary.value);
    row.config.add_replicas(kLearner.value);
    copy->replica().configured(row);
  }

  void turn() {
    Copy::Ready ready = copy->take_ready(from_ms(1'000'000));
    for (const LogWrite& write : ready.writes) {
      LogBatch batch;
      batch.add(write);
      REQUIRE(log.write(batch.batch(), Durability::synced));
      copy->replica().durable(write.ticket);
    }
    for (const failover::Appended& each : ready.apply) {
      StateBatch batch;
      batch.add(kPartition, *each.entry);
      REQUIRE(state.write(batch.finish(), Durability::written));
      copy->applied(each.encoded->seq);
    }
    for (auto& message : ready.messages) out.push_back(std::move(message.message));
    for (const auto& wanted : ready.copies_log) {
      failover::Replica::LogPage page;
      page.node = wanted.node;
      page.previous = Seq(wanted.from.value - 1);
      if (auto raw = log_store.read_raw(kPartition, wanted.from, 1u << 20)) {
        page.previous_epoch = raw->previous_epoch;
        page.previous_chain = raw->previous_chain;
        page.entries = std::move(raw->entries);
      }
      copy->replica().log_read(std::move(page));
    }
    for (const NodeId node : ready.snapshots) snapshots->wanted(kPartition, node);
    if (ready.reconfiguration) reconfiguration = std::move(ready.reconfiguration);
    for (auto& job : std::exchange(jobs, {})) job();
  }
};

/// A primary whose log begins late, and an empty learner.
struct World {
  SteadyTime now{std::chrono::hours(1)};
  Node primary{kPrimary, now}, learner{kLearner, now};
  std::function<bool(peer::Replication&)> on_the_way = [](peer::Replication&) { return true; };

  World() {
    LogWriter writer(primary.log, kPartition);
    writer.append_many(1, kEntries);
    REQUIRE(replay(primary.log_store, primary.state, kPartition));
    REQUIRE(primary.log_store.trim(kPartition, Seq(kEntries - 10)));
    failover::Recovered recovered;
    recovered.last_seq = Seq(kEntries);
    recovered.last_epoch = recovered.promised = Epoch(1);
    recovered.last_chain = primary.log_store.chain_at(kPartition, Seq(kEntries)).value();
    recovered.last_time = from_ms(1'000 + static_cast<std::int64_t>(kEntries));
    recovered.epoch_starts = {{Epoch(1), Seq(1)}};
    primary.start(recovered);
    learner.start({});
    for (Node* node : {&primary, &learner}) node->configure(2, 2);
    link(true);
  }

  void link(bool up) {
    for (auto [node, peer] : {std::pair{&primary, kLearner}, std::pair{&learner, kPrimary}}) {
      up ? node->copy->replica().link_up(member(peer)) : node->copy->replica().link_down(peer);
      node->snapshots->link(member(peer), up);
      node->out.clear();
    }
  }

  void deliver(Node& from, Node& to) {
    for (peer::Replication& message : std::exchange(from.out, {})) {
      if (!on_the_way(message)) continue;
      if (!to.snapshots->received(member(from.id), message)) to.copy->replica().received(member(from.id), message);
    }
  }

  void turn() {
    primary.turn();
    learner.turn();
    deliver(primary, learner);
    deliver(learner, primary);
  }

  void pass(std::chrono::milliseconds time) {
    for (const SteadyTime until = now + time; now < until;) {
      now += std::chrono::milliseconds(100);
      for (Node* node : {&primary, &learner}) {
        node->copy->tick(now, from_ms(1'000'000));
        node->snapshots->tick();
      }
      for (int i = 0; i < 20; ++i) turn();
    }
  }

  bool joins() {
    if (!primary.reconfiguration) return false;
    for (const auto& store : primary.reconfiguration->wanted.in_sync())
      if (store.node() == kLearner.value) return true;
    return false;
  }

  void check_same() {
    const Range all{.from = keys::stored(kPartition, {}), .until = keys::after_partition(kPartition), .limit = 100'000};
    const auto ours = primary.state.scan(all).value(), theirs = learner.state.scan(all).value();
    REQUIRE(ours.size() == theirs.size());
    CHECK(std::ranges::equal(ours, theirs,
                             [](const Row& a, const Row& b) { return a.key == b.key && a.value == b.value; }));
    CHECK(learner.copy->replica().last_chain() == primary.copy->replica().last_chain());
    CHECK(learner.log_store.last(kPartition).value()->chain == primary.copy->replica().last_chain());
  }
};

}  // namespace

TEST_CASE("Snapshots: a learner that the log can't reach gets a copy, goes on by log, and joins") {
  World world;
  world.pass(std::chrono::seconds(5));
  CHECK(world.primary.parts_sent > 1);
  CHECK(world.joins());
  world.check_same();
  CHECK(world.primary.snapshots->sending() == 0);
  CHECK(world.learner.snapshots->receiving() == 0);
}

TEST_CASE("Snapshots: the log is held for as long as one is under way, and not after") {
  World world;
  const Seq before = world.primary.copy->slowest_cursor();
  world.on_the_way = [](peer::Replication& message) { return !message.has_snapshot_taken(); };
  world.pass(std::chrono::seconds(1));
  REQUIRE(world.primary.snapshots->sending() == 1);
  const Seq held = world.primary.copy->slowest_cursor();
  world.on_the_way = [](peer::Replication&) { return true; };
  world.pass(std::chrono::seconds(60));
  CHECK(world.joins());
  CHECK(held >= before);
  CHECK(held <= Seq(kEntries + 1));
  CHECK(world.primary.copy->slowest_cursor() == world.primary.copy->replica().committed());
}

TEST_CASE("Snapshots: a part that was damaged on its way ends it; what was there is gone, and another one fills it") {
  World world;
  int damaged = 0;
  world.on_the_way = [&](peer::Replication& message) {
    if (message.has_snapshot_part() && message.snapshot_part().number() == 1 && damaged++ == 0)
      message.mutable_snapshot_part()->set_checksum(std::string(32, 'x'));
    return true;
  };
  world.pass(std::chrono::seconds(10));
  CHECK(damaged == 2);
  CHECK(world.joins());
  world.check_same();
}

TEST_CASE("Snapshots: a lost link ends it on both sides; nothing half is left, and another one fills it") {
  World world;
  bool cut = false;
  world.on_the_way = [&](peer::Replication& message) {
    return !(cut |= message.has_snapshot_part() && message.snapshot_part().number() == 1);
  };
  while (!cut) world.pass(std::chrono::milliseconds(100));
  world.link(false);
  world.pass(std::chrono::seconds(1));
  CHECK(world.primary.snapshots->sending() == 0);
  CHECK(world.learner.snapshots->receiving() == 0);
  CHECK(world.learner.state.rows() == 0);
  CHECK(world.learner.copy->replica().last_seq() == Seq{});
  CHECK_FALSE(world.learner.log.get(LogStore::install_key(kPartition)).value());
  world.on_the_way = [](peer::Replication&) { return true; };
  world.link(true);
  world.pass(std::chrono::seconds(5));
  CHECK(world.joins());
  world.check_same();
}

TEST_CASE("Snapshots: a new epoch ends one of an earlier epoch, and fills the copy in its own") {
  World world;
  bool held = false;
  world.on_the_way = [&](peer::Replication& message) {
    return !(held |= message.has_snapshot_part() && message.snapshot_part().number() == 1);
  };
  while (!held) world.pass(std::chrono::milliseconds(100));
  world.on_the_way = [](peer::Replication&) { return true; };
  for (Node* node : {&world.primary, &world.learner}) node->configure(3, 3);
  world.pass(std::chrono::seconds(10));
  CHECK(world.learner.copy->replica().promised() == Epoch(3));
  CHECK(world.joins());
  world.check_same();
}

TEST_CASE("Snapshots: who counts, or has what it brings, or knows a later epoch, installs nothing (I4, I13)") {
  World world;
  world.pass(std::chrono::seconds(5));
  failover::Replica& learner = world.learner.copy->replica();
  const Hash32 other{1};
  CHECK_FALSE(learner.begin_install(Epoch(2), learner.committed(), other));
  CHECK_FALSE(learner.begin_install(Epoch(1), Seq(100'000), other));
  REQUIRE(learner.begin_install(Epoch(2), Seq(100'000), other));
  failover::PartitionRow row = learner.row();
  row.revision = 3;
  auto& member = *row.config.add_in_sync();
  member.set_node(kLearner.value);
  member.set_store_id(store_of(kLearner).str());
  world.learner.copy->replica().configured(row);
  CHECK_FALSE(learner.begin_install(Epoch(2), Seq(100'000), other));
}

TEST_CASE("Snapshots: a copy that comes before the first entry of its epoch waits for the promise (W4)") {
  World world;
  world.pass(std::chrono::seconds(5));
  failover::Replica& learner = world.learner.copy->replica();
  REQUIRE(world.learner.copy->is_drained());
  REQUIRE(learner.begin_install(Epoch(9), Seq(100'000), Hash32{1}));
  CHECK(learner.promised() == Epoch(9));
  CHECK_FALSE(world.learner.copy->is_drained());
  world.learner.turn();
  CHECK(world.learner.copy->is_drained());
  CHECK(world.learner.log_store.meta(kPartition).value().promised_epoch() == 9);
}

TEST_CASE("SnapshotSend: at most four pieces are under way, and the last one answered is the end") {
  SteadyTime now{};
  SnapshotSend send(1, member(kLearner), Epoch(2));
  send.opening(now);
  send.opened(Seq(10), now);
  for (std::uint32_t i = 0; i < SnapshotSend::kUnderWayMax; ++i) {
    REQUIRE(send.wants_piece());
    send.reading();
    CHECK_FALSE(send.wants_piece());
    CHECK(send.read(false, now) == i);
  }
  CHECK_FALSE(send.wants_piece());
  CHECK_FALSE(send.stored(1, now));
  REQUIRE(send.wants_piece());
  send.reading();
  CHECK(send.read(true, now) == 4);
  CHECK_FALSE(send.wants_piece());
  CHECK_FALSE(send.stored(6, now));  // of what was not sent
  CHECK(send.stored(5, now));
  CHECK(send.holds_log(now));
  CHECK_FALSE(send.holds_log(now + SnapshotSend::kHeld));
}

TEST_CASE("FillRate: what is sent in a second is what the configuration says") {
  FillRate rate(1'000'000);
  SteadyTime now{std::chrono::hours(1)};
  std::size_t sent = 0;
  for (const SteadyTime until = now + std::chrono::seconds(10); now < until; now += std::chrono::milliseconds(10))
    while (rate.may_send(now)) {
      rate.sent(50'000, now);
      sent += 50'000;
    }
  CHECK(sent > 9'900'000);
  CHECK(sent < 10'300'000);
}

}  // namespace holdfast

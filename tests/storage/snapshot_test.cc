// A partition's copy from one store into another (FAILOVER 2.9), and what a crash in between leaves (J10, I13).
#include <catch2/catch.hpp>

#include <functional>

#include "proto/state.pb.h"
#include "storage/memory_database.h"
#include "storage/snapshot_target.h"
#include "storage/state_store.h"
#include "tests/storage/entries.h"

using namespace holdfast;

namespace {

constexpr PartitionId kPartition(5), kOther(6);
const std::string kSubscriber = "delivery";

std::pair<std::string, std::string> cursor_at(std::uint64_t seq) {
  state::Cursor cursor;
  cursor.set_seq(seq);
  return {keys::cursor(kSubscriber), cursor.SerializeAsString()};
}

/// The databases of one node.
struct Store {
  std::shared_ptr<WriteLimit> limit = std::make_shared<WriteLimit>();
  MemoryDatabase log_database{limit}, state{limit};
  LogStore log{log_database};

  /// `count` entries of a partition, logged and applied; the cursor of the subscriber stands at `cursor`.
  void fill(PartitionId partition, std::uint64_t count, std::uint64_t cursor, const std::string& mark) {
    LogWriter writer(log_database, partition);
    for (std::uint64_t seq = 1; seq <= count; ++seq) {
      auto entry = make_entry(seq, {{keys::name("n" + std::to_string(seq)), mark + std::to_string(seq)}});
      if (seq == count) {
        log::Write& write = *entry.add_writes();
        write.set_key(cursor_at(cursor).first);
        write.set_put(cursor_at(cursor).second);
      }
      writer.append(entry);
    }
    log::PartitionMeta promise;
    promise.set_promised_epoch(1);
    auto& start = *promise.add_epoch_starts();
    start.set_epoch(1);
    start.set_first_seq(1);
    const std::string key = LogStore::promise_key(partition), value = promise.SerializeAsString();
    Batch batch;
    batch.put(key, value);
    REQUIRE(log_database.write(batch, Durability::synced));
    REQUIRE(replay(log, state, partition));
    REQUIRE(state.flush());
  }
  void crash() {
    log_database.crash();
    state.crash();
  }
  std::vector<Row> rows(PartitionId partition) const {
    return state.scan({.from = keys::stored(partition, {}), .until = keys::after_partition(partition)}).value();
  }
  std::size_t log_rows(PartitionId partition) const {
    return log_database.scan({.from = keys::stored(partition, {}), .until = keys::after_partition(partition)})
        .value()
        .size();
  }
};

std::shared_ptr<SnapshotSource> open(const Store& from) {
  auto source = SnapshotSource::open(from.state, from.log_database, kPartition, {kSubscriber});
  REQUIRE(source);
  return std::move(*source);
}

constexpr std::size_t kPieceBytes = 64;

/// False: a write failed, as it does when the node was killed.
Status install(const Store& from, Store& to, const std::function<void(SnapshotPiece&)>& change = {}) {
  const auto source = open(from);
  SnapshotTarget target(to.log_database, to.state, kPartition, source->head(), Epoch(7));
  if (const Status begun = target.begin(); !begun) return begun;
  while (!target.complete()) {
    auto piece = source->next(kPieceBytes);
    REQUIRE(piece);
    if (change) change(*piece);
    if (const Status taken = target.take(*piece); !taken) return taken;
  }
  return target.finish();
}

bool same(const std::vector<Row>& a, const std::vector<Row>& b) {
  return std::ranges::equal(a, b, [](const Row& x, const Row& y) { return x.key == y.key && x.value == y.value; });
}

}  // namespace

TEST_CASE("Snapshot: state, log from the slowest cursor, chain and epochs arrive; what was there is gone") {
  Store from, to;
  from.fill(kPartition, 40, 25, "new");
  REQUIRE(from.log.trim(kPartition, Seq(20)));
  to.fill(kPartition, 60, 1, "old");
  to.fill(kOther, 10, 1, "other");
  const auto other = to.rows(kOther);
  const std::size_t other_log = to.log_rows(kOther);
  REQUIRE(install(from, to));
  to.crash();
  CHECK(same(to.rows(kPartition), from.rows(kPartition)));
  CHECK(same(to.rows(kOther), other));
  CHECK(to.log_rows(kOther) == other_log);
  CHECK(to.log.bounds(kPartition).value() == std::pair(Seq(26), Seq(40)));
  const auto entries = to.log.read(kPartition, Seq(26), 1u << 20);
  REQUIRE(entries);
  CHECK(entries->size() == 15);
  CHECK(to.log.chain_at(kPartition, Seq(40)).value() == from.log.chain_at(kPartition, Seq(40)).value());
  const auto meta = to.log.meta(kPartition).value();
  CHECK(meta.promised_epoch() == 7);
  REQUIRE(meta.epoch_starts_size() == 1);
  CHECK(meta.epoch_starts(0).epoch() == 1);
  CHECK(discard_interrupted(to.log_database, to.state, 8).value().empty());
}

TEST_CASE("Snapshot: it is of one moment, whatever is written and trimmed while it is read") {
  Store from, to;
  from.fill(kPartition, 40, 25, "new");
  const auto before = from.rows(kPartition);
  const auto source = open(from);
  SnapshotTarget target(to.log_database, to.state, kPartition, source->head(), Epoch(1));
  REQUIRE(target.begin());
  bool first = true;
  while (!target.complete()) {
    const auto piece = source->next(kPieceBytes);
    REQUIRE(piece);
    REQUIRE(target.take(*piece));
    if (!std::exchange(first, false)) continue;
    REQUIRE(from.log.trim(kPartition, Seq(40)));
    const std::string key = keys::stored(kPartition, keys::name("n9")),
                      late = keys::stored(kPartition, keys::name("z"));
    Batch batch;
    batch.put(key, "changed");
    batch.put(late, "late");
    REQUIRE(from.state.write(batch, Durability::written));
  }
  REQUIRE(target.finish());
  CHECK(same(to.rows(kPartition), before));
  CHECK(to.log.bounds(kPartition).value() == std::pair(Seq(26), Seq(40)));
}

TEST_CASE("Snapshot: one whose cursors the log no longer reaches is not sent") {
  Store from;
  from.fill(kPartition, 40, 25, "new");
  REQUIRE(from.log.trim(kPartition, Seq(30)));
  const auto source = SnapshotSource::open(from.state, from.log_database, kPartition, {kSubscriber});
  REQUIRE_FALSE(source);
  CHECK(source.error().code == Errc::not_found);
  const auto empty = SnapshotSource::open(from.state, from.log_database, kOther, {kSubscriber});
  REQUIRE_FALSE(empty);
  CHECK(empty.error().code == Errc::not_found);
}

TEST_CASE("Snapshot: what is not as it was sent does not count, and can be discarded") {
  using Change = std::function<void(SnapshotPiece&)>;
  const std::vector<Change> changes = {
      [](SnapshotPiece& piece) { piece.checksum[0] ^= 1; },
      [](SnapshotPiece& piece) {
        if (!piece.rows.empty()) piece.rows.front().value += "x";
      },
      [](SnapshotPiece& piece) {
        if (!piece.entries.empty()) piece.entries.front().back() ^= 1;
      },
      [](SnapshotPiece& piece) {
        if (piece.last) piece.entries.pop_back();
      },
  };
  for (const Change& change : changes) {
    Store from, to;
    from.fill(kPartition, 40, 25, "new");
    to.fill(kPartition, 10, 1, "old");
    const Status installed = install(from, to, change);
    REQUIRE_FALSE(installed);
    CHECK(installed.error().code == Errc::corrupt);
    REQUIRE(discard_copy(to.log_database, to.state, kPartition));
    CHECK(to.rows(kPartition).empty());
    CHECK(to.log.bounds(kPartition).value() == std::pair(Seq(1), Seq(0)));
    CHECK(to.log.meta(kPartition).value().promised_epoch() == 1);
  }
}

TEST_CASE("Snapshot: killed at any write, a start finds the old copy, the new one, or nothing (J10, I13)") {
  for (const auto when : {WriteLimit::When::before, WriteLimit::When::after}) {
    for (const std::size_t survivors : {std::size_t{0}, std::size_t{3}, std::size_t{1000}}) {
      std::size_t old = 0, fresh = 0, empty = 0;
      for (std::uint64_t n = 1;; ++n) {
        Store from, to;
        from.fill(kPartition, 40, 25, "new");
        to.fill(kPartition, 10, 1, "old");
        to.fill(kOther, 10, 1, "other");
        const auto before = to.rows(kPartition), other = to.rows(kOther);
        const std::size_t other_log = to.log_rows(kOther);
        to.limit->set(n, when);
        const bool done(install(from, to));
        to.log_database.crash(survivors);
        to.state.crash(survivors);
        const auto discarded = discard_interrupted(to.log_database, to.state, 8);
        REQUIRE(discarded);
        const auto rows = to.rows(kPartition);
        const auto bounds = to.log.bounds(kPartition).value();
        if (rows.empty()) {
          ++empty;
          CHECK(discarded->size() == 1);
          CHECK(bounds == std::pair(Seq(1), Seq(0)));
        } else if (same(rows, before)) {
          ++old;
          CHECK(bounds == std::pair(Seq(1), Seq(10)));
        } else {
          ++fresh;
          CHECK(same(rows, from.rows(kPartition)));
          CHECK(bounds == std::pair(Seq(26), Seq(40)));
        }
        CHECK(to.log.meta(kPartition).value().promised_epoch() >= 1);
        CHECK(applied_seq(to.state, kPartition).value() == bounds.second);
        CHECK(same(to.rows(kOther), other));
        CHECK(to.log_rows(kOther) == other_log);
        if (done) break;
      }
      CHECK(empty > 3);
      CHECK(fresh >= 1);
      CHECK(old >= (when == WriteLimit::When::before ? 1 : 0));
    }
  }
}

TEST_CASE("Snapshot: killed at any write while it is discarded, a start discards it") {
  for (const auto when : {WriteLimit::When::before, WriteLimit::When::after}) {
    for (std::uint64_t n = 1;; ++n) {
      Store to;
      to.fill(kPartition, 10, 1, "old");
      to.limit->set(n, when);
      const bool done(discard_copy(to.log_database, to.state, kPartition));
      to.crash();
      REQUIRE(discard_interrupted(to.log_database, to.state, 8));
      if (n > 1 || when == WriteLimit::When::after) CHECK(to.rows(kPartition).empty());
      CHECK(to.log.meta(kPartition).value().promised_epoch() == 1);
      if (done) break;
    }
  }
}

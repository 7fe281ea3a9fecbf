#include "storage/group_commit.h"

#include <catch2/catch.hpp>

#include <future>
#include <map>

#include "storage/memory_database.h"
#include "tests/storage/entries.h"

using namespace holdfast;

namespace {

std::shared_ptr<const EncodedEntry> entry(std::uint16_t partition, std::uint64_t seq) {
  return std::make_shared<EncodedEntry>(encode_entry(PartitionId(partition), make_entry(seq), {}));
}

LogWrite write(std::uint16_t partition, std::uint64_t seq) {
  return {PartitionId(partition), seq, std::nullopt, {entry(partition, seq)}, std::nullopt};
}

/// Holds the committer in its first write until it is let go.
struct Gate {
  explicit Gate(MemoryDatabase& database) {
    database.on_write([this](const Batch*, Durability) {
      if (std::exchange(first_, false)) {
        reached.set_value();
        open.get_future().wait();
      }
    });
  }
  std::promise<void> reached;
  std::promise<void> open;

 private:
  bool first_ = true;
};

}  // namespace

TEST_CASE("GroupCommit: what is submitted during a commit goes into the next one, of all partitions together") {
  MemoryDatabase database;
  Gate gate(database);
  std::vector<std::vector<GroupCommit::Durable>> reported;
  {
    GroupCommit commit(database, [&](const auto& durable) { reported.push_back(durable); });
    commit.submit(write(0, 1));
    gate.reached.get_future().wait();
    for (std::uint16_t p = 1; p <= 5; ++p) commit.submit(write(p, 1));
    gate.open.set_value();
  }
  REQUIRE(reported.size() == 2);
  CHECK(reported[0].size() == 1);
  CHECK(reported[1].size() == 5);
}

TEST_CASE("GroupCommit: an entry is durable when it is reported") {
  MemoryDatabase database;
  std::size_t checked = 0;
  {
    GroupCommit commit(database, [&](const auto& durable) {
      for (const auto& [partition, ticket, seq] : durable) {
        CHECK(database.get_durable(entry(partition.value, seq.value)->key).value());
        ++checked;
      }
    });
    for (std::uint64_t seq = 1; seq <= 100; ++seq) commit.submit(write(3, seq));
  }
  CHECK(checked == 100);
}

TEST_CASE("GroupCommit: entries of a partition are reported in the order they were submitted") {
  MemoryDatabase database;
  std::map<PartitionId, Seq> last;
  {
    GroupCommit commit(database, [&](const auto& durable) {
      for (const auto& [partition, ticket, seq] : durable) {
        CHECK(seq == last[partition].next());
        CHECK(ticket == seq.value);
        last[partition] = seq;
      }
    });
    for (std::uint64_t seq = 1; seq <= 200; ++seq)
      for (std::uint16_t p = 0; p < 3; ++p) commit.submit(write(p, seq));
  }
  CHECK(last.size() == 3);
  CHECK(last[PartitionId(2)] == Seq(200));
}

TEST_CASE("GroupCommit: going, it commits what was submitted") {
  MemoryDatabase database;
  Gate gate(database);
  auto commit = std::make_unique<GroupCommit>(database, [](const auto&) {});
  commit->submit(write(0, 1));
  gate.reached.get_future().wait();
  commit->submit(write(0, 2));
  std::thread destroyer([&] { commit.reset(); });
  gate.open.set_value();
  destroyer.join();
  database.crash();
  CHECK(database.rows() == 2);
}

TEST_CASE("GroupCommit: after a write that failed nothing more is written or reported") {
  MemoryDatabase database;
  std::promise<void> failed;
  database.limit().on_reached([&] {
    database.limit().clear();  // writes would go through again
    failed.set_value();
  });
  database.set_write_limit(1);
  int reports = 0;
  {
    GroupCommit commit(database, [&](const auto&) { ++reports; });
    commit.submit(write(0, 1));
    failed.get_future().wait();
    commit.submit(write(0, 2));
  }
  CHECK(reports == 0);
  CHECK(database.rows() == 0);
}

TEST_CASE("GroupCommit: figures count commits, entries and bytes") {
  MemoryDatabase database;
  std::promise<void> done;
  GroupCommit commit(database, [&](const auto&) { done.set_value(); });
  const auto one = entry(0, 1);
  commit.submit(write(0, 1));
  done.get_future().wait();
  const auto figures = commit.figures();
  CHECK(figures.commits == 1);
  CHECK(figures.entries == 1);
  CHECK(figures.bytes == one->key.size() + one->value.size());
}

TEST_CASE("GroupCommit: what is cut off is gone with what replaces it, and nobody vouches for it before") {
  MemoryDatabase database;
  LogStore log(database);
  std::vector<std::pair<PartitionId, Seq>> lowered;
  {
    GroupCommit commit(
        database, [](const auto&) {},
        [&](PartitionId partition, Seq first) {
          lowered.emplace_back(partition, first);
        });
    for (std::uint64_t seq = 1; seq <= 3; ++seq) commit.submit(write(0, seq));
    LogWrite cut = write(0, 2);
    cut.cut = {Seq(2), Seq(3)};
    cut.promise.emplace().set_promised_epoch(7);
    commit.submit(std::move(cut));
  }
  CHECK(lowered == std::vector{std::pair(PartitionId(0), Seq(2))});
  CHECK(log.bounds(PartitionId(0)).value() == std::pair(Seq(1), Seq(2)));
  CHECK(log.meta(PartitionId(0)).value().promised_epoch() == 7);
}

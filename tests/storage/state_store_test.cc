#include "storage/state_store.h"

#include <catch2/catch.hpp>

#include <future>
#include <map>

#include "storage/memory_database.h"
#include "tests/storage/entries.h"

using namespace holdfast;

namespace {

constexpr PartitionId kPartition(3);

using Seqs = std::vector<std::pair<PartitionId, Seq>>;
const auto kIgnore = [](const Seqs&) {};

StateStoreOptions at_once() {
  StateStoreOptions options;
  options.gather_time = std::chrono::milliseconds(0);
  return options;
}
/// A turn that only a scan, the size or the end ends.
StateStoreOptions patient() {
  StateStoreOptions options;
  options.gather_time = std::chrono::hours(1);
  return options;
}

void apply(StateStore& store, log::Entry entry, std::size_t bytes = 100) {
  const Seq seq(entry.seq());
  store.apply(kPartition, seq, std::make_shared<log::Entry>(std::move(entry)), bytes);
}

Result<std::vector<Row>> scan(StateStore& store, Seq seq, Range range) {
  std::promise<Result<std::vector<Row>>> done;
  store.scan(kPartition, seq, std::move(range), [&](auto rows) { done.set_value(std::move(rows)); });
  return done.get_future().get();
}

Result<std::optional<std::string>> get(StateStore& store, std::string key) {
  std::promise<Result<std::optional<std::string>>> done;
  store.get(kPartition, std::move(key), [&](auto row) { done.set_value(std::move(row)); });
  return done.get_future().get();
}

}  // namespace

TEST_CASE("StateStore: a scan sees the entry it waits for, and its keys carry no partition") {
  MemoryDatabase state;
  StateStore store(state, patient(), kIgnore, kIgnore);
  for (std::uint64_t seq = 1; seq <= 20; ++seq) apply(store, make_entry(seq, {{keys::inbox(UserId(), seq), "v"}}));
  const auto rows = scan(store, Seq(20), {.from = keys::prefix(keys::Family::inbox), .until = ""});
  REQUIRE(rows);
  REQUIRE(rows->size() == 20);
  CHECK(rows->back().key == keys::inbox(UserId(), 20));
}

TEST_CASE("StateStore: a scan asked before its entry was handed over waits for it") {
  MemoryDatabase state;
  StateStore store(state, at_once(), kIgnore, kIgnore);
  std::promise<Result<std::vector<Row>>> done;
  store.scan(kPartition, Seq(2), {.from = keys::prefix(keys::Family::name), .until = ""},
             [&](auto rows) { done.set_value(std::move(rows)); });
  apply(store, make_entry(1, {{keys::name("a"), "1"}}));
  apply(store, make_entry(2, {{keys::name("b"), "2"}}));
  const auto rows = done.get_future().get();
  REQUIRE(rows);
  CHECK(rows->size() == 2);
}

TEST_CASE("StateStore: a scan whose entry never comes is answered when the store goes") {
  MemoryDatabase state;
  std::promise<Errc> answer;
  {
    StateStore store(state, at_once(), kIgnore, kIgnore);
    store.scan(kPartition, Seq(9), {}, [&](auto rows) { answer.set_value(rows.error().code); });
  }
  CHECK(answer.get_future().get() == Errc::retry_later);
}

TEST_CASE("StateStore: a row can be read once its entry is reported as applied") {
  MemoryDatabase state;
  std::promise<Seq> applied;
  StateStore store(state, at_once(), [&](const Seqs& seqs) { applied.set_value(seqs.at(0).second); }, kIgnore);
  apply(store, make_entry(1, {{keys::name("a"), "1"}}));
  CHECK(applied.get_future().get() == Seq(1));
  CHECK(store.get_in_memory(kPartition, keys::name("a")).value() == "1");
  CHECK(get(store, keys::name("a")).value() == "1");
  CHECK_FALSE(get(store, keys::name("b")).value());
  state.set_cold(true);
  CHECK(store.get_in_memory(kPartition, keys::name("a")).error().code == Errc::retry_later);
}

TEST_CASE("StateStore: entries of one turn are coalesced, and the lag is what is not applied yet") {
  MemoryDatabase state;
  StateStoreOptions options = patient();
  options.lag_bytes_max = 450;
  StateStore store(state, options, kIgnore, kIgnore);
  for (std::uint64_t seq = 1; seq <= 5; ++seq) {
    CHECK_FALSE(store.lagging());
    apply(store, make_entry(seq, {{keys::name("a"), std::to_string(seq)}}));
  }
  CHECK(store.lagging());
  CHECK(store.lag_bytes() == 500);
  REQUIRE(scan(store, Seq(5), {}));  // ends the turn
  CHECK(store.lag_bytes() == 0);
  CHECK_FALSE(store.lagging());
  const StateStoreFigures figures = store.figures();
  CHECK(figures.entries == 5);
  CHECK(figures.writes == 5);
  CHECK(figures.rows_written == 1);
}

TEST_CASE("StateStore: what is reported as flushed survives a crash, and going flushes everything") {
  MemoryDatabase state;
  std::map<PartitionId, Seq> flushed;
  StateStoreOptions options = at_once();
  options.flush_bytes = 1'000;
  {
    StateStore store(state, options, kIgnore, [&](const Seqs& seqs) {
      for (const auto& [partition, seq] : seqs) {
        CHECK(applied_seq(state, partition, true).value() >= seq);
        flushed[partition] = seq;
      }
    });
    for (std::uint64_t seq = 1; seq <= 100; ++seq) apply(store, make_entry(seq, {{keys::name("a"), "v"}}));
  }
  CHECK(flushed[kPartition] == Seq(100));
  state.crash();
  CHECK(applied_seq(state, kPartition).value() == Seq(100));
}

TEST_CASE("StateStore: beyond the bound of reads under way, one is told to come again") {
  MemoryDatabase state;
  StateStoreOptions options = at_once();
  options.reads_waiting_max = 0;
  StateStore store(state, options, kIgnore, kIgnore);
  CHECK(get(store, keys::name("a")).error().code == Errc::retry_later);
  CHECK(scan(store, Seq(0), {}).error().code == Errc::retry_later);
}

TEST_CASE("StateStore: after a write that failed nothing more is applied or reported") {
  MemoryDatabase state;
  std::promise<void> failed;
  state.limit().on_reached([&] {
    state.limit().clear();  // writes would go through again
    failed.set_value();
  });
  state.set_write_limit(1);
  int reports = 0;
  {
    StateStore store(state, at_once(), [&](const Seqs&) { ++reports; }, [&](const Seqs&) { ++reports; });
    apply(store, make_entry(1, {{keys::name("a"), "v"}}));
    failed.get_future().wait();
    apply(store, make_entry(2, {{keys::name("a"), "v"}}));
  }
  CHECK(reports == 0);
  CHECK(state.rows() == 0);
}

TEST_CASE("StateStore: entries of many partitions and threads are all applied") {
  MemoryDatabase state;
  {
    StateStore store(state, at_once(), kIgnore, kIgnore);
    std::vector<std::thread> threads;
    for (std::uint16_t p = 0; p < 4; ++p)
      threads.emplace_back([&store, p] {
        for (std::uint64_t seq = 1; seq <= 500; ++seq) {
          const auto entry = std::make_shared<log::Entry>(make_entry(seq, {{keys::inbox(UserId(), seq), "v"}}));
          store.apply(PartitionId(p), Seq(seq), entry, 50);
        }
      });
    for (std::thread& thread : threads) thread.join();
  }
  for (std::uint16_t p = 0; p < 4; ++p) CHECK(applied_seq(state, PartitionId(p)).value() == Seq(500));
  CHECK(state.rows() == 4 * 501);
}

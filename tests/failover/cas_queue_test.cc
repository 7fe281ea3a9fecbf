#include "failover/cas_queue.h"

#include <catch2/catch.hpp>

namespace holdfast::failover {
namespace {

RowChange change(int partition, std::uint64_t compared, std::uint64_t epoch = 2, std::vector<Compare> also = {}) {
  log::PartitionConfig config;
  config.set_epoch(epoch);
  RowChange change;
  change.key = "part/" + std::to_string(partition);
  change.compared = compared;
  change.value = config;
  change.also = std::move(also);
  return change;
}

/// The least of a store.
struct Store {
  ConfigRows rows;
  bool apply(const Transaction& transaction) {
    for (const Compare& compare : transaction.compares) {
      const auto row = rows.rows.find(compare.key);
      if ((row == rows.rows.end() ? 0 : row->second.revision) != compare.revision) return false;
    }
    ++rows.revision;
    for (const auto& [key, value] : transaction.puts) rows.rows[key] = {value, rows.revision};
    return true;
  }
};

/// Answers everything truthfully until nothing is sent any more; returns how many transactions it took.
int drive(CasQueue& queue, Store& store) {
  int transactions = 0;
  for (auto sent = queue.take_submissions(); !sent.empty(); sent = queue.take_submissions()) {
    for (const Submission& submission : sent) {
      ++transactions;
      queue.done(submission.ticket, store.apply(submission.transaction) ? Outcome::applied : Outcome::refused);
    }
  }
  queue.listing_begun();
  queue.listed(store.rows);
  return transactions;
}

std::map<std::string, Outcome> settled(CasQueue& queue) {
  std::map<std::string, Outcome> all;
  for (const Settled& one : queue.take_settled()) all[one.change.key] = one.outcome;
  return all;
}

TEST_CASE("CasQueue: many changes share transactions of at most a hundred operations") {
  CasQueue queue({}, 1);
  Store store;
  for (int p = 0; p < 64; ++p) REQUIRE(queue.add(change(p, 0, 2, {{"coord", 0}, {"node/1", 0}})));
  const auto sent = queue.take_submissions();
  REQUIRE(sent.size() == 2);
  std::size_t puts = 0;
  for (const Submission& submission : sent) {
    CHECK(submission.transaction.compares.size() + submission.transaction.puts.size() <= 100);
    puts += submission.transaction.puts.size();
    queue.done(submission.ticket, store.apply(submission.transaction) ? Outcome::applied : Outcome::refused);
  }
  CHECK(puts == 64);
  CHECK(queue.wants_listing());
  CHECK(settled(queue).empty());  // not before a listing that began after the answer
  queue.listing_begun();
  queue.listed(store.rows);
  CHECK(settled(queue).size() == 64);
  CHECK(queue.idle());
}

TEST_CASE("CasQueue: a refused transaction is split until only the stale changes are refused") {
  CasQueue queue({}, 1);
  Store store;
  store.rows.rows["part/5"] = {"", 77};
  store.rows.rows["part/30"] = {"", 78};
  store.rows.revision = 80;
  for (int p = 0; p < 40; ++p) REQUIRE(queue.add(change(p, 0)));
  const int transactions = drive(queue, store);
  CHECK(transactions < 30);
  const auto all = settled(queue);
  REQUIRE(all.size() == 40);
  for (const auto& [key, outcome] : all)
    CHECK(outcome == (key == "part/5" || key == "part/30" ? Outcome::refused : Outcome::applied));
}

TEST_CASE("CasQueue: one change of a row at a time") {
  CasQueue queue({}, 1);
  Store store;
  CHECK(queue.add(change(1, 0)));
  CHECK_FALSE(queue.add(change(1, 0)));
  drive(queue, store);
  CHECK(queue.add(change(1, 1)));
}

TEST_CASE(
    "CasQueue: an unknown outcome is told, looked up by its nonce, and the write repeated while nothing moved (2.6)") {
  CasQueue queue({}, 1);
  Store store;
  store.rows.rows["part/1"] = {"", 5};
  store.rows.revision = 5;
  REQUIRE(queue.add(change(1, 5)));
  const auto first = queue.take_submissions();
  queue.done(first[0].ticket, Outcome::unknown);
  CHECK(settled(queue) == std::map<std::string, Outcome>{{"part/1", Outcome::unknown}});
  queue.listing_begun();
  queue.listed(store.rows);  // the old revision proves nothing
  CHECK(settled(queue).empty());
  const auto second = queue.take_submissions();
  REQUIRE(second.size() == 1);
  CHECK(second[0].transaction.puts == first[0].transaction.puts);
  CHECK(store.apply(first[0].transaction));  // the first comes through after all
  CHECK_FALSE(store.apply(second[0].transaction));
  queue.done(second[0].ticket, Outcome::refused);
  queue.listing_begun();
  queue.listed(store.rows);
  CHECK(settled(queue) == std::map<std::string, Outcome>{{"part/1", Outcome::applied}});
}

TEST_CASE("CasQueue: after an unknown outcome `refused` is said only once the revision moved (T2)") {
  CasQueue queue({}, 1);
  Store store;
  log::PartitionConfig old;
  old.set_epoch(1);
  store.rows.rows["part/1"] = {old.SerializeAsString(), 5};
  store.rows.rows["node/2"] = {"", 3};
  store.rows.revision = 5;
  REQUIRE(queue.add(change(1, 5, 1, {{"node/2", 3}})));
  const auto first = queue.take_submissions();
  queue.done(first[0].ticket, Outcome::unknown);
  settled(queue);
  store.rows.rows.erase("node/2");  // what it also compared is gone: a repetition is refused
  ++store.rows.revision;
  queue.listing_begun();
  queue.listed(store.rows);
  const auto second = queue.take_submissions();
  CHECK_FALSE(store.apply(second[0].transaction));
  queue.done(second[0].ticket, Outcome::refused);
  queue.listing_begun();
  queue.listed(store.rows);
  CHECK(settled(queue).empty());  // the first may still be under way
  const auto third = queue.take_submissions();
  REQUIRE(third.size() == 1);
  CHECK(store.apply(third[0].transaction));
  CHECK_FALSE(store.apply(first[0].transaction));
  queue.done(third[0].ticket, Outcome::applied);
  queue.listing_begun();
  queue.listed(store.rows);
  CHECK(settled(queue) == std::map<std::string, Outcome>{{"part/1", Outcome::refused}});
  log::PartitionConfig now;
  REQUIRE(now.ParseFromString(store.rows.rows.at("part/1").value));
  CHECK(now.epoch() == 1);
}

}  // namespace
}  // namespace holdfast::failover

#include "server/recovery.h"

#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "storage/memory_database.h"
#include "storage/state_store.h"

namespace holdfast {
namespace {

const WallTime kNow = from_ms(1'700'000'000'000);
const failover::Member kSelf{NodeId(1), StoreId({1})};
constexpr std::chrono::hours kDay{24};

struct Disk {
  MemoryDatabase log_database, state;
  LogStore log{log_database};
  failover::EmbeddedConfigStore config{log};
  SeededRandom random{1};
  Hash32 chain{};

  void append(PartitionId partition, std::uint64_t seq, std::uint64_t epoch, WallTime time = kNow) {
    log::Entry entry;
    entry.set_seq(seq);
    entry.set_epoch(epoch);
    entry.set_time_ms(to_ms(time));
    log::Write& write = *entry.add_writes();
    write.set_key(keys::name("n" + std::to_string(seq)));
    write.set_put("value");
    const EncodedEntry encoded = encode_entry(partition, entry, chain);
    chain = encoded.chain;
    Batch batch;
    batch.put(encoded.key, encoded.value);
    REQUIRE(log_database.write(batch, Durability::synced));
  }
  Result<std::vector<RecoveredPartition>> recover(WallTime now = kNow, bool allow_jump = false) {
    return recover_partitions(log, state, 2, Replay::everything, now, kDay, allow_jump);
  }
  Result<std::vector<Epoch>> take(const failover::Member& self = kSelf) {
    const auto recovered = recover();
    REQUIRE(recovered);
    const auto rows = take_epochs(config, *recovered, self);
    if (!rows) return rows.error();
    std::vector<Epoch> epochs;
    for (const auto& row : *rows) epochs.emplace_back(row.config.epoch());
    return epochs;
  }
};

TEST_CASE("Recovery: an empty disk gives empty partitions, led in epoch 1") {
  Disk disk;
  const auto recovered = disk.recover();
  REQUIRE(recovered);
  CHECK(recovered->size() == 2);
  CHECK((*recovered)[1].log.last_seq == Seq(0));
  CHECK(*disk.take() == std::vector{Epoch(1), Epoch(1)});
}

TEST_CASE("Recovery: every start leads a new epoch, whatever became of the one before (F7, I1)") {
  Disk disk;
  for (std::uint64_t start = 1; start <= 3; ++start) {
    CHECK(*disk.take() == std::vector{Epoch(start), Epoch(start)});
    disk.log_database.crash();
  }
}

TEST_CASE("Recovery: among others, what the state lacks is kept and not applied (F6, I11)") {
  Disk disk;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) disk.append(PartitionId(0), seq, 4);
  const auto recovered = recover_partitions(disk.log, disk.state, 1, Replay::nothing, kNow, kDay, false);
  REQUIRE(recovered);
  const failover::Recovered& log = recovered->at(0).log;
  CHECK(log.last_seq == Seq(3));
  REQUIRE(log.tail.size() == 3);
  CHECK(log.tail[2].entry->seq() == 3);
  CHECK(log.tail[2].encoded->chain == disk.chain);
  CHECK(log.promised == Epoch(4));
  CHECK_FALSE(disk.state.get(keys::stored(PartitionId(0), keys::name("n3")))->has_value());
}

TEST_CASE("Recovery: what the state lacks is replayed from the log, and the end of the log is known") {
  Disk disk;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) disk.append(PartitionId(1), seq, 4, kNow + std::chrono::seconds(seq));
  const auto recovered = disk.recover();
  REQUIRE(recovered);
  const RecoveredPartition& one = (*recovered)[1];
  CHECK(one.replayed == 3);
  CHECK(one.log.last_seq == Seq(3));
  CHECK(one.log.last_epoch == Epoch(4));
  CHECK(one.log.last_chain == disk.chain);
  CHECK(one.log.last_time == kNow + std::chrono::seconds(3));
  CHECK(disk.state.get(keys::stored(PartitionId(1), keys::name("n3")))->value() == "value");
  CHECK(disk.recover()->at(1).replayed == 0);
}

TEST_CASE("Recovery: a log that ends before the state is not believed, and nothing is deleted (J1, I13)") {
  Disk disk;
  disk.append(PartitionId(0), 1, 1);
  Batch batch;
  const std::string key = keys::stored(PartitionId(0), keys::applied()), value(std::string(7, '\0') + '\x09');
  batch.put(key, value);
  REQUIRE(disk.state.write(batch, Durability::synced));
  const auto rows = disk.state.rows();
  const auto recovered = disk.recover();
  REQUIRE_FALSE(recovered);
  CHECK(recovered.error().code == Errc::corrupt);
  CHECK(recovered.error().message.find("ends at entry 1") != std::string::npos);
  CHECK(recovered.error().message.find("9") != std::string::npos);
  CHECK(disk.state.rows() == rows);
}

TEST_CASE("Recovery: an entry that is missing or changed in the middle stops the start (J2, I3)") {
  Disk disk;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) disk.append(PartitionId(0), seq, 1);
  log::Entry entry;
  entry.set_seq(2);
  EncodedEntry encoded = encode_entry(PartitionId(0), entry, {});
  Batch batch;
  SECTION("missing") { batch.remove(encoded.key); }
  SECTION("changed") { batch.put(encoded.key, encoded.value); }
  REQUIRE(disk.log_database.write(batch, Durability::synced));
  const auto recovered = disk.recover();
  REQUIRE_FALSE(recovered);
  CHECK(recovered.error().code == Errc::corrupt);
  CHECK(recovered.error().message.find("2") != std::string::npos);
}

TEST_CASE("Recovery: a newest entry whose bits have changed stops the start, though the state has it already (J2)") {
  Disk disk;
  for (std::uint64_t seq = 1; seq <= 2; ++seq) disk.append(PartitionId(0), seq, 1);
  REQUIRE(disk.recover());
  const std::string key = LogStore::entry_key(PartitionId(0), Seq(2));
  std::string value = **disk.log_database.get(key);
  SECTION("in its chain value") { value[3] = static_cast<char>(value[3] ^ 4); }
  SECTION("in its content") { value.back() = static_cast<char>(value.back() ^ 4); }
  disk.log_database.replace_silently(key, value);
  const auto recovered = disk.recover();
  REQUIRE_FALSE(recovered);
  CHECK(recovered.error().code == Errc::corrupt);
  CHECK(recovered.error().message.find("entry 2") != std::string::npos);
}

TEST_CASE("Recovery: a clock that went back by more than a day stops the start, unless that is wanted") {
  Disk disk;
  disk.append(PartitionId(0), 1, 1, kNow + kDay + std::chrono::seconds(1));
  const auto recovered = disk.recover();
  REQUIRE_FALSE(recovered);
  CHECK(recovered.error().code == Errc::invalid_argument);
  CHECK(recovered.error().message.find("allow_clock_jump") != std::string::npos);
  CHECK(disk.recover(kNow, true));
  CHECK(disk.recover(kNow + std::chrono::seconds(1)));
}

TEST_CASE("Recovery: data of another store, or of a later epoch than the configuration knows, is not led (I12)") {
  Disk disk;
  REQUIRE(disk.take());
  const auto other = disk.take({NodeId(1), StoreId({2})});
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::invalid_argument);
  disk.append(PartitionId(0), 1, 7);
  const auto later = disk.take();
  REQUIRE_FALSE(later);
  CHECK(later.error().code == Errc::corrupt);
}

TEST_CASE("Recovery: the number of partitions is fixed when the data is made") {
  Disk disk;
  const auto made = load_settings(disk.config, 64, disk.random);
  REQUIRE(made);
  CHECK(made->cluster_uuid.size() == 32);
  const auto again = load_settings(disk.config, 64, disk.random);
  CHECK(again->cluster_uuid == made->cluster_uuid);
  const auto other = load_settings(disk.config, 32, disk.random);
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::invalid_argument);
  CHECK(other.error().message.find("partitions = 64") != std::string::npos);
}

TEST_CASE("Recovery: token keys are made once, and a rotated set is found after a crash") {
  Disk disk;
  const auto first = load_token_keys(disk.config, kNow, disk.random);
  REQUIRE(first);
  const auto rotated = first->rotated(kNow, kDay, disk.random);
  REQUIRE(store_token_keys(disk.config, rotated));
  disk.log_database.crash();
  const auto found = load_token_keys(disk.config, kNow, disk.random);
  REQUIRE(found);
  CHECK(found->newest().id == rotated.newest().id);
  CHECK(found->find(first->newest().id) != nullptr);
}

}  // namespace
}  // namespace holdfast

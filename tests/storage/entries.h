/// Log entries for tests of the storage.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/keys.h"
#include "storage/log_store.h"

namespace holdfast {

inline log::Entry make_entry(std::uint64_t seq, const std::vector<std::pair<std::string, std::string>>& puts = {}) {
  log::Entry entry;
  entry.set_epoch(1);
  entry.set_seq(seq);
  entry.set_time_ms(1'000 + static_cast<std::int64_t>(seq));
  for (const auto& [key, value] : puts) {
    log::Write& write = *entry.add_writes();
    write.set_key(key);
    write.set_put(value);
  }
  return entry;
}

inline void add_remove(log::Entry& entry, std::string_view key) {
  log::Write& write = *entry.add_writes();
  write.set_key(std::string(key));
  write.set_remove(true);
}

inline void add_remove_range(log::Entry& entry, std::string_view from, std::string_view until) {
  log::Write& write = *entry.add_writes();
  write.set_key(std::string(from));
  write.set_remove_until(std::string(until));
}

/// Writes entries one behind the other, as a committer would.
class LogWriter {
 public:
  LogWriter(Database& database, PartitionId partition) : database_(database), partition_(partition) {}

  void append(const log::Entry& entry) {
    const EncodedEntry encoded = encode_entry(partition_, entry, chain_);
    chain_ = encoded.chain;
    Batch batch;
    batch.put(encoded.key, encoded.value);
    HF_CHECK(database_.write(batch, Durability::synced), "the log takes an entry");
  }
  void append_many(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t seq = from; seq <= to; ++seq)
      append(make_entry(seq, {{keys::name("n" + std::to_string(seq)), "v" + std::to_string(seq)}}));
  }

 private:
  Database& database_;
  const PartitionId partition_;
  Hash32 chain_{};
};

}  // namespace holdfast

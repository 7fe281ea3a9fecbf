#include "storage/rocksdb_options.h"

#include <algorithm>

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/statistics.h>
#include <rocksdb/table.h>

#include "storage/keys.h"

namespace holdfast {
namespace {

constexpr int kLogFiles = 16;  // of 64 MiB

/// Tells the memtable which keys grow behind one another. Never stored in files, so it may change at any time.
class GrowingPrefix final : public rocksdb::SliceTransform {
 public:
  explicit GrowingPrefix(RocksProfile profile) : profile_(profile) {}
  const char* Name() const override { return "holdfast.GrowingPrefix"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override { return {key.data(), bytes(key)}; }
  bool InDomain(const rocksdb::Slice& key) const override { return bytes(key) > 0; }

 private:
  std::size_t bytes(const rocksdb::Slice& key) const { return hinted_prefix_bytes(profile_, {key.data(), key.size()}); }

  const RocksProfile profile_;
};

rocksdb::CompressionType best_compression() {
  const auto supported = rocksdb::GetSupportedCompressions();
  for (const auto type : {rocksdb::kLZ4Compression, rocksdb::kZSTD})
    if (std::find(supported.begin(), supported.end(), type) != supported.end()) return type;
  return rocksdb::kNoCompression;
}

rocksdb::BlockBasedTableOptions table_options(const std::shared_ptr<rocksdb::Cache>& block_cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = block_cache;
  table.block_size = 16u << 10;  // ranges of an inbox or a conversation are read in one go
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;  // so that memory has one bound, whatever the state grows to
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  return table;
}

void tune_durability(rocksdb::Options& to) {
  to.paranoid_checks = true;
  to.track_and_verify_wals_in_manifest = true;  // a log file that is gone, or shorter than what was synced, is noticed
  // A torn record at the end is a write nobody was told of; kAbsoluteConsistency would refuse that too, and
  // kPointInTimeRecovery would silently drop everything behind a damaged one.
  to.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  to.max_bgerror_resume_count = 0;  // a failed sync is never tried again
  to.avoid_flush_during_shutdown = true;
}

}  // namespace

std::size_t hinted_prefix_bytes(RocksProfile profile, std::string_view key) {
  constexpr std::size_t kPrefix = keys::kPartitionBytes + 1;
  if (profile == RocksProfile::state) {
    if (const std::size_t growing = keys::growing_prefix_bytes(key)) return growing;
    const bool ends_with_ids = key.size() == kPrefix + 16 || key.size() == kPrefix + 32;
    return ends_with_ids ? kPrefix : 0;  // StateBatch writes these in the order of their keys
  }
  // An entry: partition and 'e', then the sequence.
  return key.size() == kPrefix + 8 && key[keys::kPartitionBytes] == 'e' ? kPrefix : 0;
}

rocksdb::Options rocksdb_options(const RocksOptions& from, const std::shared_ptr<rocksdb::Cache>& block_cache) {
  rocksdb::Options to;
  to.create_if_missing = true;
  tune_durability(to);

  to.write_buffer_size = from.write_buffer_bytes;
  to.max_write_buffer_number = 4;
  to.max_background_jobs = 2;
  to.bytes_per_sync = 1u << 20;  // table files trickle out: a burst at their end would hold up the log's syncs
  to.max_open_files = -1;        // a table that has to be opened first would make get_in_memory() wait
  to.level_compaction_dynamic_level_bytes = true;
  to.compression = best_compression();
  to.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(block_cache)));

  // There is one writer at a time; hints are used only when memtable writes are not concurrent.
  to.allow_concurrent_memtable_write = false;
  if (from.hint_appends) to.memtable_insert_with_hint_prefix_extractor = std::make_shared<GrowingPrefix>(from.profile);
  if (from.profile == RocksProfile::log) {
    // Entries are trimmed soon: neither compressing them nor merging their files would pay. At the bound of the log's
    // size there are about this many files, and one compaction drops what was trimmed.
    to.compression = rocksdb::kNoCompression;
    to.level0_file_num_compaction_trigger = kLogFiles;
    to.level0_slowdown_writes_trigger = 3 * kLogFiles;
    to.level0_stop_writes_trigger = 4 * kLogFiles;
  }
  if (from.profile == RocksProfile::state) {
    // A file of the first level is some 30 MB here, since the state is flushed by bytes of log: merging every fourth was
    // a tenth of the server's processor time. Look-ups in eight cost little more, for their filters stay in memory.
    to.level0_file_num_compaction_trigger = 8;
    to.memtable_prefix_bloom_size_ratio = 0.02;  // most look-ups are for rows that are not there (new message ids)
    to.memtable_whole_key_filtering = true;
  }

  to.statistics = rocksdb::CreateDBStatistics();
  to.statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
  to.stats_dump_period_sec = 0;
  to.stats_persist_period_sec = 0;
  to.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  to.keep_log_file_num = 4;
  return to;
}

}  // namespace holdfast

#include "storage/rocksdb_database.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/statistics.h>
#include <rocksdb/write_batch.h>

#include "storage/rocksdb_options.h"

namespace holdfast {
namespace {

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string string_of(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

Error translate(const rocksdb::Status& status, const std::string& path) {
  const std::string message = path + ": " + status.ToString();
  if (status.IsIncomplete()) return Error{Errc::retry_later, message};
  if (status.IsCorruption()) return Error{Errc::corrupt, message};
  if (status.IsNoSpace()) return Error{Errc::storage_full, message};
  return Error{Errc::io, message};
}

Error translate_open(const rocksdb::Status& status, const std::string& path) {
  // RocksDB has no code of its own for this; both messages name the lock file ("While lock file: <path>/LOCK: ...",
  // "lock hold by current process, ... <path>/LOCK: ...").
  if (status.IsIOError() && status.ToString().find("/LOCK:") != std::string::npos)
    return Error{Errc::in_use, "the database " + path + " is open in another process (" + status.ToString() + ")"};
  if (status.IsCorruption())
    return Error{Errc::corrupt, "the database " + path + " is damaged and was not opened: " + status.ToString()};
  return translate(status, path);
}

void exit_process(const std::string& why) {
  std::fprintf(stderr, "storage failed, ending the process: %s\n", why.c_str());
  std::fflush(stderr);
  ::_exit(70);
}

rocksdb::Status add_range(rocksdb::WriteBatch& out, RocksProfile profile, std::string_view from,
                          std::string_view until) {
  HF_CHECK(!until.empty(), "a range that is removed has an end");
  if (from >= until) return rocksdb::Status::OK();
  if (hinted_prefix_bytes(profile, from) == 0) return out.DeleteRange(slice(from), slice(until));
  std::string next(from);  // see hinted_prefix_bytes()
  next.push_back('\0');
  const rocksdb::Status status = out.Delete(slice(from));
  return status.ok() && next < until ? out.DeleteRange(slice(next), slice(until)) : status;
}

rocksdb::WriteBatch make_write_batch(RocksProfile profile, const Batch& batch) {
  constexpr std::size_t kHeader = 12;
  constexpr std::size_t kPerOp = 12;
  std::size_t bytes = kHeader;
  for (const BatchOp& op : batch.ops()) bytes += kPerOp + op.key.size() + op.value.size();
  rocksdb::WriteBatch out(bytes);
  for (const BatchOp& op : batch.ops()) {
    rocksdb::Status status;
    switch (op.kind) {
      case BatchOp::Kind::put: status = out.Put(slice(op.key), slice(op.value)); break;
      case BatchOp::Kind::remove: status = out.Delete(slice(op.key)); break;
      case BatchOp::Kind::remove_range: status = add_range(out, profile, op.key, op.value); break;
    }
    HF_CHECK(status.ok(), "a batch in memory takes every operation");
  }
  return out;
}

/// What fails on RocksDB's own threads (flushes, compactions) is told here only.
class BackgroundErrors final : public rocksdb::EventListener {
 public:
  explicit BackgroundErrors(std::function<void(const std::string&)> on_failure) : on_failure_(std::move(on_failure)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    on_failure_("in the background: " + status->ToString());
  }

 private:
  const std::function<void(const std::string&)> on_failure_;
};

Result<std::optional<std::string>> get_row(rocksdb::DB& db, const rocksdb::ReadOptions& how, std::string_view key,
                                           const std::string& path) {
  std::string value;
  const rocksdb::Status status = db.Get(how, slice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return translate(status, path);
  return std::optional<std::string>(std::move(value));
}

Result<std::vector<Row>> scan_rows(rocksdb::DB& db, rocksdb::ReadOptions how, const Range& range,
                                   const std::string& path) {
  std::vector<Row> rows;
  if (!range.until.empty() && range.from >= range.until) return rows;
  const rocksdb::Slice from = slice(range.from);
  const rocksdb::Slice until = slice(range.until);
  how.iterate_lower_bound = &from;
  if (!range.until.empty()) how.iterate_upper_bound = &until;
  const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator(how));
  std::size_t bytes = 0;
  range.backward ? at->SeekToLast() : at->SeekToFirst();
  while (at->Valid() && rows.size() < range.limit && (rows.empty() || bytes < range.bytes_max)) {
    rows.push_back({string_of(at->key()), string_of(at->value())});
    bytes += at->key().size() + at->value().size();
    range.backward ? at->Prev() : at->Next();
  }
  if (!at->status().ok()) return translate(at->status(), path);
  return rows;
}

class RocksView final : public DatabaseView {
 public:
  RocksView(rocksdb::DB& db, std::string path) : db_(db), path_(std::move(path)), snapshot_(db.GetSnapshot()) {}
  ~RocksView() override { db_.ReleaseSnapshot(snapshot_); }
  RocksView(const RocksView&) = delete;
  RocksView& operator=(const RocksView&) = delete;
  Result<std::optional<std::string>> get(std::string_view key) const override {
    return get_row(db_, how(), key, path_);
  }
  Result<std::vector<Row>> scan(const Range& range) const override { return scan_rows(db_, how(), range, path_); }

 private:
  rocksdb::ReadOptions how() const {
    rocksdb::ReadOptions how;
    how.snapshot = snapshot_;
    how.fill_cache = false;  // who reads everything once is not to push out what is read often
    return how;
  }
  rocksdb::DB& db_;
  const std::string path_;
  const rocksdb::Snapshot* const snapshot_;
};

class RocksDatabaseImpl final : public RocksDatabase {
 public:
  static Result<std::unique_ptr<RocksDatabase>> open(const RocksOptions& options);

  Status write(const Batch& batch, Durability durability) override;
  Result<std::optional<std::string>> get(std::string_view key) const override {
    return get_from(rocksdb::kReadAllTier, key);
  }
  Result<std::optional<std::string>> get_in_memory(std::string_view key) const override {
    return get_from(rocksdb::kBlockCacheTier, key);
  }
  Result<std::optional<std::string>> get_durable(std::string_view key) const override {
    return get_from(rocksdb::kPersistedTier, key);
  }
  Result<std::vector<Row>> scan(const Range& range) const override;
  std::unique_ptr<DatabaseView> view() const override { return std::make_unique<RocksView>(*db_, path_); }
  Status flush() override;
  DatabaseFigures figures() const override;

 private:
  explicit RocksDatabaseImpl(const RocksOptions& options)
      : path_(options.path),
        profile_(options.profile),
        on_failure_(options.on_sync_failure ? options.on_sync_failure : exit_process) {}

  Result<std::optional<std::string>> get_from(rocksdb::ReadTier tier, std::string_view key) const;
  Status written(const rocksdb::Status& status, const char* what);
  std::uint64_t property(const char* name) const;

  const std::string path_;
  const RocksProfile profile_;
  const std::function<void(const std::string&)> on_failure_;
  std::unique_ptr<rocksdb::Env> env_;  // outlives db_
  std::shared_ptr<rocksdb::Cache> block_cache_;
  std::shared_ptr<rocksdb::Statistics> statistics_;
  std::unique_ptr<rocksdb::DB> db_;
};

Result<std::unique_ptr<RocksDatabase>> RocksDatabaseImpl::open(const RocksOptions& options) {
  std::unique_ptr<RocksDatabaseImpl> made(new RocksDatabaseImpl(options));
  made->block_cache_ = rocksdb::NewLRUCache(options.block_cache_bytes, -1, false, 0.3);
  rocksdb::Options tuned = rocksdb_options(options, made->block_cache_);
  made->statistics_ = tuned.statistics;
  tuned.listeners.push_back(std::make_shared<BackgroundErrors>(
      [path = options.path, fail = made->on_failure_](const std::string& why) { fail(path + ": " + why); }));
  if (options.file_system) {
    made->env_ = rocksdb::NewCompositeEnv(options.file_system);
    tuned.env = made->env_.get();
  }
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(tuned, options.path, &db);
  if (!status.ok()) return translate_open(status, options.path);
  made->db_.reset(db);
  return std::unique_ptr<RocksDatabase>(std::move(made));
}

Status RocksDatabaseImpl::write(const Batch& batch, Durability durability) {
  rocksdb::WriteBatch native = make_write_batch(profile_, batch);
  rocksdb::WriteOptions how;
  how.disableWAL = profile_ == RocksProfile::state;
  how.sync = !how.disableWAL && durability == Durability::synced;
  auto result = written(db_->Write(how, &native), "write");
  if (result && how.disableWAL && durability == Durability::synced) return flush();
  return result;
}

Status RocksDatabaseImpl::flush() {
  if (profile_ == RocksProfile::log) return written(db_->SyncWAL(), "sync");
  rocksdb::FlushOptions how;
  how.wait = true;
  how.allow_write_stall = true;  // waiting for room first would let what is to be flushed grow
  return written(db_->Flush(how), "flush");
}

Status RocksDatabaseImpl::written(const rocksdb::Status& status, const char* what) {
  if (status.ok()) return Ok{};
  on_failure_(path_ + ": " + what + " failed: " + status.ToString());
  return translate(status, path_);
}

Result<std::optional<std::string>> RocksDatabaseImpl::get_from(rocksdb::ReadTier tier, std::string_view key) const {
  rocksdb::ReadOptions how;
  how.read_tier = tier;
  return get_row(*db_, how, key, path_);
}

Result<std::vector<Row>> RocksDatabaseImpl::scan(const Range& range) const {
  return scan_rows(*db_, rocksdb::ReadOptions(), range, path_);
}

std::uint64_t RocksDatabaseImpl::property(const char* name) const {
  std::uint64_t value = 0;
  return db_->GetIntProperty(name, &value) ? value : 0;
}

DatabaseFigures RocksDatabaseImpl::figures() const {
  return {.wal_bytes = statistics_->getTickerCount(rocksdb::WAL_FILE_BYTES),
          .flush_bytes = statistics_->getTickerCount(rocksdb::FLUSH_WRITE_BYTES),
          .compaction_bytes = statistics_->getTickerCount(rocksdb::COMPACT_WRITE_BYTES),
          .wal_syncs = statistics_->getTickerCount(rocksdb::WAL_FILE_SYNCED),
          .memtable_bytes = property("rocksdb.cur-size-all-mem-tables"),
          .block_cache_bytes = block_cache_->GetUsage(),
          .files_bytes = property("rocksdb.live-sst-files-size")};
}

}  // namespace

Result<std::unique_ptr<RocksDatabase>> open_rocksdb_with_figures(const RocksOptions& options) {
  return RocksDatabaseImpl::open(options);
}

Result<std::unique_ptr<Database>> open_rocksdb(const RocksOptions& options) {
  auto opened = RocksDatabaseImpl::open(options);
  if (!opened) return opened.error();
  return std::unique_ptr<Database>(std::move(*opened));
}

}  // namespace holdfast

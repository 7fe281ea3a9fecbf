#include "tools/holdfastctl/restore.h"

#include <algorithm>

#include "base/hash.h"
#include "failover/cluster_keys.h"
#include "failover/cluster_view.h"
#include "storage/data_directory.h"
#include "storage/rocksdb_database.h"
#include "storage/snapshot_parts.h"
#include "storage/snapshot_target.h"
#include "tools/holdfastctl/backup_files.h"

namespace holdfast::ctl {
namespace {

namespace fs = std::filesystem;

/// The old cluster may have gone on after the backup: epochs begin beyond whatever it came to.
constexpr std::uint64_t kEpochsAhead = 1'000;

Status refuse_used(const fs::path& data) {
  std::error_code error;
  if (!fs::exists(data, error)) return Ok{};
  if (fs::is_directory(data, error) && fs::is_empty(data, error)) return Ok{};
  return Error{Errc::already_exists, data.string() +
                                         " is not empty: a restore makes a new data directory. Move that one "
                                         "away, or name another one"};
}

Status restore_part(const fs::path& file, PartitionId partition, Epoch promised, Database& log, Database& state) {
  auto reader = PartReader::open(file);
  if (!reader) return reader.error();
  std::optional<SnapshotTarget> target;
  while (true) {
    auto part = reader->next();
    if (!part) return part.error();
    if (!*part) break;
    if (!target) {
      auto head = peers::snapshot_head(**part);
      if (!head) return Error{Errc::corrupt, file.string() + " begins with something else than a partition"};
      target.emplace(log, state, partition, std::move(*head), promised);
      if (const Status begun = target->begin(); !begun) return begun;
    }
    const auto piece = peers::snapshot_piece(std::move(**part));
    if (!piece) return Error{Errc::corrupt, file.string() + " has a piece that can't be read"};
    if (const Status taken = target->take(*piece); !taken) return taken;
  }
  if (!target) return Error{Errc::corrupt, file.string() + " is empty"};
  return target->finish();
}

class Restore {
 public:
  Restore(const fs::path& backup, const BackupManifest& manifest) : backup_(backup), manifest_(manifest) {
    for (const auto& part : manifest.parts) promised_ = std::max(promised_, Epoch(part.epoch + kEpochsAhead));
  }

  Status open(const fs::path& data, Random& random) {
    auto directory = DataDirectory::open(data, random);
    if (!directory) return directory.error();
    directory_ = std::move(*directory);
    RocksOptions log_options;
    log_options.path = directory_->log_path().string();
    log_options.profile = RocksProfile::log;
    auto log = open_rocksdb(log_options);
    if (!log) return log.error();
    log_ = std::move(*log);
    RocksOptions state_options;
    state_options.path = directory_->state_path().string();
    auto state = open_rocksdb(state_options);
    if (!state) return state.error();
    state_ = std::move(*state);
    return Ok{};
  }

  Status partitions() {
    for (const auto& part : manifest_.parts) {
      const PartitionId partition(static_cast<std::uint16_t>(part.partition));
      if (const Status restored = restore_part(backup_ / part.file.name, partition, promised_, *log_, *state_);
          !restored)
        return restored;
    }
    return Ok{};
  }

  /// What a node that is alone keeps in its own configuration store.
  Status configuration(const backup::Settings& settings, const Restored& restored) {
    std::map<std::string, std::string> rows{{failover::kPartitionsKey, std::to_string(restored.partitions)},
                                            {failover::kUuidKey, restored.cluster},
                                            {failover::kGenerationKey, restored.generation.text()},
                                            {failover::kTokenKeysKey, settings.token_keys()}};
    if (!settings.mail_key().empty()) rows.emplace(failover::kMailKeyKey, settings.mail_key());
    log::PartitionConfig config;
    config.set_epoch(promised_.value);
    config.set_min_isr(1);
    config.mutable_primary()->set_node(1);
    config.mutable_primary()->set_store_id(directory_->store_id().str());
    *config.add_in_sync() = config.primary();
    config.add_replicas(1);
    for (const auto& part : manifest_.parts)
      rows.emplace(failover::partition_key(PartitionId(static_cast<std::uint16_t>(part.partition))),
                   config.SerializeAsString());
    LogStore log(*log_);
    failover::EmbeddedConfigStore store(log);
    const auto written = store.failover::ConfigStore::transact({}, rows);
    if (!written) return written.error();
    if (settings.operator_key().empty()) return Ok{};
    return replace_file(directory_->path() / "operator.key", settings.operator_key());
  }

  Status flush() {
    if (const Status flushed = state_->flush(); !flushed) return flushed;
    return log_->flush();
  }

 private:
  const fs::path backup_;
  const BackupManifest& manifest_;
  Epoch promised_;
  std::unique_ptr<DataDirectory> directory_;
  std::unique_ptr<Database> log_, state_;
};

Status make(const fs::path& backup, const BackupManifest& manifest, const backup::Settings& settings,
            const Restored& restored, const fs::path& data, Random& random) {
  Restore restore(backup, manifest);
  if (const Status opened = restore.open(data, random); !opened) return opened;
  if (const Status filled = restore.partitions(); !filled) return filled;
  if (const Status configured = restore.configuration(settings, restored); !configured) return configured;
  return restore.flush();
}

}  // namespace

Result<Restored> restore_backup(const fs::path& backup, const fs::path& data, WallTime now, Random& random) {
  if (const Status unused = refuse_used(data); !unused) return unused.error();
  const auto manifest = verify_backup(backup);
  if (!manifest) return manifest.error();
  const auto settings = read_settings(backup, *manifest);
  if (!settings) return settings.error();
  const failover::Generation old{settings->generation(), settings->restores()};
  const Restored restored{static_cast<std::uint32_t>(manifest->parts.size()), to_hex(random.id<StoreId>().bytes()),
                          old.next(now)};

  fs::path unfinished = fs::absolute(data).lexically_normal();
  if (!unfinished.has_filename()) unfinished = unfinished.parent_path();
  unfinished += ".unfinished";
  std::error_code error;
  if (fs::exists(unfinished, error))
    return Error{Errc::already_exists,
                 unfinished.string() + " is there, of a restore that did not come to its end: remove it"};
  if (const Status made = make(backup, *manifest, *settings, restored, unfinished, random); !made) {
    fs::remove_all(unfinished, error);
    return made.error();
  }
  fs::rename(unfinished, data, error);
  if (error) return Error{Errc::io, "can't rename " + unfinished.string() + ": " + error.message()};
  if (const Status synced = sync_directory(fs::absolute(data).parent_path()); !synced) return synced.error();
  return restored;
}

}  // namespace holdfast::ctl

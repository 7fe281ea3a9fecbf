#include "server/recovery.h"

#include <charconv>

#include "base/hash.h"
#include "storage/state_store.h"

namespace holdfast {
namespace {

constexpr std::string_view kPartitions = "cluster/partitions";
constexpr std::string_view kUuid = "cluster/uuid";
constexpr std::string_view kTokenKeys = "keys/token";

std::string config_key(PartitionId partition) { return "part/" + std::to_string(partition.value); }

Error disagrees(std::uint16_t stored, std::uint16_t wanted) {
  return {Errc::invalid_argument, "this data was made with " + std::to_string(stored) +
                                      " partitions, and the configuration says " + std::to_string(wanted) +
                                      ": the number is fixed, set `partitions = " + std::to_string(stored) + "`"};
}

}  // namespace

Result<ClusterSettings> load_settings(failover::ConfigStore& config, std::uint16_t partitions_wanted, Random& random) {
  auto partitions = config.get(kPartitions);
  if (!partitions) return partitions.error();
  auto uuid = config.get(kUuid);
  if (!uuid) return uuid.error();
  if (partitions->revision == 0) {
    const std::string fresh = to_hex(random.id<StoreId>().bytes());
    auto made =
        config.transact({{std::string(kPartitions), 0}, {std::string(kUuid), 0}},
                        {{std::string(kPartitions), std::to_string(partitions_wanted)}, {std::string(kUuid), fresh}});
    if (!made) return made.error();
    if (!*made) return Error{Errc::in_use, "somebody else is making this cluster at the same time: start again"};
    return ClusterSettings{partitions_wanted, fresh};
  }
  std::uint16_t stored = 0;
  const auto& text = partitions->value;
  if (std::from_chars(text.data(), text.data() + text.size(), stored).ec != std::errc{} || stored == 0)
    return Error{Errc::corrupt, "the stored number of partitions can't be read: '" + text + "'"};
  if (stored != partitions_wanted) return disagrees(stored, partitions_wanted);
  return ClusterSettings{stored, uuid->value};
}

Result<chat::TokenKeys> load_token_keys(failover::ConfigStore& config, WallTime now, Random& random) {
  auto row = config.get(kTokenKeys);
  if (!row) return row.error();
  if (row->revision > 0) return chat::TokenKeys::parse(row->value);
  chat::TokenKeys keys = chat::TokenKeys::first(now, random);
  const Status stored = store_token_keys(config, keys);
  if (!stored) return stored.error();
  return keys;
}

Status store_token_keys(failover::ConfigStore& config, const chat::TokenKeys& keys) {
  auto row = config.get(kTokenKeys);
  if (!row) return row.error();
  auto stored =
      config.transact({{std::string(kTokenKeys), row->revision}}, {{std::string(kTokenKeys), keys.serialize()}});
  if (!stored) return stored.error();
  if (!*stored) return Error{Errc::retry_later, "the keys changed meanwhile: try again"};
  return Ok{};
}

Result<std::vector<RecoveredPartition>> recover_partitions(LogStore& log, Database& state, std::uint16_t partitions,
                                                           WallTime now, std::chrono::hours ahead_max,
                                                           bool allow_clock_jump) {
  std::vector<RecoveredPartition> recovered;
  for (std::uint16_t p = 0; p < partitions; ++p) {
    RecoveredPartition& one = recovered.emplace_back();
    one.id = PartitionId(p);
    auto replayed = replay(log, state, one.id);
    if (!replayed) return replayed.error();
    one.replayed = *replayed;
    auto last = log.last(one.id);
    if (!last) return last.error();
    if (!*last) continue;
    const log::Entry& entry = (*last)->entry;
    one.log = {Seq(entry.seq()), Epoch(entry.epoch()), (*last)->chain, from_ms(entry.time_ms())};
    if (one.log.last_time > now + ahead_max && !allow_clock_jump)
      return Error{Errc::invalid_argument,
                   "the clock says " + std::to_string(to_ms(now)) + " ms, but the log of partition " +
                       std::to_string(p) + " was written at " + std::to_string(entry.time_ms()) +
                       " ms: it went back by more than a day. Set the clock, or start with storage.allow_clock_jump"};
  }
  return recovered;
}

Result<std::vector<Epoch>> take_epochs(failover::ConfigStore& config, LogStore& log,
                                       const std::vector<RecoveredPartition>& partitions, failover::Member self) {
  std::vector<failover::Compare> compares;
  std::map<std::string, std::string> puts;
  std::vector<Epoch> epochs;
  std::vector<std::pair<PartitionId, log::PartitionMeta>> metas;
  for (const RecoveredPartition& partition : partitions) {
    const std::string key = config_key(partition.id);
    auto row = config.get(key);
    if (!row) return row.error();
    log::PartitionConfig leads;
    if (row->revision > 0 && !leads.ParseFromString(row->value))
      return Error{Errc::corrupt,
                   "the configuration of partition " + std::to_string(partition.id.value) + " does not parse"};
    if (leads.has_primary() && leads.primary().store_id() != self.store.bytes())
      return Error{Errc::invalid_argument, "partition " + std::to_string(partition.id.value) +
                                               " belongs to another store: this data directory was copied or replaced"};
    if (partition.log.last_epoch.value > leads.epoch())
      return Error{Errc::corrupt, "the log of partition " + std::to_string(partition.id.value) + " is of epoch " +
                                      std::to_string(partition.log.last_epoch.value) + ", the configuration only of " +
                                      std::to_string(leads.epoch())};
    leads.set_epoch(leads.epoch() + 1);
    leads.set_min_isr(1);
    leads.mutable_primary()->set_node(self.node.value);
    leads.mutable_primary()->set_store_id(self.store.str());
    leads.clear_in_sync();
    *leads.add_in_sync() = leads.primary();
    compares.push_back({key, row->revision});
    puts.emplace(key, leads.SerializeAsString());
    epochs.emplace_back(leads.epoch());

    auto meta = log.meta(partition.id);
    if (!meta) return meta.error();
    meta->set_promised_epoch(leads.epoch());
    auto& start = *meta->add_epoch_starts();
    start.set_epoch(leads.epoch());
    start.set_first_seq(partition.log.last_seq.value + 1);
    // Starts below the first entry that is kept can't be asked for any more.
    while (meta->epoch_starts_size() > 1 && meta->epoch_starts(1).first_seq() <= meta->first_seq())
      meta->mutable_epoch_starts()->DeleteSubrange(0, 1);
    metas.emplace_back(partition.id, std::move(*meta));
  }
  auto taken = config.transact(compares, puts);
  if (!taken) return taken.error();
  if (!*taken) return Error{Errc::not_primary, "somebody else took a partition at the same time"};
  const Status promised = log.write_meta(metas);
  if (!promised) return promised.error();
  return epochs;
}

}  // namespace holdfast

#include "server/recovery.h"

#include <charconv>

#include "base/hash.h"
#include "failover/cluster_keys.h"
#include "failover/cluster_view.h"
#include "proto/state.pb.h"
#include "server/services/services.h"
#include "storage/keys.h"
#include "storage/state_store.h"

namespace holdfast {
namespace {

constexpr std::string_view kPartitions = failover::kPartitionsKey;
constexpr std::string_view kUuid = failover::kUuidKey;
constexpr std::string_view kTokenKeys = failover::kTokenKeysKey;
constexpr std::string_view kMailKey = failover::kMailKeyKey;

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
    return Error{Errc::corrupt, "the row cluster/partitions, the number of partitions, can't be read: '" + text + "'"};
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

Result<chat::MailKey> load_mail_key(failover::ConfigStore& config, Random& random) {
  const chat::MailKey fresh = chat::MailKey::fresh(random);
  const auto made = config.transact({{std::string(kMailKey), 0}}, {{std::string(kMailKey), fresh.serialize()}});
  if (!made) return made.error();
  if (*made) return fresh;
  const auto row = config.get(kMailKey);
  if (!row) return row.error();
  return chat::MailKey::parse(row->value);
}

Result<std::vector<SubscriberAt>> subscribers_at(const Database& state, const RecoveredPartition& partition,
                                                 const services::Services& services) {
  std::vector<SubscriberAt> all;
  for (const auto& subscriber : services.subscribers()) {
    const auto row = state.get(keys::stored(partition.id, keys::cursor(subscriber->name())));
    if (!row) return row.error();
    state::Cursor cursor;
    if (*row && !cursor.ParseFromString(**row))
      return Error{Errc::corrupt, "the cursor of " + std::string(subscriber->name()) + " does not parse"};
    Seq at(cursor.seq());
    if (!*row && partition.first_seq > Seq(1)) at = Seq(partition.log.last_seq.value - partition.log.tail.size());
    all.push_back({subscriber.get(), at});
  }
  return all;
}

namespace {

/// What the state lacks stays in memory until it is known to be committed.
Status read_tail(LogStore& log, PartitionId partition, Seq applied, failover::Recovered& out) {
  if (out.last_seq <= applied) return Ok{};
  auto before = log.chain_at(partition, applied);
  if (!before) return before.error();
  out.chain_before_tail = *before;
  out.epoch_before_tail = Epoch{};
  for (Seq from = applied.next(); from <= out.last_seq; from = Seq(applied.value + out.tail.size() + 1)) {
    auto page = log.read_raw(partition, from, 4u << 20);
    if (!page) return page.error();
    if (page->entries.empty()) return Error{Errc::corrupt, "the log ends before its newest entry"};
    if (from == applied.next()) out.epoch_before_tail = page->previous_epoch;
    Hash32 chain = page->previous_chain;
    for (const std::string& bytes : page->entries) {
      const Seq seq(applied.value + out.tail.size() + 1);
      auto entry = std::make_shared<log::Entry>();
      if (!entry->ParseFromString(bytes)) return Error{Errc::corrupt, "a logged entry does not parse"};
      auto encoded = std::make_shared<const EncodedEntry>(encode_entry(partition, seq, bytes, chain));
      chain = encoded->chain;
      out.tail.push_back({std::move(entry), std::move(encoded)});
    }
  }
  return Ok{};
}

Result<RecoveredPartition> recover_partition(LogStore& log, Database& state, PartitionId id, Replay how) {
  RecoveredPartition one{.id = id, .log = {}, .replayed = 0};
  if (how == Replay::everything) {
    auto replayed = replay(log, state, id);
    if (!replayed) return replayed.error();
    one.replayed = *replayed;
  }
  const auto meta = log.meta(id);
  if (!meta) return meta.error();
  one.first_seq = Seq(std::max<std::uint64_t>(meta->first_seq(), 1));
  auto last = log.last(id);
  if (!last) return last.error();
  if (*last) {
    const log::Entry& entry = (*last)->entry;
    // Whoever leads with a damaged end makes the others' sound copies look wrong (J2).
    if (const auto sound = log.read(id, Seq(entry.seq()), 1); !sound) return sound.error();
    one.log.last_seq = Seq(entry.seq());
    one.log.last_epoch = Epoch(entry.epoch());
    one.log.last_chain = (*last)->chain;
    one.log.last_time = from_ms(entry.time_ms());
  }
  one.log.promised = Epoch(std::max(meta->promised_epoch(), one.log.last_epoch.value));
  for (const auto& start : meta->epoch_starts())
    one.log.epoch_starts.push_back({Epoch(start.epoch()), Seq(start.first_seq())});
  if (how == Replay::nothing) {
    const auto applied = applied_seq(state, id);
    if (!applied) return applied.error();
    if (*applied > one.log.last_seq)
      return Error{Errc::corrupt, "the state of partition " + std::to_string(id.value) + " has entry " +
                                      std::to_string(applied->value) + ", but its log ends at " +
                                      std::to_string(one.log.last_seq.value)};
    if (const Status read = read_tail(log, id, *applied, one.log); !read) return read.error();
  }
  return one;
}

}  // namespace

Result<std::vector<RecoveredPartition>> recover_partitions(LogStore& log, Database& state, std::uint16_t partitions,
                                                           Replay how, WallTime now, std::chrono::hours ahead_max,
                                                           bool allow_clock_jump) {
  std::vector<RecoveredPartition> recovered;
  for (std::uint16_t p = 0; p < partitions; ++p) {
    auto one = recover_partition(log, state, PartitionId(p), how);
    if (!one) return one.error();
    if (one->log.last_time > now + ahead_max && !allow_clock_jump)
      return Error{Errc::invalid_argument,
                   "the clock says " + std::to_string(to_ms(now)) + " ms, but the log of partition " +
                       std::to_string(p) + " was written at " + std::to_string(to_ms(one->log.last_time)) +
                       " ms: it went back by more than a day. Set the clock, or start with storage.allow_clock_jump"};
    recovered.push_back(std::move(*one));
  }
  return recovered;
}

Result<std::vector<failover::PartitionRow>> take_epochs(failover::ConfigStore& config,
                                                        const std::vector<RecoveredPartition>& partitions,
                                                        failover::Member self) {
  std::vector<failover::Compare> compares;
  std::map<std::string, std::string> puts;
  std::vector<failover::PartitionRow> rows;
  for (const RecoveredPartition& partition : partitions) {
    const std::string key = failover::partition_key(partition.id);
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
    leads.clear_replicas();
    leads.add_replicas(self.node.value);
    compares.push_back({key, row->revision});
    puts.emplace(key, leads.SerializeAsString());
    rows.push_back({std::move(leads), row->revision + 1});
  }
  auto taken = config.transact(compares, puts);
  if (!taken) return taken.error();
  if (!*taken) return Error{Errc::not_primary, "somebody else took a partition at the same time"};
  return rows;
}

}  // namespace holdfast

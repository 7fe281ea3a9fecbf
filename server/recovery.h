/// What a start finds: the log and the state, and a node that is alone leading every partition in a new epoch.
///
/// Single-threaded, before the node serves. Fails closed: whatever does not fit stops the start with an error that says
/// what was found, and nothing is changed or deleted.
#pragma once

#include <vector>

#include "failover/config_store.h"
#include "failover/replica.h"
#include "server/chat/mail_key.h"
#include "server/chat/tokens.h"
#include "server/partition.h"
#include "storage/log_store.h"

namespace holdfast::services {
class Services;
}

namespace holdfast {

/// Fixed for the life of a cluster; written at the first start.
struct ClusterSettings {
  std::uint16_t partitions;
  std::string cluster_uuid;  ///< 32 hex digits
};

/// The settings in the configuration store, made with `partitions_wanted` if there are none yet.
Result<ClusterSettings> load_settings(failover::ConfigStore& config, std::uint16_t partitions_wanted, Random& random);
/// The token keys in the configuration store, made if there are none yet.
Result<chat::TokenKeys> load_token_keys(failover::ConfigStore& config, WallTime now, Random& random);
Status store_token_keys(failover::ConfigStore& config, const chat::TokenKeys& keys);
/// The mail key in the configuration store, made if there is none yet.
Result<chat::MailKey> load_mail_key(failover::ConfigStore& config, Random& random);

struct RecoveredPartition {
  PartitionId id;
  failover::Recovered log;
  std::uint64_t replayed = 0;  ///< entries
  Seq first_seq{1};            ///< older entries were trimmed
};

/// What of the log the state is brought up to at a start.
enum class Replay : std::uint8_t {
  everything,  ///< of a node that is alone: what is in its log is committed
  nothing,     ///< others say what is committed (F6): what the state lacks is kept as the tail
};

/// Errc::corrupt: the log does not hold together. Errc::invalid_argument: the newest entry lies more than `ahead_max`
/// after `now` (a clock that jumped back), unless `allow_clock_jump`.
Result<std::vector<RecoveredPartition>> recover_partitions(LogStore& log, Database& state, std::uint16_t partitions,
                                                           Replay how, WallTime now, std::chrono::hours ahead_max,
                                                           bool allow_clock_jump);

/// Where the subscribers stand in a recovered partition. One that never wrote its cursor begins with the first entry if
/// that is still there; otherwise it was switched on after others had passed, and begins behind what is applied.
Result<std::vector<SubscriberAt>> subscribers_at(const Database& state, const RecoveredPartition& partition,
                                                 const services::Services& services);

/// F7: takes the next epoch of every partition for a node that is alone, by compare-and-swap. Returns what then stands in
/// the store, by partition.
Result<std::vector<failover::PartitionRow>> take_epochs(failover::ConfigStore& config,
                                                        const std::vector<RecoveredPartition>& partitions,
                                                        failover::Member self);

}  // namespace holdfast

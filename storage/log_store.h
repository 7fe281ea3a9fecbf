/// A node's log database: the entries of all its partitions, their meta rows, and the embedded configuration.
///
///   <partition>:2 'e' <seq>:8   32-byte chain value, then the serialized log.Entry
///   <partition>:2 'm'           log.PartitionMeta: what trimming knows
///   <partition>:2 'p'           log.PartitionMeta: what was promised, and where epochs start; written by LogWrites
///   <partition>:2 'i'           a snapshot is being installed: what is here of the partition is in pieces (snapshot_target.h)
///   0xffff <key>                embedded configuration store
///
/// chain(seq) = BLAKE2b-256(chain(seq - 1) || entry bytes); chain(0) is all zero.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "proto/log.pb.h"
#include "storage/database.h"

namespace holdfast {

/// An entry as it is written: serialized once, shared by the log, the state and the bus.
struct EncodedEntry {
  PartitionId partition;
  Seq seq;
  Hash32 chain;
  std::string key;    ///< in the log database
  std::string value;  ///< chain, then the entry
};
EncodedEntry encode_entry(PartitionId partition, const log::Entry& entry, const Hash32& previous_chain);
/// The same from bytes that another node serialized.
EncodedEntry encode_entry(PartitionId partition, Seq seq, std::string_view entry_bytes, const Hash32& previous_chain);
/// The serialized log.Entry in it.
std::string_view entry_bytes(const EncodedEntry& encoded);

struct StoredEntry {
  log::Entry entry;
  Hash32 chain;
};

/// What can be read of it; of the database as it is, or of a view.
class LogReader {
 public:
  explicit LogReader(const DatabaseView& rows) : rows_(rows) {}

  static std::string entry_key(PartitionId partition, Seq seq);
  static std::string meta_key(PartitionId partition);
  static std::string promise_key(PartitionId partition);
  static std::string install_key(PartitionId partition);
  /// All entries of a partition stand in [entry_key(partition, 0), after_entries(partition)).
  static std::string after_entries(PartitionId partition);

  /// Empty if there is none yet.
  Result<log::PartitionMeta> meta(PartitionId partition) const;

  /// The entries from `from` on, in order, about `bytes_max` bytes of them (at least one if there is one).
  /// Errc::corrupt, naming partition and seq, if one is missing in between, does not parse or breaks the chain (the
  /// first is checked against its predecessor as well). Errc::not_found if `from` was trimmed.
  Result<std::vector<StoredEntry>> read(PartitionId partition, Seq from, std::size_t bytes_max) const;
  /// The same as serialized, for another node, and what is known of the entry before.
  struct RawPage {
    Epoch previous_epoch;  ///< 0: that entry is not there
    Hash32 previous_chain{};
    std::vector<std::string> entries;
  };
  Result<RawPage> read_raw(PartitionId partition, Seq from, std::size_t bytes_max) const;
  /// The newest entry, without its predecessor's chain being checked; nothing if the log is empty.
  Result<std::optional<StoredEntry>> last(PartitionId partition) const;

  /// The sequences that are there: first is the oldest, last the newest; last == first - 1 if the log is empty.
  Result<std::pair<Seq, Seq>> bounds(PartitionId partition) const;
  /// The chain value of `seq`, which a following entry is to be encoded with. Errc::not_found if it is not there.
  Result<Hash32> chain_at(PartitionId partition, Seq seq) const;

 private:
  Result<std::vector<Row>> rows_from(PartitionId partition, Seq from, std::size_t bytes_max) const;
  Result<std::vector<StoredEntry>> check_rows(PartitionId partition, Seq from, const std::vector<Row>& rows) const;
  Error missing(PartitionId partition, Seq seq) const;

  const DatabaseView& rows_;
};

class LogStore : public LogReader {
 public:
  explicit LogStore(Database& database) : LogReader(database), database_(database) {}

  /// Removes the entries below `first` and notes the chain value before it. The newest entry always stays.
  /// Not synced: losing a trim is harmless. Any thread.
  Status trim(PartitionId partition, Seq first);

  // The embedded configuration store's rows.
  Result<std::optional<std::string>> config(std::string_view key) const;
  Result<std::map<std::string, std::string>> config_with_prefix(std::string_view prefix) const;
  Status write_config(const std::map<std::string, std::string>& rows);  ///< synced

  Database& database() { return database_; }

 private:
  Database& database_;
  std::mutex meta_mutex_;  // held while a meta row is read and replaced
};

}  // namespace holdfast

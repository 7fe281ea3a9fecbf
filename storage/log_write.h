/// One write of a partition to the log: entries, what they replace, and the promise that must be durable with them.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "storage/log_store.h"

namespace holdfast {

/// Done all at once and synced, in this order: what is cut off, entries, promise. Writes of one partition become durable
/// in the order they were submitted.
struct LogWrite {
  PartitionId partition;
  std::uint64_t ticket = 0;  ///< the partition's name for this write; rises
  struct Cut {
    Seq first, last;
  };
  std::optional<Cut> cut;  ///< these entries go: another history holds (2.8)
  std::vector<std::shared_ptr<const EncodedEntry>> entries;
  std::optional<log::PartitionMeta> promise;  ///< promised epoch and where epochs start; the rest is ignored
};

/// The rows of log writes in one batch. Owns what the batch looks at.
class LogBatch {
 public:
  /// `write` must live as long as the batch is used.
  void add(const LogWrite& write);
  const Batch& batch() const { return batch_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::deque<std::string> strings_;
  Batch batch_;
  std::size_t bytes_ = 0;
};

}  // namespace holdfast

#include "storage/log_write.h"

namespace holdfast {

void LogBatch::add(const LogWrite& write) {
  if (write.cut)
    for (Seq seq = write.cut->first; seq <= write.cut->last; seq = seq.next())
      batch_.remove(strings_.emplace_back(LogStore::entry_key(write.partition, seq)));
  for (const auto& entry : write.entries) {
    batch_.put(entry->key, entry->value);
    bytes_ += entry->key.size() + entry->value.size();
  }
  if (write.promise) {
    const std::string& key = strings_.emplace_back(LogStore::promise_key(write.partition));
    log::PartitionMeta kept;
    kept.set_promised_epoch(write.promise->promised_epoch());
    *kept.mutable_epoch_starts() = write.promise->epoch_starts();
    batch_.put(key, strings_.emplace_back(kept.SerializeAsString()));
  }
}

}  // namespace holdfast

#include "storage/group_commit.h"

#include <chrono>

namespace holdfast {

GroupCommit::GroupCommit(Database& log, OnDurable on_durable)
    : log_(log), on_durable_(std::move(on_durable)), thread_([this] { run(); }) {}

GroupCommit::~GroupCommit() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void GroupCommit::submit(std::shared_ptr<const EncodedEntry> entry) {
  {
    const std::scoped_lock lock(mutex_);
    HF_CHECK(!stopping_, "nothing is submitted to a committer that is going");
    waiting_.push_back(std::move(entry));
  }
  wake_.notify_one();
}

GroupCommit::Figures GroupCommit::figures() const {
  const std::scoped_lock lock(mutex_);
  return figures_;
}

void GroupCommit::run() {
  std::vector<std::shared_ptr<const EncodedEntry>> taken;
  bool alive = true;
  for (;;) {
    taken.clear();
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      taken.swap(waiting_);
    }
    alive = alive && commit(taken);
  }
}

bool GroupCommit::commit(const std::vector<std::shared_ptr<const EncodedEntry>>& entries) {
  Batch batch;
  std::vector<std::pair<PartitionId, Seq>> durable;
  durable.reserve(entries.size());
  std::uint64_t bytes = 0;
  for (const auto& entry : entries) {
    batch.put(entry->key, entry->value);
    durable.emplace_back(entry->partition, entry->seq);
    bytes += entry->key.size() + entry->value.size();
  }
  const auto start = std::chrono::steady_clock::now();
  if (!log_.write(batch, Durability::synced)) return false;
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
  {
    const std::scoped_lock lock(mutex_);
    ++figures_.commits;
    figures_.entries += entries.size();
    figures_.bytes += bytes;
    figures_.sync_ns_total += static_cast<std::uint64_t>(took.count());
  }
  on_durable_(durable);
  return true;
}

}  // namespace holdfast

#include "storage/group_commit.h"

#include <chrono>

namespace holdfast {

GroupCommit::GroupCommit(Database& log, OnDurable on_durable, BeforeCut before_cut)
    : log_(log), on_durable_(std::move(on_durable)), before_cut_(std::move(before_cut)), thread_([this] { run(); }) {}

GroupCommit::~GroupCommit() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void GroupCommit::submit(LogWrite write) {
  {
    const std::scoped_lock lock(mutex_);
    HF_CHECK(!stopping_, "nothing is submitted to a committer that is going");
    waiting_.push_back(std::move(write));
  }
  wake_.notify_one();
}

GroupCommit::Figures GroupCommit::figures() const {
  const std::scoped_lock lock(mutex_);
  return figures_;
}

void GroupCommit::run() {
  std::vector<LogWrite> taken;
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

bool GroupCommit::commit(const std::vector<LogWrite>& writes) {
  LogBatch batch;
  std::vector<Durable> durable;
  durable.reserve(writes.size());
  std::size_t entries = 0;
  for (const LogWrite& write : writes) {
    if (write.cut) before_cut_(write.partition, write.cut->first);
    batch.add(write);
    entries += write.entries.size();
    durable.push_back({write.partition, write.ticket, write.entries.empty() ? Seq{} : write.entries.back()->seq});
  }
  const auto start = std::chrono::steady_clock::now();
  {
    const std::scoped_lock lock(mutex_);
    figures_.syncing_since = start;
  }
  if (!log_.write(batch.batch(), Durability::synced)) return false;
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
  {
    const std::scoped_lock lock(mutex_);
    ++figures_.commits;
    figures_.syncing_since = {};
    figures_.entries += entries;
    figures_.bytes += batch.bytes();
    figures_.sync_ns_total += static_cast<std::uint64_t>(took.count());
  }
  on_durable_(durable);
  return true;
}

}  // namespace holdfast
